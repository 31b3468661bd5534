import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formOfThisLane } from './harness/gatehouse.ts';
import { startWorld, type World } from './harness/world.ts';

const IN_ARGUMENTS = 'named-in-arguments-only.txt';
const IN_RESULTS = 'said in results only';
const PRINTED = 'what was printed';

type Reading = (content: Buffer) => Buffer | string;

const asText: Reading = (content) => content.toString().trim();
const asKey: Reading = (content) => content;
const secretOf = (token: string): string => token.split('_').slice(2).join('_').slice(0, 40);
const asToken: Reading = (content) => secretOf(content.toString().trim());
const field =
  (name: string): Reading =>
  (content) =>
    (JSON.parse(content.toString()) as Readonly<Record<string, string>>)[name] ?? '';

/** The one file that may hold a secret, and how it is read from it: in clear, it lies nowhere else. */
const MAY_LIE_IN: Readonly<Record<string, Readonly<Record<string, readonly [string, Reading]>>>> = {
  standalone: {
    'the token of the first administrator': ['gatehouse/data/admin-token', asToken],
    'the token of services': ['gatehouse/data/secrets.json', field('serviceToken')],
    'the password of the database': ['gatehouse/data/secrets.json', field('databasePassword')],
    'the key that seals': ['gatehouse/data/audit.key', asKey],
  },
  // The files of make-secrets.sh are mounted into the containers, each where it is needed.
  cluster: {
    'the token of the first administrator': ['gatehouse/identity/admin-token', asToken],
    'the token of services': ['gatehouse/secrets/service-token', asText],
    'the password of the database': ['gatehouse/secrets/postgres-password', asText],
    'the password of the roles': ['gatehouse/secrets/role-password', asText],
    'the token of Prometheus': ['gatehouse/secrets/metrics-token', asText],
    'the key that seals': ['gatehouse/secrets/sealing-key', asKey],
  },
};

/** Who must be heard in what was printed. */
const LOGGERS: Readonly<Record<string, readonly string[]>> = {
  standalone: ['standalone'],
  cluster: ['identity', 'policy', 'registry', 'audit', 'admin', 'gateway'],
};

const form = formOfThisLane().kind;
let world: World;
let agent: { keyId: string; token: string };

beforeAll(async () => {
  world = await startWorld({ GATEHOUSE_LOG_LEVEL: 'trace' });
  await writeFile(join(world.folder, IN_ARGUMENTS), IN_RESULTS);
  agent = await world.agent('reader', { files: [{ tool: '*', mode: 'READ' }] });
});
afterAll(() => world?.dispose());

/** The processes of the filesystem server that the gate at hand has started. */
function serversOfTheGate(): number[] {
  const [gate] = world.gatehouse.gatePids;
  return execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [])
    .filter(([, , parent, args]) => Number(parent) === gate && args?.includes(world.folder))
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
  const connect = () => connectCaller(`${world.gatehouse.url}/mcp`, agent.token, 'journey');
  const caller = await eventually(connect);
  const path = join(world.folder, IN_ARGUMENTS);
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

describe('what Gatehouse leaves behind', () => {
  it('is no server over stdio when a gate is killed outright', async () => {
    const server = await useServer();
    await world.gatehouse.kill();
    await eventually(() => expect(runs(server)).toBe(false));
  });

  it('is no server over stdio when it is told to end, though a client is still connected', async () => {
    await world.gatehouse.start();
    const server = await useServer();
    const garbled = connectCaller(`${world.gatehouse.url}/mcp`, `${agent.token}x`, 'garbled');
    await expect(garbled).rejects.toThrow();
    // Whoever reads the trail sees the call: it went through all that Gatehouse consists of.
    await eventually(async () =>
      expect((await world.trail({ tool: 'read_text_file' })).map((row) => row.outcome)).toContain(
        'OK',
      ),
    );
    expect(new Set(await world.gatehouse.end())).toEqual(new Set([0]));
    expect(runs(server)).toBe(false);
  });

  it('is no secret: neither on a disk nor in a log are a token, a password, an argument or a result', async () => {
    const { folders, printed } = world.gatehouse;
    const adminToken = secretOf(await world.gatehouse.adminToken());
    const kept = Object.entries(MAY_LIE_IN[form] ?? {}).map(async ([name, [file, read]]) => {
      const [folder = '', ...path] = file.split('/');
      return { name, file, secret: read(await readFile(join(folders[folder]!, ...path))) };
    });
    const secrets = await Promise.all(kept);
    for (const { name, secret } of secrets) expect(secret.length, name).toBeGreaterThan(20);
    expect(secrets.map(({ secret }) => secret)).toContain(adminToken);

    const holders = await holdersOf({
      ...Object.fromEntries(secrets.map(({ name, secret }) => [name, spellingsOf(secret)])),
      'the key of an agent': [secretOf(agent.token)],
      'an argument': [IN_ARGUMENTS],
      'a result': [IN_RESULTS],
      'the name of a tool': ['read_text_file'],
    });
    // Names are kept, by everything: what is looked through is the right place.
    const { 'the name of a tool': named = [], ...found } = holders;
    const places = new Set(named.map((file) => file.split('/')[0]));
    expect([...places]).toEqual(expect.arrayContaining(Object.keys(folders)));
    const heard = new Set([...printed.matchAll(/"service":"([\w-]+)"/g)].map(([, name]) => name));
    expect([...heard]).toEqual(expect.arrayContaining([...LOGGERS[form]!]));
    expect(found).toEqual({
      ...Object.fromEntries(secrets.map(({ name, file }) => [name, [file]])),
      'the key of an agent': [],
      'an argument': [],
      'a result': [],
    });
  });
});

/** A secret as it is, and as somebody would print it who has it as bytes. */
function spellingsOf(secret: Buffer | string): readonly (Buffer | string)[] {
  if (typeof secret === 'string') return [secret];
  return [secret, ...(['hex', 'base64', 'base64url'] as const).map((as) => secret.toString(as))];
}

/** Who holds any spelling of each text: files, by their folder and path, and what was printed. */
async function holdersOf(
  texts: Readonly<Record<string, readonly (Buffer | string)[]>>,
): Promise<Record<string, string[]>> {
  const found = Object.fromEntries(Object.keys(texts).map((name) => [name, [] as string[]]));
  const look = (where: string, content: Buffer): void => {
    for (const [name, spellings] of Object.entries(texts))
      if (spellings.some((text) => content.includes(text))) found[name]?.push(where);
  };
  look(PRINTED, Buffer.from(world.gatehouse.printed));
  for (const [name, folder] of Object.entries(world.gatehouse.folders))
    for (const file of await filesBelow(folder))
      look(join(name, relative(folder, file)), await readFile(file));
  return found;
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
