import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Administrator, connectCaller } from '@gatehouse/standalone';
import { eventually, filesystemStdio } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installation, type Installation } from '../harness/gatehouse-process.ts';

const IN_ARGUMENTS = 'named-in-arguments-only.txt';
const IN_RESULTS = 'said in results only';

let place: Installation;
let folder: string;
let agent: { keyId: string; token: string };
let admin: string;
/** What every process of this place has printed, at the most talkative level. */
const printed: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-files-'));
  await writeFile(join(folder, IN_ARGUMENTS), IN_RESULTS);
  const { command, args } = filesystemStdio(folder);
  place = await installation({
    GATEHOUSE_LOG_LEVEL: 'trace',
    GATEHOUSE_GATEWAY_STDIO_COMMANDS: command,
    GATEHOUSE_REGISTRY_STDIO_COMMANDS: command,
  });
  await place.start();
  admin = await place.adminToken();
  const administrator = new Administrator(place.url, admin);
  const { digest } = await administrator.submit('files', 'Files', { stdio: { command, args } });
  await administrator.approve('files', digest);
  await administrator.defineRole('reader', '', { files: [{ tool: '*', mode: 'READ' }] });
  agent = await administrator.createAgent('reader', 'reader');
});
afterAll(async () => {
  await place.dispose();
  await rm(folder, { recursive: true });
});

/** The processes of the filesystem server that the gate at hand has started. */
function serversOfTheGate(): number[] {
  return execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [])
    .filter(([, , parent, args]) => Number(parent) === place.pid && args?.includes(folder))
    .map(([, pid]) => Number(pid));
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Reads a file through the gate, which starts a server for the caller; answers the server's process. */
async function useServer(): Promise<number> {
  const connect = () => connectCaller(`${place.url}/mcp`, agent.token, 'journey');
  const caller = await eventually(connect);
  const path = join(folder, IN_ARGUMENTS);
  await eventually(async () =>
    expect(await caller.call('files__read_text_file', { path })).toEqual({
      text: IN_RESULTS,
      failed: false,
    }),
  );
  const servers = serversOfTheGate();
  expect(servers).toHaveLength(1);
  // The client stays as it is: it is the gate that goes.
  return servers[0]!;
}

describe('what a gate leaves behind', () => {
  it('is no server over stdio when it is killed outright', async () => {
    const server = await useServer();
    printed.push(place.output);
    await place.kill();
    await eventually(() => expect(runs(server)).toBe(false));
  });

  it('is no server over stdio when it is told to end, though a client is still connected', async () => {
    await place.start();
    const server = await useServer();
    await expect(connectCaller(`${place.url}/mcp`, `${agent.token}x`, 'garbled')).rejects.toThrow();
    expect(await place.stop('SIGTERM')).toBe(0);
    expect(runs(server)).toBe(false);
    printed.push(place.output);
  });

  it('is no secret: neither on the disk nor in the log are a token, an argument or a result', async () => {
    const secretOf = (token: string): string => token.split('_').slice(2).join('_').slice(0, 40);
    const secrets = JSON.parse(
      await readFile(join(place.dataDirectory, 'secrets.json'), 'utf8'),
    ) as {
      readonly [name: string]: string;
    };
    const log = printed.join('');
    expect(log).toContain('"level":');
    const files = await filesBelow(place.dataDirectory);
    expect(files.length).toBeGreaterThan(500);
    const holders = async (text: string): Promise<string[]> => {
      const found: string[] = log.includes(text) ? ['the log'] : [];
      for (const file of files) if ((await readFile(file)).includes(text)) found.push(file);
      return found;
    };
    // Names are kept, in the tables and in the spool: what is looked through is the right place.
    expect((await holders('read_text_file')).length).toBeGreaterThan(1);
    expect(await holders(secretOf(agent.token))).toEqual([]);
    expect(await holders(secretOf(admin))).toEqual([join(place.dataDirectory, 'admin-token')]);
    expect(await holders(IN_ARGUMENTS)).toEqual([]);
    expect(await holders(IN_RESULTS)).toEqual([]);
    for (const name of ['serviceToken', 'databasePassword']) {
      expect(secrets[name]?.length).toBeGreaterThan(20);
      expect(log).not.toContain(secrets[name]);
    }
  });
});

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
