import { randomUUID } from 'node:crypto';
import { topics, type AuditRecord } from '@gatehouse/event-catalog';
import type { OutgoingMessage } from '@gatehouse/event-sourcing';
import {
  createLogger,
  createSealingKeyIfAbsent,
  migrate,
  openServiceDatabase,
  seal,
} from '@gatehouse/platform';
import { startTestPlatform } from '@gatehouse/platform/testing';
import { eventually, freshDatabase } from '@gatehouse/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditMigrations } from '../migrations.ts';
import type { IncomingRecord } from './incoming-record.ts';
import { revealArguments } from './reveal-arguments.query.ts';
import { sampleRecord } from './sample-record.ts';
import { searchTrail } from './search-trail.query.ts';
import { sequenceRecords } from './sequence-records.ts';
import { StoreRecordsWhenGatesPublish } from './store-records-when-gates-publish.reactor.ts';
import { verifyTrail } from './verify-trail.ts';

const schemas = [auditMigrations];

/** A platform with an empty trail. */
async function emptyTrail() {
  const test = await startTestPlatform({ schemas });
  const database = test.platform.database('audit');
  // One connection, so that what is set for the session holds.
  const asOwner = openServiceDatabase('audit', test.ownerUrl, test.platform.log, 1);
  const owner = asOwner.pool;
  const offsets = new Map<number, number>();
  return {
    ...test,
    database,
    owner,
    async store(...records: AuditRecord[]) {
      const incoming: IncomingRecord[] = records.map((record) => ({
        record,
        body: JSON.stringify(record),
      }));
      const nextOffset = (offsets.get(0) ?? 0) + records.length;
      offsets.set(0, nextOffset);
      return sequenceRecords(database, incoming, {
        topic: topics.auditRaw.name,
        partition: 0,
        nextOffset,
      });
    },
    search: (
      filter: Parameters<typeof searchTrail>[1]['filter'] = {},
      first = 500,
      after: string | null = null,
    ) => searchTrail(database, { filter, first, after }),
    async indexes() {
      const { rows } = await owner.query<{ index: number; id: string }>(
        'select index, id from audit.record order by index',
      );
      return rows;
    },
    async stop() {
      await asOwner.close();
      await test.stop();
    },
  };
}
type Trail = Awaited<ReturnType<typeof emptyTrail>>;

const toMessage = (record: unknown, key: string): OutgoingMessage => ({
  key,
  value: Buffer.from(JSON.stringify(record)),
  headers: {},
});
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the trail, fed by the bus', () => {
  let trail: Trail;
  beforeAll(async () => void (trail = await emptyTrail()));
  afterAll(() => trail.stop());
  const publish = (...records: AuditRecord[]) =>
    trail.platform.bus.publish(
      topics.auditRaw,
      records.map((record) => toMessage(record, record.source)),
    );
  const from = (source: string, first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, i) =>
      sampleRecord({ source, sequence: first + i }),
    );
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    const reactor = new StoreRecordsWhenGatesPublish(trail.platform);
    await reactor.start();
    try {
      await work();
    } finally {
      await reactor.stop();
    }
  };

  test('stores what many gates publish in one gapless order, each record once, though relayed twice', async () => {
    await run(async () => {
      await Promise.all([
        publish(...from('a', 1, 40)),
        publish(...from('b', 1, 40)),
        publish(...from('c', 1, 40)),
      ]);
      await Promise.all([
        publish(...from('a', 20, 60)),
        publish(...from('b', 1, 60)),
        publish(...from('c', 41, 60)),
      ]);
      await eventually(async () => expect(await trail.indexes()).toHaveLength(180));
    });
    const rows = await trail.indexes();
    expect(rows.map(({ index }) => index)).toEqual(upTo(180));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(180);
    expect((await trail.owner.query('select * from audit.gap')).rows).toEqual([]);
  });

  test('goes on where it stopped, and takes nothing twice when the bus forgets', async () => {
    await publish(...from('a', 61, 70));
    await run(() => eventually(async () => expect(await trail.indexes()).toHaveLength(190)));
    // As after a restore: every record comes again.
    await trail.owner.query('update audit.bus_cursor set next_offset = 0');
    await publish(...from('b', 61, 61));
    await run(() => eventually(async () => expect(await trail.indexes()).toHaveLength(191)));
  });

  test('writes a gap down, and stores what came behind it', async () => {
    await publish(
      sampleRecord({ source: 'a', sequence: 75 }),
      sampleRecord({ source: 'new', sequence: 3 }),
    );
    await run(() => eventually(async () => expect(await trail.indexes()).toHaveLength(193)));
    const { rows } = await trail.owner.query(
      'select source, first_missing, last_missing from audit.gap order by source',
    );
    expect(rows).toEqual([
      { source: 'a', first_missing: 71, last_missing: 74 },
      { source: 'new', first_missing: 1, last_missing: 2 },
    ]);
  });

  test('stands still on what is no record, keeps what came before it, and says so', async () => {
    const source = 'garbled';
    await trail.platform.bus.publish(topics.auditRaw, [
      toMessage(sampleRecord({ source, sequence: 1 }), source),
      toMessage({ ...sampleRecord({ source, sequence: 2 }), phase: 'nonsense' }, source),
      toMessage(sampleRecord({ source, sequence: 3 }), source),
    ]);
    await run(async () => {
      await eventually(async () => expect(await trail.indexes()).toHaveLength(194), {
        timeoutMs: 10_000,
      });
      await eventually(
        async () => expect((await trail.platform.bus.health()).healthy).toBe(false),
        { timeoutMs: 10_000 },
      );
    });
    expect(await trail.indexes()).toHaveLength(194);
  });
});

describe('two writers of one trail', () => {
  test('take turns, so that indexes stay gapless and every record is there once', async () => {
    const trail = await emptyTrail();
    const write = async (source: string): Promise<void> => {
      for (let sequence = 1; sequence <= 30; sequence += 1)
        await trail.store(sampleRecord({ source, sequence }));
    };
    // The last two are one gate, heard by both after a rebalance.
    await Promise.all(['a', 'b', 'c', 'c'].map(write));
    expect((await trail.indexes()).map(({ index }) => index)).toEqual(upTo(90));
    expect((await trail.owner.query('select * from audit.gap')).rows).toEqual([]);
    await verifyTrail(trail.database);
    await trail.stop();
  });
});

describe('the trail is append-only', () => {
  let trail: Trail;
  beforeAll(async () => {
    trail = await emptyTrail();
    await trail.store(sampleRecord(), sampleRecord({ sequence: 3 }));
  });
  afterAll(() => trail.stop());

  const changes = [
    "update audit.record set body = '{}'",
    'delete from audit.record',
    'truncate audit.record',
    'update audit.record_from_0 set tool = null',
    'delete from audit.record_from_0',
    'truncate audit.record_from_0',
    'update audit.gap set last_missing = 0',
    'delete from audit.gap',
    'truncate audit.gap',
  ];

  test.for(changes)('for the service’s own role: %s', async (sql) => {
    await expect(trail.database.pool.query(sql)).rejects.toMatchObject({ code: '42501' });
  });

  test.for([
    'insert into audit.record_from_0 (index) values (9)',
    'alter table audit.record disable trigger all',
    'drop table audit.record',
    'drop trigger append_only_row on audit.record',
    'set session_replication_role = replica',
    'set role gatehouse_audit_owner',
    'delete from audit.source_cursor',
    'delete from audit.log_state',
    'create table audit.record_2 ()',
  ])('and there is no way around for it: %s', async (sql) => {
    await expect(trail.database.pool.query(sql)).rejects.toMatchObject({
      code: expect.stringMatching(/42501|42P01/) as string,
    });
  });

  test.for(changes)('for a superuser in replica mode: %s', async (sql) => {
    await trail.owner.query('set session_replication_role = replica');
    await expect(trail.owner.query(sql)).rejects.toThrow('the audit trail is append-only');
    await trail.owner.query('set session_replication_role = origin');
    expect(await trail.indexes()).toHaveLength(2);
  });

  test('and is owned by a role that nobody logs in as', async () => {
    const { rows } = await trail.owner.query(
      `select distinct rolname, rolcanlogin from pg_class join pg_roles on pg_roles.oid = relowner
       where relnamespace = 'audit'::regnamespace and relkind in ('r', 'p')`,
    );
    expect(rows).toEqual([{ rolname: 'gatehouse_audit_owner', rolcanlogin: false }]);
  });

  test('and refers to nothing: what it names may be renamed and deleted', async () => {
    const { rows } = await trail.owner.query(
      `select conname from pg_constraint where contype = 'f' and connamespace = 'audit'::regnamespace`,
    );
    expect(rows).toEqual([]);
  });

  test('and is not written on once it was cut', async () => {
    await verifyTrail(trail.database);
    await trail.owner.query(
      'alter table audit.record disable trigger all; alter table audit.record_from_0 disable trigger all',
    );
    await trail.owner.query('delete from audit.record where index = 1');
    await expect(verifyTrail(trail.database)).rejects.toThrow(
      /holds 1 records where its state says 2/,
    );
    await trail.owner.query('grant update on audit.record to gatehouse_audit');
    await expect(verifyTrail(trail.database)).rejects.toThrow(/must not have that right/);
  });
});

describe('the trail of a managed PostgreSQL', () => {
  test('comes to head for an owner that is no superuser, and is as hard to change', async () => {
    const database = await freshDatabase();
    const name = `managed_${randomUUID().replaceAll('-', '')}`;
    const log = createLogger({ service: 'test', level: 'silent' });
    const superuser = openServiceDatabase('audit', database.url, log, 1);
    await superuser.pool.query(`create role ${name} login createrole password 'p'`);
    await superuser.pool.query(
      `alter database ${new URL(database.url).pathname.slice(1)} owner to ${name}`,
    );
    const as = (user: string): string =>
      Object.assign(new URL(database.url), { username: user, password: 'p' }).href;
    await migrate(as(name), [{ ...auditMigrations, role: `${name}_audit`, password: 'p' }]);
    const service = openServiceDatabase('audit', as(`${name}_audit`), log, 1);
    const place = { topic: 't', partition: 0, nextOffset: 1 };
    const record = sampleRecord();
    await sequenceRecords(service, [{ record, body: JSON.stringify(record) }], place);
    await verifyTrail(service);
    const migrator = openServiceDatabase('audit', as(name), log, 1);
    for (const { pool } of [service, migrator]) {
      await expect(pool.query('delete from record')).rejects.toMatchObject({ code: '42501' });
    }
    for (const open of [service, migrator, superuser]) await open.close();
    await database.drop();
  });
});

describe('searching the trail', () => {
  let trail: Trail;
  let sequence = 0;
  beforeAll(async () => void (trail = await emptyTrail()));
  afterAll(() => trail.stop());
  const record = (given: Partial<AuditRecord>) =>
    sampleRecord({ ...given, sequence: (sequence += 1) });

  test('shows a request once: its intent as unknown until its outcome is there', async () => {
    const request = { requestId: randomUUID(), tool: 'write_file', toolClass: 'write' } as const;
    await trail.store(record({ ...request, phase: 'intent', outcome: 'ok' }));
    const [open] = (await trail.search({ tool: 'write_file' })).rows;
    expect(open?.record).toMatchObject({ phase: 'intent', outcome: 'unknown' });
    expect((await trail.search({ outcome: 'unknown' })).rows).toHaveLength(1);
    await trail.store(record({ ...request, outcome: 'tool-error' }));
    const { rows } = await trail.search({ tool: 'write_file' });
    expect(rows.map(({ record: r }) => [r.phase, r.outcome])).toEqual([['outcome', 'tool-error']]);
    expect((await trail.search({ outcome: 'unknown' })).rows).toEqual([]);
  });

  test('lets no gate settle the request of another, though it names the same', async () => {
    const request = { requestId: randomUUID(), tool: 'two_gates', toolClass: 'write' } as const;
    await trail.store(record({ ...request, phase: 'intent', outcome: 'ok' }));
    const elsewhere = { ...request, source: randomUUID(), outcome: 'ok' } as const;
    await trail.store(sampleRecord({ ...elsewhere, sequence: 1 }));
    const open = (await trail.search({ tool: 'two_gates', outcome: 'unknown' })).rows;
    expect(open.map(({ record: r }) => r.phase)).toEqual(['intent']);
  });

  test('filters by each thing an auditor asks for', async () => {
    const odd = record({
      at: '2026-02-01T00:00:00.000Z',
      method: 'resources/read',
      principal: { kind: 'user', id: 'user-9', name: 'Zoë', keyId: 'k', roles: [] },
      server: 'odd-server',
      tool: 'odd-tool',
      decision: 'deny',
      outcome: 'refused',
      reason: { code: 'tool-off', text: 'Off.' },
      client: { name: 'odd-client\0', version: '1' },
      clientIp: '10.0.0.9',
      sessionRef: 'session-9',
      durationMs: 60_000.5,
      traceId: '0af7651916cd43dd8448eb211c80319c',
    });
    await trail.store(odd, record({}), record({ client: null, durationMs: 0.01 }));
    const filters = [
      { principalId: 'user-9' },
      { principalName: 'Zoë' },
      { server: 'odd-server' },
      { tool: 'odd-tool' },
      { method: 'resources/read' },
      { decision: 'deny' },
      { outcome: 'refused' },
      { reasonCode: 'tool-off' },
      { clientName: 'odd-client\0' },
      { clientIp: '10.0.0.9' },
      { sessionRef: 'session-9' },
      { traceId: '0af7651916cd43dd8448eb211c80319c' },
      { minDurationMs: 60_000.5 },
      { minDurationMs: 60_000, maxDurationMs: 60_001 },
      { from: '2026-02-01T00:00:00.000Z' },
      { from: '2026-01-15T00:00:00.000Z', to: '2026-02-01T00:00:00.001Z' },
    ] as const;
    for (const filter of filters)
      expect((await trail.search(filter)).rows.map(({ record: r }) => r)).toEqual([odd]);
    expect(
      (await trail.search({ from: '2026-01-15T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' }))
        .rows,
    ).toEqual([]);
    expect((await trail.search({ principalId: 'user-9', tool: 'read_file' })).rows).toEqual([]);
    const quick = (await trail.search({ maxDurationMs: 0.01 })).rows;
    expect(quick.map(({ record: r }) => r.durationMs)).toEqual([0.01]);
  });

  test('gives back exactly what the gate wrote, also what SQL finds hard to hold', async () => {
    const odd = record({
      tool: 'nul\0half\ud800 ',
      userAgent: '\0',
      reason: { code: 'x', text: '日本\u2028"\\' },
    });
    await trail.store(odd);
    const { rows } = await trail.search({ tool: 'nul\0half\ud800 ' });
    expect(rows.map(({ record: r }) => r)).toEqual([odd]);
  });

  test('ends a page early rather than hold too much at once', async () => {
    const heavy = (): AuditRecord =>
      record({
        server: 'heavy',
        argumentsSealed: { keyId: 'k', iv: 'i', tag: 't', ciphertext: 'x'.repeat(900_000) },
      });
    for (let n = 0; n < 12; n += 1) await trail.store(heavy());
    const first = await trail.search({ server: 'heavy' }, 500);
    expect(first.rows.length).toBeLessThan(12);
    expect(first.hasNextPage).toBe(true);
    const second = await trail.search({ server: 'heavy' }, 500, first.endCursor);
    expect(first.rows.length + second.rows.length).toBe(12);
    expect(second.hasNextPage).toBe(false);
  });

  test('takes back only its own cursors, and only for the same question', async () => {
    const { endCursor } = await trail.search({ server: 'files' }, 1);
    expect((await trail.search({ server: 'files' }, 1, endCursor)).rows).toHaveLength(1);
    const flipped = Buffer.from(endCursor ?? '', 'base64url');
    flipped[2]! ^= 1;
    const beyond = Buffer.from('1.999999.3.0000000000000000').toString('base64url');
    const wrong = [
      '',
      'x',
      '💥',
      `${endCursor}=`,
      `${endCursor}A`,
      flipped.toString('base64url'),
      beyond,
    ];
    for (const cursor of wrong) {
      await expect(trail.search({ server: 'files' }, 1, cursor)).rejects.toMatchObject({
        code: 'cursor-invalid',
      });
    }
    await expect(trail.search({}, 1, endCursor)).rejects.toMatchObject({ code: 'cursor-invalid' });
  });

  test('answers an empty trail with an empty page', async () => {
    expect(await trail.search({ tool: 'nobody-calls-this' })).toEqual({
      rows: [],
      endCursor: null,
      hasNextPage: false,
    });
  });

  test('pages as if the log stood still: for any page sizes and arrivals between pages, all of it, newest first, once', async () => {
    const step = fc.record({
      arrivals: fc.array(
        fc.record({
          request: fc.nat(30),
          minute: fc.nat(9),
          phase: fc.constantFrom('intent', 'outcome'),
        } as const),
        { maxLength: 8 },
      ),
      first: fc.integer({ min: 1, max: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), async (steps) => {
        const server = randomUUID();
        const arrive = (arrivals: (typeof steps)[number]['arrivals']) =>
          trail.store(
            ...arrivals.map(({ request, minute, phase }) =>
              record({
                server,
                phase,
                requestId: `${server}/${request}`,
                at: `2026-01-01T12:0${minute}:00.000Z`,
              }),
            ),
          );
        await arrive(steps.flatMap(({ arrivals }) => arrivals));
        const whole = (await trail.search({ server })).rows;
        const shown = whole.map(({ record: r }) => r.requestId);
        expect(new Set(shown).size).toBe(shown.length);
        const order = whole.map(({ index, record: r }) => ({ at: r.at, index }));
        expect(order).toEqual(
          order.toSorted((a, b) => (a.at === b.at ? b.index - a.index : a.at < b.at ? 1 : -1)),
        );
        const open = whole.filter(({ record: r }) => r.outcome === 'unknown');
        expect((await trail.search({ server, outcome: 'unknown' })).rows).toEqual(open);

        const searches = [
          { filter: { server }, expected: whole },
          { filter: { server, outcome: 'unknown' }, expected: open },
        ] as const;
        const begun = await Promise.all(
          searches.map(({ filter }) => trail.search(filter, steps[0]?.first)),
        );
        for (const [which, { filter, expected }] of searches.entries()) {
          let page = begun[which] as Awaited<ReturnType<Trail['search']>>;
          const paged = [...page.rows];
          for (let n = 1; page.hasNextPage; n += 1) {
            const { arrivals, first } = steps[n % steps.length] as (typeof steps)[number];
            await arrive(arrivals);
            page = await trail.search(filter, first, page.endCursor);
            paged.push(...page.rows);
          }
          expect(paged).toEqual(expected);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('revealing sealed arguments', () => {
  let trail: Trail;
  beforeAll(async () => void (trail = await emptyTrail()));
  afterAll(() => trail.stop());
  const code = (name: string) => ({ code: name }) as const;

  test('opens them with the key that sealed them, and with no other', async () => {
    const path = `${trail.platform.dataDirectory}/audit.key`;
    const other = `${trail.platform.dataDirectory}/other.key`;
    const key = await createSealingKeyIfAbsent(path);
    await createSealingKeyIfAbsent(other);
    const { sealed } = seal(key, 'spool-1-1', { path: '/etc/passwd' });
    await trail.store(
      sampleRecord({ argumentsSealed: sealed }),
      sampleRecord({ sequence: 2 }),
      sampleRecord({ sequence: 3, argumentsSealed: sealed }),
    );
    const reveal = (id: string, ...keyFiles: string[]) =>
      revealArguments(trail.database, keyFiles, { id });

    expect(await reveal('spool-1-1', `${path}.missing`, other, path)).toEqual({
      arguments: { path: '/etc/passwd' },
    });
    expect(await reveal('spool-1-2', path)).toEqual({ arguments: null });
    await expect(reveal('spool-1-1', other)).rejects.toMatchObject(code('audit-key-missing'));
    await expect(reveal('nobody', path)).rejects.toMatchObject(code('audit-record-unknown'));
    // Sealed for record 1, it does not open as record 3's.
    await expect(reveal('spool-1-3', path)).rejects.toThrow();
  });
});
