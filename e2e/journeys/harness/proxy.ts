import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, freePort } from '@gatehouse/testing';
import { readComposeFile } from './compose-file.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The one door of the cluster. */
export interface Proxy {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the proxy of docker-compose.yml, by its command and its environment, as a local Caddy before these services. */
export async function startProxy(urlOf: (service: string) => string): Promise<Proxy> {
  const {
    command = [],
    environment = {},
    volumes = [],
  } = readComposeFile('docker-compose.yml').services['proxy'] ?? {};
  const port = await freePort();
  const local = (text: string): string =>
    text
      .replace(/^http:\/\/:8080$/, `http://127.0.0.1:${port}`)
      .replaceAll(/\b([a-z][\w-]*):8080\b/g, (_, service: string) => new URL(urlOf(service)).host);
  const mounted = new Map(
    volumes.map((volume) => {
      const [source = '', target = ''] = volume.split(':');
      return [target, join(ROOT, source)] as const;
    }),
  );
  const [program = '', ...args] = command.map((part) => mounted.get(part) ?? part);
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-proxy-'));
  const env = Object.entries(environment).map(([name, value]) => [name, local(value)] as const);
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'], HOME: home, ...Object.fromEntries(env) },
    cwd: home,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-8_000)));
  const ended = once(child, 'close').catch(() => undefined);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually(
      async () => {
        const { status } = await fetch(`${url}/health/live`);
        if (status !== 200) throw new Error(`the proxy answers ${status}`);
      },
      { timeoutMs: 20_000, everyMs: 50 },
    );
  } catch (error) {
    await stop();
    throw new Error(`the proxy did not start: ${log}`, { cause: error });
  }
  return { url, stop };
}
