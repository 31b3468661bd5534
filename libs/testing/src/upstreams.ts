import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { freePort } from './free-port.ts';

/** An MCP server that runs and can be spoken to over Streamable HTTP. */
export interface HttpUpstream {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** What a stdio server is started with; no shell in between. */
export interface StdioCommand {
  readonly command: string;
  readonly args: readonly string[];
}

const LISTENING = /listening on port/;
const START_TIMEOUT_MS = 20_000;

// The package listens on every interface and has no setting for it; a test server belongs on loopback.
const LOOPBACK_ONLY = `data:text/javascript,${encodeURIComponent(
  `import { Server } from 'node:net';
   const listen = Server.prototype.listen;
   Server.prototype.listen = function (port, ...rest) {
     return listen.call(this, Number(port), '127.0.0.1', ...rest);
   };`,
)}`;

/** The public "everything" server of npm over Streamable HTTP, on a free loopback port, as a process of its own. */
export async function startEverythingOverHttp(): Promise<HttpUpstream> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      '--import',
      LOOPBACK_ONLY,
      scriptOf('@modelcontextprotocol/server-everything'),
      'streamableHttp',
    ],
    { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  };
  try {
    await new Promise<void>((resolve, reject) => {
      let output = '';
      const fail = (why: string): void => reject(new Error(`server-everything ${why}:\n${output}`));
      const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
      child.once('exit', (code) => fail(`exited with ${String(code)}`));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-4_000);
        if (!LISTENING.test(output)) return;
        clearTimeout(timer);
        resolve();
      });
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}/mcp`, pid: child.pid!, stop };
}

/** The command line of the public "everything" server over stdio. */
export function everythingStdio(): StdioCommand {
  return {
    command: process.execPath,
    args: [scriptOf('@modelcontextprotocol/server-everything'), 'stdio'],
  };
}

/** The command line of the public filesystem server over stdio, allowed to see the folders given. */
export function filesystemStdio(...folders: string[]): StdioCommand {
  return {
    command: process.execPath,
    args: [scriptOf('@modelcontextprotocol/server-filesystem'), ...folders],
  };
}

function scriptOf(packageName: string): string {
  const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  return join(dirname(manifest), 'dist/index.js');
}
