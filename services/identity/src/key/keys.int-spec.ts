import { parseToken } from '@gatehouse/principal-directory';
import { eventually } from '@gatehouse/testing';
import { handleCommand } from '@gatehouse/event-sourcing';
import { openServiceDatabase, PostgresEventStore } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardedDirectory } from '../directory/guarded-directory.ts';
import { loadPrincipals } from '../directory/load-principals.query.ts';
import { startIdentity, type RunningIdentity } from '../test/start-identity.ts';
import { keyDecider, keyStream } from './key.decider.ts';
import { rotateKey } from './rotate-key.command.ts';

let identity: RunningIdentity;
beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity?.stop());

let count = 0;
async function agent() {
  const name = `agent-${(count += 1)}`;
  const { result } = await identity.send('register-agent', {
    name,
    description: '',
    ownerUserId: null,
  });
  return { kind: 'agent', id: result.agentId } as const;
}

async function issue(principal: { kind: 'user' | 'agent'; id: string }, expiresAt?: string) {
  const command = { principal, label: 'ci', expiresAt: expiresAt ?? null };
  return (await identity.send('issue-key', command)).result;
}

const keysOf = (id: string) => {
  const state = identity.state(`agent:${id}`);
  return state?.kind === 'agent' ? state.keys : undefined;
};
const digestOf = (token: string) => parseToken(token)?.secretSha256;
const refusal = (code: string) => expect.objectContaining({ code });
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const context = {
  actor: { kind: 'user', id: 'ada', name: 'Ada' },
  now: new Date(),
  correlationId: 'test',
} as const;

describe('issuing a key', () => {
  it('answers a token whose digest, and nothing more, reaches the gateways', async () => {
    const principal = await agent();
    const expiresAt = inAnHour();
    const { keyId, token } = await issue(principal, expiresAt);
    expect(parseToken(token)?.keyId).toBe(keyId);
    await eventually(() =>
      expect(keysOf(principal.id)).toEqual([
        { keyId, secretSha256: digestOf(token), notAfter: expiresAt },
      ]),
    );
  });

  it('keeps the token nowhere in the database', async () => {
    const principal = await agent();
    const { token } = await issue(principal);
    await eventually(() => expect(keysOf(principal.id)).toHaveLength(1));
    const secret = token.split('_')[2] ?? '';
    const { test, platform } = identity;
    const everything = openServiceDatabase('identity', test.ownerUrl, platform.log);
    try {
      const { rows } = await everything.pool.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables
         where schemaname in ('identity', 'bus')`,
      );
      expect(rows.length).toBeGreaterThan(8);
      for (const { name } of rows) {
        const found = await everything.pool.query(
          `select from ${name} as t where position($1 in t::text) > 0
             or position(encode(convert_to($1, 'UTF8'), 'hex') in t::text) > 0`,
          [secret.slice(0, 40)],
        );
        expect([name, found.rowCount]).toEqual([name, 0]);
      }
    } finally {
      await everything.close();
    }
  });

  it('is refused for whoever is not there or locked out', async () => {
    await expect(issue({ kind: 'user', id: 'nobody' })).rejects.toEqual(refusal('user-unknown'));
    await expect(issue({ kind: 'agent', id: 'nobody' })).rejects.toEqual(refusal('agent-unknown'));
    const principal = await agent();
    await identity.send('disable-agent', { agentId: principal.id, reason: 'odd' });
    await expect(issue(principal)).rejects.toEqual(refusal('agent-disabled'));
    const { userId } = (
      await identity.send('provision-user', { userName: 'ada', displayName: 'Ada', email: null })
    ).result;
    const owned = await identity.send('register-agent', {
      name: 'owned',
      description: '',
      ownerUserId: userId,
    });
    await identity.send('deactivate-user', { userId, reason: 'left' });
    await expect(issue({ kind: 'user', id: userId })).rejects.toEqual(refusal('user-deactivated'));
    await expect(issue({ kind: 'agent', id: owned.result.agentId })).rejects.toEqual(
      refusal('user-deactivated'),
    );
  });

  it('is refused with an expiry that is past', async () => {
    await expect(issue(await agent(), '2020-01-01T00:00:00.000Z')).rejects.toEqual(
      refusal('key-expiry-past'),
    );
  });
});

describe('a key that ended by itself', () => {
  it('is known to the gateways for thirty days more, so that the record says why', async () => {
    const principal = await agent();
    const { keyId } = await issue(principal, inAnHour());
    await issue(principal);
    const keysAfter = async (days: number) => {
      const now = new Date(Date.now() + days * 86_400_000);
      const database = identity.platform.database('identity');
      const key = `agent:${principal.id}`;
      const state = (await loadPrincipals(database, [key], now)).get(key);
      return state?.kind === 'agent' ? state.keys.map(({ keyId }) => keyId) : [];
    };
    expect(await keysAfter(29)).toContain(keyId);
    expect(await keysAfter(31)).not.toContain(keyId);
    expect(await keysAfter(31)).toHaveLength(1);
  });
});

describe('revoking a key', () => {
  it('takes it from the gateways, once', async () => {
    const principal = await agent();
    const [one, other] = [await issue(principal), await issue(principal)];
    const first = await identity.send('revoke-key', { keyId: one.keyId, reason: 'leaked' });
    expect(await identity.send('revoke-key', { keyId: one.keyId, reason: 'again' })).toEqual(first);
    await eventually(() =>
      expect(keysOf(principal.id)?.map(({ keyId }) => keyId)).toEqual([other.keyId]),
    );
  });

  it('that is not there is refused', async () => {
    await expect(identity.send('revoke-key', { keyId: 'nothing', reason: 'x' })).rejects.toEqual(
      refusal('key-unknown'),
    );
  });
});

describe('rotating a key', () => {
  it('puts a successor beside it and ends it with the overlap', async () => {
    const principal = await agent();
    const old = await issue(principal, inAnHour());
    const fresh = (await identity.send('rotate-key', { keyId: old.keyId, overlapSeconds: 60 }))
      .result;
    await eventually(() => {
      const keys = new Map(keysOf(principal.id)?.map((key) => [key.keyId, key]));
      expect([...keys.keys()].toSorted()).toEqual([old.keyId, fresh.keyId].toSorted());
      const overlap = Date.parse(keys.get(old.keyId)?.notAfter ?? '') - Date.now();
      expect(overlap).toBeGreaterThan(30_000);
      expect(overlap).toBeLessThanOrEqual(60_000);
      expect(keys.get(fresh.keyId)?.secretSha256).toBe(digestOf(fresh.token));
      expect(keys.get(fresh.keyId)?.notAfter).toBe(fresh.expiresAt);
    });
    await expect(
      identity.send('rotate-key', { keyId: old.keyId, overlapSeconds: 60 }),
    ).rejects.toEqual(refusal('key-ended'));
  });

  it('never lengthens the life of the old key', async () => {
    const principal = await agent();
    const expiresAt = inAnHour();
    const old = await issue(principal, expiresAt);
    await identity.send('rotate-key', { keyId: old.keyId, overlapSeconds: 86_400 });
    await eventually(() => {
      expect(keysOf(principal.id)).toHaveLength(2);
      expect(keysOf(principal.id)).toContainEqual(
        expect.objectContaining({ keyId: old.keyId, notAfter: expiresAt }),
      );
    });
  });

  it('twice at the same moment leaves one successor', async () => {
    const principal = await agent();
    const old = await issue(principal);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 4 }, () =>
        identity.send('rotate-key', { keyId: old.keyId, overlapSeconds: 0 }),
      ),
    );
    const won = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value.result.keyId] : [],
    );
    expect(won).toHaveLength(1);
    const { rows } = await identity.platform
      .database('identity')
      .pool.query<{ key_id: string }>(
        'select key_id from keys where rotated_from = $1 and revoked_at is null',
        [old.keyId],
      );
    expect(rows.map((row) => row.key_id)).toEqual(won);
    await eventually(() =>
      expect(
        keysOf(principal.id)
          ?.map(({ keyId }) => keyId)
          .toSorted(),
      ).toEqual([old.keyId, ...won].toSorted()),
    );
  });

  it('that breaks off half way leaves the old key as it was and opens nothing new', async () => {
    const principal = await agent();
    const old = await issue(principal);
    const store = new PostgresEventStore(identity.platform.database('identity'), [
      guardedDirectory,
    ]);
    const breaking = Object.assign(Object.create(store) as PostgresEventStore, {
      readStream: (stream: string, after?: number) => store.readStream(stream, after),
      append: (...[stream, version, events]: Parameters<typeof store.append>) => {
        if (stream === keyStream(old.keyId)) throw new Error('the power failed');
        return store.append(stream, version, events);
      },
    });
    await expect(
      rotateKey(breaking)({ keyId: old.keyId, overlapSeconds: 0 }, context),
    ).rejects.toThrow('the power failed');
    const half = await identity.platform
      .database('identity')
      .pool.query<{ key_id: string }>('select key_id from keys where rotated_from = $1', [
        old.keyId,
      ]);
    expect(half.rowCount).toBe(1);
    const other = await issue(principal);
    await eventually(() =>
      expect(new Map(keysOf(principal.id)?.map((key) => [key.keyId, key.notAfter]))).toEqual(
        new Map([
          [old.keyId, null],
          [other.keyId, null],
        ]),
      ),
    );
    const again = await identity.send('rotate-key', { keyId: old.keyId, overlapSeconds: 0 });
    await eventually(() =>
      expect(keysOf(principal.id)?.map(({ keyId }) => keyId)).toContain(again.result.keyId),
    );
    expect(keysOf(principal.id)?.map(({ keyId }) => keyId)).not.toContain(half.rows[0]?.key_id);
  });

  it('of a key that has ended, or was never there, issues nothing', async () => {
    const principal = await agent();
    const old = await issue(principal);
    await identity.send('revoke-key', { keyId: old.keyId, reason: 'leaked' });
    const head = () =>
      identity.platform.database('identity').pool.query('select * from event_head');
    const before = (await head()).rows;
    for (const [keyId, code] of [
      [old.keyId, 'key-ended'],
      ['nothing', 'key-unknown'],
    ] as const) {
      await expect(identity.send('rotate-key', { keyId, overlapSeconds: 0 })).rejects.toEqual(
        refusal(code),
      );
    }
    expect((await head()).rows).toEqual(before);
  });

  it('is refused to whoever is locked out', async () => {
    const principal = await agent();
    const old = await issue(principal);
    await identity.send('disable-agent', { agentId: principal.id, reason: 'odd' });
    await expect(
      identity.send('rotate-key', { keyId: old.keyId, overlapSeconds: 0 }),
    ).rejects.toEqual(refusal('agent-disabled'));
  });
});

describe('a key for somebody who is being locked out', () => {
  it('is issued before or refused, never afterwards', async () => {
    const store = new PostgresEventStore(identity.platform.database('identity'), [
      guardedDirectory,
    ]);
    const principal = await agent();
    await identity.send('disable-agent', { agentId: principal.id, reason: 'odd' });
    const issueLate = handleCommand(
      store,
      keyDecider,
      keyStream('late'),
      {
        type: 'issue-key',
        keyId: 'late',
        principal,
        label: 'x',
        secretSha256: 'x',
        expiresAt: null,
        rotatedFrom: null,
      },
      context,
    );
    await expect(issueLate).rejects.toBeInstanceOf(Refusal);
    expect(await store.readStream(keyStream('late'))).toEqual([]);
  });
});
