import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, type CommandResult } from '../harness/gatehouse-process.ts';

let folder: string;
/** Speaks HTTP, and is no Gatehouse. */
let stranger: Server;
let there: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-usage-'));
  await writeFile(join(folder, 'file'), 'a-password-of-some-length\n');
  await mkdir(join(folder, 'damaged'));
  await writeFile(join(folder, 'damaged', 'secrets.json'), '{"installation":');
  await mkdir(join(folder, 'lost'));
  await writeFile(join(folder, 'cluster.yaml'), FILE_OF_A_CLUSTER);
  await writeFile(join(folder, 'lost', 'admin-token'), 'gh_x');
  stranger = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  there = `127.0.0.1:${(stranger.address() as AddressInfo).port}`;
});
afterAll(async () => {
  stranger.close();
  await rm(folder, { recursive: true });
});

function run(args: string, env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  const given = Object.entries(env).map(([name, value]) => [
    `GATEHOUSE_${name}`,
    value.replace('{folder}', folder).replace('{stranger}', there),
  ]);
  const environment = { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1' };
  return runCommand(
    args.replace('{stranger}', there).split(' '),
    { ...environment, ...(Object.fromEntries(given) as Record<string, string>) },
    folder,
  );
}

const owner = { OWNER_URL: 'postgres://owner@127.0.0.1:9/gate' };
/** What a gate of a cluster must be told beside the file of settings. */
const gate = {
  DATA: '{folder}/unused',
  BUS_URL: 'kafka://127.0.0.1:9',
  SERVICE_TOKEN_FILE: '{folder}/file',
};
const rebuildIdentity = {
  DATABASE_URL: 'postgres://gatehouse_identity@127.0.0.1:9/gate',
  BUS_URL: 'kafka://127.0.0.1:9',
  SERVICE_TOKEN_FILE: '{folder}/file',
  DATA: '{folder}/identity',
};

const FILE_OF_A_CLUSTER = `process: {busUrl: 'kafka://127.0.0.1:9'}
topics: {busUrl: 'kafka://127.0.0.1:9'}
migrate: {ownerUrl: 'postgres://owner@127.0.0.1:9/gate'}
metrics: {}
tracing: {}
gateway: {maxSessions: 5}
`;

describe('the command line says in a sentence, and by its exit code,', () => {
  it.concurrent.each([
    [
      'that there is nothing to rebuild',
      'rebuild',
      { DATA: '{folder}/nowhere' },
      2,
      /nowhere holds no Gatehouse: set GATEHOUSE_DATA/,
    ],
    [
      'that there is nothing to recover',
      'recover-admin',
      { DATA: '{folder}/nowhere' },
      2,
      /nowhere holds no Gatehouse: set GATEHOUSE_DATA/,
    ],
    [
      'that the folder is none',
      'start',
      { DATA: '{folder}/file' },
      2,
      /\/file is no folder: set GATEHOUSE_DATA/,
    ],
    [
      'that the secrets are damaged',
      'start',
      { DATA: '{folder}/damaged' },
      1,
      /secrets\.json is damaged/,
    ],
    [
      'that the secrets are gone',
      'start',
      { DATA: '{folder}/lost' },
      1,
      /secrets\.json is gone, and admin-token beside it/,
    ],
    [
      'that the folder of a service is none',
      'serve gateway',
      {
        DATA: '{folder}/file',
        BUS_URL: 'kafka://127.0.0.1:9',
        SERVICE_TOKEN_FILE: '{folder}/file',
      },
      2,
      /\/file is no folder: set GATEHOUSE_DATA/,
    ],
    [
      'which services there are',
      'serve nobody',
      {},
      2,
      /no service nobody: there are identity, .*gateway/,
    ],
    [
      'that the database of a service is away',
      'rebuild identity',
      rebuildIdentity,
      1,
      /GATEHOUSE_DATABASE_URL.* cannot be reached: nothing listens there/,
    ],
    [
      'that no broker answers',
      'topics apply',
      { BUS_URL: 'kafka://127.0.0.1:9' },
      1,
      /127\.0\.0\.1:9 \(GATEHOUSE_BUS_URL\) cannot be used/,
    ],
    [
      'that no database answers',
      'migrate',
      { ...owner, ROLE_PASSWORD_FILE: '{folder}/file' },
      1,
      /127\.0\.0\.1:9\/gate \(GATEHOUSE_OWNER_URL\) cannot be used: nothing listens there/,
    ],
    [
      'what the file of a whole cluster means for it',
      'topics apply',
      { CONFIG: '{folder}/cluster.yaml' },
      1,
      /127\.0\.0\.1:9 \(GATEHOUSE_BUS_URL\) cannot be used/,
    ],
    [
      'what the same file means for another command',
      'migrate',
      { CONFIG: '{folder}/cluster.yaml', ROLE_PASSWORD_FILE: '{folder}/file' },
      1,
      /127\.0\.0\.1:9\/gate \(GATEHOUSE_OWNER_URL\) cannot be used: nothing listens there/,
    ],
    [
      'that what answers is no database',
      'migrate',
      { OWNER_URL: 'postgres://owner@{stranger}/gate', ROLE_PASSWORD_FILE: '{folder}/file' },
      1,
      /\(GATEHOUSE_OWNER_URL\) cannot be used: /,
    ],
    [
      'that a password file is not there',
      'migrate',
      { ...owner, ROLE_PASSWORD_FILE: '{folder}/none' },
      2,
      /migrate\.rolePasswordFile: .*none: there is no such file/,
    ],
    [
      'that no Gatehouse listens',
      'audit tail --url http://127.0.0.1:9',
      { TOKEN: 'gh_x' },
      3,
      /no Gatehouse can be reached at http:\/\/127\.0\.0\.1:9/,
    ],
    [
      'that what listens is no Gatehouse',
      'audit tail --url http://{stranger}',
      { TOKEN: 'gh_x' },
      3,
      /is no admin API of a Gatehouse/,
    ],
  ])('%s', async (_what, args, env, exitCode, sentence) => {
    const { code, stderr } = await run(args, env);
    expect(stderr).toMatch(sentence);
    expect(stderr).toMatch(/^gatehouse/);
    expect(code).toBe(exitCode);
  });

  // Each mistake costs two processes, so most of them are made at once.
  it.concurrent.each([
    [
      'of mistakes of every kind',
      `gatewy: {}
metrics: 7
tracing: {sampleRatio: 2}
gateway: {maxSesions: 1, maxSessions: many, allowedOrigins: [https://a.example/path]}
admin: {maxPageSize: 20}`,
      /gatewy[^]*metrics: [^]*sampleRatio: [^]*maxSessions: [^]*allowedOrigins.0: [^]*maxSesions/,
    ],
    ['of a file that is named and not there', 'metrics: {tokenFile: ./nowhere}', /no such file/],
    ['of what is no YAML', 'gateway: [', /\.yaml: ./],
  ])('the same %s in the one file of settings of both forms', async (what, yaml, complaint) => {
    const file = join(folder, `${what.replaceAll(' ', '-')}.yaml`);
    await writeFile(file, yaml);
    const inOneProcess = await run('start', { CONFIG: file, DATA: '{folder}/unused' });
    const alone = await run('serve gateway', { CONFIG: file, ...gate });
    expect([inOneProcess.code, alone.code]).toEqual([2, 2]);
    expect(inOneProcess.stderr).toMatch(complaint);
    expect(alone.stderr.replace(/^gatehouse gateway: /, 'gatehouse: ')).toBe(inOneProcess.stderr);
  });

  it('and makes nothing where it was only asked to mend', async () => {
    expect(await readdir(folder)).not.toContain('nowhere');
    expect(await readdir(folder)).not.toContain('unused');
  });

  it.each(['serve', 'rebuild'])('which services `%s --help` means', async (command) => {
    const { code, stdout } = await run(`${command} --help`);
    expect(stdout).toMatch(/identity, policy, registry, audit, admin,\s+gateway/);
    expect(code).toBe(0);
  });

  it('and in JSON, where that was asked for, that nothing runs', async () => {
    const { code, stdout } = await run('status --json', { DATA: '{folder}/nowhere' });
    expect(JSON.parse(stdout)).toEqual({ ready: false, pid: null, url: null, waitingFor: [] });
    expect(code).toBe(3);
  });
});
