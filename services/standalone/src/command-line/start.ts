import { relative } from 'node:path';
import { endInTime } from '@gatehouse/platform';
import pc from 'picocolors';
import { loadSettings } from '../settings.ts';
import { startStandalone, type Standalone } from '../standalone.ts';

const END_MS = 30_000;

/** `gatehouse start`: serves until SIGINT or SIGTERM, then ends in order; a second signal ends it at once. */
export async function start(): Promise<void> {
  const began = performance.now();
  const gatehouse = await startStandalone(loadSettings(process.env));
  process.stdout.write(welcome(gatehouse, performance.now() - began));
  const signal = await nextSignal();
  process.stdout.write(`\n  ${signal}: finishing what is in hand …\n`);
  process.once(signal, () => process.exit(130));
  endInTime(END_MS, (sentence) => process.stderr.write(`  Gatehouse ${sentence}.\n`));
  await gatehouse.stop();
  process.stdout.write('  Stopped.\n');
}

/** How a person reaches a running Gatehouse; also what `demo --keep` ends with. */
export function connectLines({
  url,
  adminTokenFile,
}: Pick<Standalone, 'url' | 'adminTokenFile'>): string {
  const token = relative(process.cwd(), adminTokenFile);
  const shown = token.startsWith('..') ? adminTokenFile : token;
  return [
    `  ${pc.bold('MCP endpoint')}   ${url}/mcp             every tool that the caller may use`,
    `                 ${url}/s/<slug>/mcp    one server, tool names untouched`,
    `  ${pc.bold('GraphQL')}        ${url}/graphql`,
    `  ${pc.bold('Admin token')}    ${shown}   (mode 0600; sent as \`Authorization: Bearer …\`)`,
    '',
    `  ${pc.bold('Connect a client')}`,
    `    claude mcp add --transport http gatehouse ${url}/mcp \\`,
    `      --header "Authorization: Bearer $(cat ${shown})"`,
    '',
  ].join('\n');
}

function welcome(gatehouse: Standalone, ms: number): string {
  return [
    '',
    `  ${pc.green(pc.bold('Gatehouse is ready'))} ${pc.dim(`after ${(ms / 1000).toFixed(1)} s`)}`,
    '',
    connectLines(gatehouse),
    `  ${pc.dim(`Data in ${gatehouse.dataDirectory}${placed(gatehouse)}. Ctrl-C stops it.`)}`,
    '',
    '',
  ].join('\n');
}

function placed({ dataDirectory, databaseDirectory }: Standalone): string {
  return databaseDirectory.startsWith(dataDirectory) ? '' : `, database in ${databaseDirectory}`;
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => resolve(signal));
  });
}
