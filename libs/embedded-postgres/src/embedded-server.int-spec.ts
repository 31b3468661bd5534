import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeDatabase, startEmbeddedServer, type EmbeddedServer } from './embedded-server.ts';

let root: string;
let server: EmbeddedServer | undefined;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gatehouse-embedded-'));
  await chmod(root, 0o755);
});
afterEach(async () => {
  await server?.stop('immediate');
  server = undefined;
  await rm(root, { recursive: true, force: true });
});

const options = () => ({
  directory: join(root, 'postgres'),
  password: "it's a secret",
  maxConnections: 10,
});
const pidFile = (): string => join(root, 'postgres/data/postmaster.pid');

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  it('keeps its data from one start to the next, and listens on no network', async () => {
    server = await startEmbeddedServer(options());
    await ask(server.url, 'create table kept as select 1 as one');
    expect(await ask(server.url, 'show listen_addresses')).toEqual([{ listen_addresses: '' }]);
    await server.stop();
    expect(existsSync(pidFile())).toBe(false);
    server = await startEmbeddedServer(options());
    expect(await ask(server.url, 'select * from kept')).toEqual([{ one: 1 }]);
  });

  it('takes over from a server that a killed process left running', async () => {
    const left = await startEmbeddedServer(options());
    await ask(left.url, 'create table kept as select 1 as one');
    const [before] = (await readFile(pidFile(), 'utf8')).split('\n');
    server = await startEmbeddedServer(options());
    const [after] = (await readFile(pidFile(), 'utf8')).split('\n');
    expect(after).not.toBe(before);
    expect(await ask(server.url, 'select * from kept')).toEqual([{ one: 1 }]);
  });

  it('asks for its password, and is never run by root', async () => {
    server = await startEmbeddedServer(options());
    await expect(ask(server.urlOf('postgres', 'wrong'), 'select 1')).rejects.toThrow(
      /password authentication failed/,
    );
    const [pid] = (await readFile(pidFile(), 'utf8')).split('\n');
    const { stdout } = await promisify(execFile)('ps', ['-o', 'user=', '-p', String(pid)]);
    expect(stdout.trim()).not.toBe('root');
  });

  it('survives an immediate stop with what was committed', async () => {
    server = await startEmbeddedServer(options());
    await ask(server.url, 'create table kept as select 1 as one');
    await server.stop('immediate');
    await server.start();
    expect(await ask(server.url, 'select * from kept')).toEqual([{ one: 1 }]);
  });

  it('says what the server said when it does not start', async () => {
    await expect(
      startEmbeddedServer({ ...options(), settings: ['no_such_setting = 1'] }),
    ).rejects.toThrow(/no_such_setting/);
  });

  it.runIf(process.getuid?.() === 0)(
    'lies outside a data directory that its user may not enter',
    async () => {
      expect(await placeDatabase(root, 'name')).toBe(join(root, 'postgres'));
      await chmod(root, 0o700);
      expect(await placeDatabase(root, 'name')).toBe('/var/lib/gatehouse/name');
    },
  );
});
