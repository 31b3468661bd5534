import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { parseToken } from '@gatehouse/principal-directory';
import { PostgresEventStore, systemClock, type Platform } from '@gatehouse/platform';
import { startTestPlatform, type TestPlatform } from '@gatehouse/platform/testing';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardedDirectory } from '../directory/guarded-directory.ts';
import { loadPrincipals } from '../directory/load-principals.query.ts';
import { identityMigrations } from '../migrations.ts';
import { startIdentity } from '../test/start-identity.ts';
import { provisionUser } from '../user/provision-user.command.ts';
import { adminTokenFile, adminTokenPath } from './admin-token-file.ts';
import { createBootstrapAdmin, type BootstrapDeps } from './create-bootstrap-admin.ts';
import type { TokenHandover } from './token-handover.ts';

let test: TestPlatform;
let platform: Platform;
let deps: BootstrapDeps;

beforeEach(async () => {
  test = await startTestPlatform({ schemas: [identityMigrations] });
  platform = test.platform;
  const database = platform.database('identity');
  deps = {
    database,
    store: new PostgresEventStore(database, [guardedDirectory]),
    clock: systemClock,
    handover: adminTokenFile(platform.dataDirectory),
  };
});
afterEach(() => test?.stop());

const tokenInFile = async () =>
  (await readFile(adminTokenPath(platform.dataDirectory), 'utf8')).trim();

async function administrators() {
  const { rows } = await deps.database.pool.query<{ user_id: string }>('select user_id from users');
  const keys = rows.map(({ user_id: id }) => `user:${id}`);
  return [...(await loadPrincipals(deps.database, keys, new Date())).values()];
}

/** The one administrator there must be, with the one key that the token opens. */
async function expectOneAdministratorFor(token: string): Promise<void> {
  const { keyId, secretSha256 } = parseToken(token) ?? {};
  expect(await administrators()).toEqual([
    expect.objectContaining({
      name: 'admin',
      displayName: 'Bootstrap administrator',
      active: true,
      roles: ['admin'],
      keys: [{ keyId, secretSha256, notAfter: null }],
    }),
  ]);
}

/** Fails like a process that dies there: at the n-th append, or at the handover. */
function dyingAt(append: number, handover: TokenHandover = deps.handover): BootstrapDeps {
  let appends = 0;
  const { store } = deps;
  return {
    ...deps,
    handover,
    store: Object.assign(Object.create(store) as PostgresEventStore, {
      readStream: (stream: string, after?: number) => store.readStream(stream, after),
      append: (...args: Parameters<typeof store.append>) => {
        appends += 1;
        if (appends === append) throw new Error('died');
        return store.append(...args);
      },
    }),
  };
}

describe('the first start', () => {
  it('makes one administrator and hands over a key without expiry', async () => {
    expect(await createBootstrapAdmin(deps)).toBe(true);
    await expectOneAdministratorFor(await tokenInFile());
  });

  it.each([1, 2, 3])('that died at its append %i is finished by the next', async (append) => {
    await expect(createBootstrapAdmin(dyingAt(append))).rejects.toThrow('died');
    expect(await createBootstrapAdmin(deps)).toBe(true);
    await expectOneAdministratorFor(await tokenInFile());
  });

  it('that died between issuing the key and handing it over locks nobody out', async () => {
    const lost: string[] = [];
    const dying: TokenHandover = {
      find: () => deps.handover.find(),
      deliver: async (token) => {
        lost.push(token);
        throw new Error('died');
      },
    };
    await expect(createBootstrapAdmin({ ...deps, handover: dying })).rejects.toThrow('died');
    await createBootstrapAdmin(deps);
    const token = await tokenInFile();
    expect(lost).not.toContain(token);
    await expectOneAdministratorFor(token);
  });

  it('that died after handing the key over keeps it', async () => {
    const tokens: string[] = [];
    const dying: TokenHandover = {
      find: () => deps.handover.find(),
      deliver: async (token) => {
        await deps.handover.deliver(token);
        tokens.push(token);
        throw new Error('died');
      },
    };
    await expect(createBootstrapAdmin({ ...deps, handover: dying })).rejects.toThrow('died');
    await createBootstrapAdmin(deps);
    expect([await tokenInFile()]).toEqual(tokens);
    await expectOneAdministratorFor(await tokenInFile());
  });

  it('does not take the token of an earlier installation for its own', async () => {
    await deps.handover.deliver('gh_an_old_token');
    await createBootstrapAdmin(deps);
    await expectOneAdministratorFor(await tokenInFile());
    const stale = await tokenInFile();
    await deps.database.pool.query('update bootstrap set finished_at = null');
    await writeFile(adminTokenPath(platform.dataDirectory), stale.slice(0, -1));
    await createBootstrapAdmin(deps);
    await expectOneAdministratorFor(await tokenInFile());
  });

  it('by several processes at once makes one administrator', async () => {
    const made = await Promise.all([1, 2, 3].map(() => createBootstrapAdmin(deps)));
    expect(made.filter(Boolean)).toHaveLength(1);
    await expectOneAdministratorFor(await tokenInFile());
  });

  it('makes nobody where there are users already', async () => {
    const context = {
      actor: { kind: 'service', id: 'test', name: 'test' },
      now: new Date(),
      correlationId: 'test',
    } as const;
    await provisionUser(deps.store)({ userName: 'ada', displayName: 'Ada', email: null }, context);
    expect(await createBootstrapAdmin(deps)).toBe(false);
    expect(await administrators()).toHaveLength(1);
    expect(await deps.handover.find()).toBeUndefined();
  });
});

describe('a later start', () => {
  it('mints nothing, also when the operator has deleted the file', async () => {
    await createBootstrapAdmin(deps);
    const token = await tokenInFile();
    await rm(adminTokenPath(platform.dataDirectory));
    expect(await createBootstrapAdmin(deps)).toBe(false);
    expect(await deps.handover.find()).toBeUndefined();
    await expectOneAdministratorFor(token);
  });
});

describe('the service', () => {
  it('has its first administrator once it is ready, and tells the gateways', async () => {
    const identity = await startIdentity({ bootstrapAdmin: true });
    try {
      expect(identity.platform.readiness.pending).toEqual([]);
      const path = adminTokenPath(identity.platform.dataDirectory);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const { secretSha256 } = parseToken((await readFile(path, 'utf8')).trim()) ?? {};
      const { rows } = await identity.platform
        .database('identity')
        .pool.query<{ user_id: string }>('select user_id from users');
      await eventually(() =>
        expect(identity.state(`user:${rows[0]?.user_id}`)).toMatchObject({
          roles: ['admin'],
          keys: [{ secretSha256 }],
        }),
      );
    } finally {
      await identity.stop();
    }
  });
});
