import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { parseToken } from '@gatehouse/principal-directory';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startIdentity, type RunningIdentity } from '../test/start-identity.ts';
import { adminTokenPath } from './admin-token-file.ts';
import { recoverAdministrator } from './recover-administrator.ts';

let identity: RunningIdentity;
let path: string;
beforeEach(async () => {
  identity = await startIdentity({ bootstrapAdmin: true });
  path = adminTokenPath(identity.platform.dataDirectory);
});
afterEach(() => identity?.stop());

const tokenInFile = async () => parseToken((await readFile(path, 'utf8')).trim());
const query = async (sql: string) =>
  (await identity.platform.database('identity').pool.query(sql)).rows as Record<string, string>[];

async function adminId(): Promise<string> {
  const [row] = await query(`select user_id from users where user_name = 'admin'`);
  return row?.['user_id'] ?? 'nobody';
}

async function otherAdministrator(): Promise<string> {
  const profile = { userName: 'ada', displayName: 'Ada', email: null };
  const id = (await identity.send('provision-user', profile)).result.userId;
  await identity.send('assign-role', { assignee: { kind: 'user', id }, role: 'admin' });
  return id;
}

/** What the gateways know: the user `admin` may administer, by the key in the file and no other. */
async function expectRecovered(): Promise<void> {
  const { keyId, secretSha256 } = (await tokenInFile()) ?? {};
  const id = await adminId();
  await eventually(() =>
    expect(identity.state(`user:${id}`)).toMatchObject({
      active: true,
      name: 'admin',
      roles: ['admin'],
      keys: [{ keyId, secretSha256, notAfter: null }],
    }),
  );
}

describe('recovering the administrator', () => {
  it('makes up for a file that was deleted and a key that was revoked', async () => {
    const { keyId = '' } = (await tokenInFile()) ?? {};
    const before = await adminId();
    await identity.send('revoke-key', { keyId, reason: 'lost' });
    await rm(path);
    expect(await recoverAdministrator(identity.platform)).toEqual({ tokenFile: path });
    expect((await tokenInFile())?.keyId).not.toBe(keyId);
    expect(await adminId()).toBe(before);
    await expectRecovered();
  });

  it('writes for the owner of the file alone, in place of what lay there', async () => {
    await writeFile(path, 'old', { mode: 0o644 });
    await recoverAdministrator(identity.platform);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await tokenInFile()).toBeDefined();
  });

  it('ends the key that was lost, but no key that was issued otherwise', async () => {
    const id = await adminId();
    const { keyId } = (
      await identity.send('issue-key', {
        principal: { kind: 'user', id },
        label: 'laptop',
        expiresAt: null,
      })
    ).result;
    await recoverAdministrator(identity.platform);
    await recoverAdministrator(identity.platform);
    const kept = new Set([keyId, (await tokenInFile())?.keyId]);
    await eventually(() => {
      const state = identity.state(`user:${id}`);
      expect(state?.kind === 'user' && new Set(state.keys.map((key) => key.keyId))).toEqual(kept);
    });
  });

  it('brings back an administrator who was deactivated and stripped', async () => {
    await otherAdministrator();
    const userId = await adminId();
    await identity.send('revoke-role', { assignee: { kind: 'user', id: userId }, role: 'admin' });
    await identity.send('deactivate-user', { userId, reason: 'gone' });
    await recoverAdministrator(identity.platform);
    expect(await adminId()).toBe(userId);
    await expectRecovered();
  });

  it('makes a new one where the user of that name has another name now', async () => {
    const userId = await adminId();
    const renamed = { userId, userName: 'root', displayName: 'Root', email: null };
    await identity.send('update-user', renamed);
    await recoverAdministrator(identity.platform);
    expect(await adminId()).not.toBe(userId);
    await expectRecovered();
  });

  it('is written down step by step, by the service and as a recovery', async () => {
    await otherAdministrator();
    const userId = await adminId();
    await identity.send('deactivate-user', { userId, reason: 'gone' });
    await recoverAdministrator(identity.platform);
    const events = await query(
      `select type, actor->>'kind' || ':' || (actor->>'id') as actor from event
       where actor->>'name' = 'recovery' order by position`,
    );
    expect(events).toEqual(
      ['user-reactivated', 'key-issued', 'key-revoked'].map((type) => ({
        type: `identity.${type}.v1`,
        actor: 'service:identity',
      })),
    );
  });
});

describe('recovering before the first start', () => {
  it('leaves the first start nothing to do, also where it had died half way', async () => {
    const pool = identity.platform.database('identity').pool;
    await pool.query('update bootstrap set finished_at = null');
    await recoverAdministrator(identity.platform);
    expect(await query('select 1 from bootstrap where finished_at is null')).toEqual([]);
    await expectRecovered();
  });
});
