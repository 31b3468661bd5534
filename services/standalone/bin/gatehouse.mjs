#!/usr/bin/env -S node --max-semi-space-size=8
// Starting allocates in one burst; with a small young generation an idle gate does not keep what the burst needed.
// Runs the built command line on a Node that can: the repo's own (the npm package `node`) where the system's is older.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNewEnough } from './oldest-node.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '..', 'dist', 'command-line', 'main.js');

if (!existsSync(main)) {
  process.stderr.write('gatehouse: not built yet; run `npm run build` first\n');
  process.exitCode = 1;
} else if (isNewEnough(process.versions.node)) {
  await import(main);
} else {
  const node = createRequire(import.meta.url).resolve('node/bin/node');
  const child = spawn(node, [...process.execArgv, main, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // A Ctrl-C reaches the child by itself; a signal meant for us is passed on.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
}
