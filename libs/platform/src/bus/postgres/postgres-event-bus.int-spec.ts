import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { OutgoingMessage } from '@gatehouse/event-sourcing';
import {
  eventually,
  freshDatabase,
  startTcpProxy,
  startThrowAwayPostgres,
  type FreshDatabase,
} from '@gatehouse/testing';
import { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { platformMigrations } from '../../database/platform-migrations.ts';
import { migrate } from '../../database/migrate.ts';
import { createLogger } from '../../log/logger.ts';
import {
  describeEventBusContract,
  type BusHarness,
  type BusUnderTest,
  type MemberProcess,
} from '../bus.contract.ts';
import type { BusTiming } from '../bus-timing.ts';
import { startMemberProcess } from '../start-member.contract.ts';
import { PostgresEventBus } from './postgres-event-bus.ts';
import { prune } from './retention.ts';
import { replayDeadLetters } from './replay-dead-letters.ts';

const log = createLogger({ service: 'contract', level: 'silent' });
const timing: Partial<BusTiming> = {
  heartbeatMs: 300,
  leaseMs: 1_500,
  retryFirstMs: 10,
  retryCapMs: 200,
  stallRetryMs: 100,
};

function poolOf(url: string, max = 4): Pool {
  const pool = new Pool({ connectionString: url, max });
  pool.on('error', () => undefined);
  return pool;
}

async function connect(url: string, leaseMs = timing.leaseMs!): Promise<BusUnderTest> {
  const direct = new URL(url);
  const proxy = await startTcpProxy(Number(direct.port));
  direct.port = String(proxy.port);
  const pool = poolOf(direct.href);
  const alarms: string[] = [];
  const bus = new PostgresEventBus({
    pool,
    log,
    timing: { ...timing, leaseMs },
    onAlarm: (alarm) => alarms.push(alarm),
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await bus.close();
    await pool.end();
    await proxy.stop();
  };
  return {
    bus,
    alarms,
    isolate: () => proxy.freeze(),
    reconnect: () => proxy.thaw(),
    loseNextAck: () => proxy.loseNextAnswer((request) => request.includes('bus.append')),
    close: () => (closing ??= close()),
  };
}

const startMember = (...args: [url: string, group: string, topic: string]) =>
  startMemberProcess(new URL('member-process.contract.ts', import.meta.url), ...args);

async function makeHarness(): Promise<BusHarness> {
  const postgres = await startThrowAwayPostgres();
  const ownerUrl = await postgres.createDatabase();
  await migrate(ownerUrl, [
    { schema: 'bus', role: 'gatehouse_bus', password: 'bus', folders: [platformMigrations.bus] },
  ]);
  const asRole = new URL(ownerUrl);
  asRole.username = 'gatehouse_bus';
  asRole.password = 'bus';
  const url = asRole.href;
  const admin = poolOf(ownerUrl, 1);
  const members: MemberProcess[] = [];
  return {
    deadAfterMs: timing.leaseMs!,
    connect: (deadAfterMs) => connect(url, deadAfterMs),
    async startMember(group, topic) {
      const member = await startMember(url, group, JSON.stringify(topic));
      members.push(member);
      return member;
    },
    restartBroker: () => postgres.restart(),
    async discardBefore({ name }, partition, offset) {
      await admin.query(
        'update bus.topic_partition set low = $3 where topic = $1 and partition = $2',
        [name, partition, offset],
      );
      await admin.query(
        'delete from bus.message where topic = $1 and partition = $2 and "offset" < $3',
        [name, partition, offset],
      );
    },
    replayDeadLetters: (bus, topic) => replayDeadLetters(bus, admin, topic),
    async close() {
      await Promise.all(members.map((member) => member.kill()));
      await admin.end();
      await postgres.stop();
    },
  };
}

describeEventBusContract('the PostgreSQL log', makeHarness);

const topicOf = (name: string, options: Partial<TopicDefinition> = {}): TopicDefinition => ({
  name,
  partitions: 1,
  compacted: false,
  security: false,
  retentionMs: null,
  ...options,
});
const message = (key: string | null, value: string | null): OutgoingMessage => ({
  key,
  value: value === null ? null : Buffer.from(value),
  headers: {},
});

describe('the PostgreSQL log', () => {
  let database: FreshDatabase;
  let admin: Pool;
  let cleanUp: (() => Promise<unknown>)[];

  beforeEach(async () => {
    database = await freshDatabase();
    cleanUp = [() => database.drop()];
    admin = start(
      () => poolOf(database.url, 1),
      (pool) => pool.end(),
    );
    await migrate(database.url, [
      {
        schema: 'bus',
        role: 'gatehouse_bus_spec',
        password: 'bus',
        folders: [platformMigrations.bus],
      },
    ]);
  });
  afterEach(async () => {
    for (const clean of cleanUp.toReversed()) await clean();
  });

  function start<T>(make: () => T, stop: (it: T) => Promise<unknown>): T {
    const made = make();
    cleanUp.push(() => stop(made));
    return made;
  }
  function startBus(
    options: { timing?: Partial<BusTiming>; connections?: number } = {},
  ): PostgresEventBus {
    const pool = start(
      () => poolOf(database.url, options.connections ?? 4),
      (one) => one.end(),
    );
    return start(
      () => new PostgresEventBus({ pool, log, ...options }),
      (bus) => bus.close(),
    );
  }
  const texts = async (sql: string, ...values: unknown[]): Promise<string[]> =>
    (await admin.query<{ text: string }>(sql, values)).rows.map((row) => row.text);
  const listeners = (): Promise<string[]> =>
    texts(
      `select pid::text as text from pg_stat_activity where datname = current_database()
         and (query like 'listen %' or query like 'select pid, backend_start%' or query like 'select pg_notify%')`,
    );

  it('has settled where a new group begins once it is subscribed: what is published then is for it', async () => {
    const bus = startBus();
    for (let round = 1; round <= 10; round += 1) {
      const topic = topicOf(`settled-${round}`);
      const seen: string[] = [];
      await bus.subscribe({
        group: 'g',
        topics: [topic],
        from: 'latest',
        handle: async ({ messages }) =>
          void seen.push(...messages.map((each) => String(each.value))),
      });
      await bus.publish(topic, [message('k', 'mine')]);
      await eventually(() => expect(seen).toEqual(['mine']));
    }
  });

  it('hears of a message of another process without waiting for a poll', async () => {
    const topic = topicOf('heard');
    const [publisher, reader] = [startBus(), startBus({ timing: { pollMs: 60_000 } })];
    let heard = 0;
    await reader.subscribe({
      group: 'g',
      topics: [topic],
      handle: async ({ messages }) => void (heard += messages.length),
    });
    for (let sent = 1; sent <= 20; sent += 1) {
      await publisher.publish(topic, [message('k', 'next')]);
      await eventually(() => expect(heard).toBe(sent), { timeoutMs: 10_000 });
    }
  });

  it('finds messages by polling while its listener is down, and listens again', async () => {
    const topic = topicOf('polled');
    const [publisher, reader] = [startBus(), startBus({ timing: { pollMs: 50 } })];
    const seen: string[] = [];
    await reader.subscribe({
      group: 'g',
      topics: [topic],
      handle: async ({ messages }) => void seen.push(...messages.map(({ value }) => String(value))),
    });
    expect((await reader.health()).detail).toMatch(/^listening/);
    for (const pid of await listeners())
      await admin.query('select pg_terminate_backend($1)', [pid]);
    await eventually(async () => expect((await reader.health()).detail).toMatch(/^polling/), {
      everyMs: 1,
    });
    await publisher.publish(topic, [message('k', 'unannounced')]);
    await eventually(() => expect(seen).toEqual(['unannounced']), { timeoutMs: 150 });
    await eventually(async () => expect((await reader.health()).detail).toMatch(/^listening/));
  });

  it('keeps no transaction open across a handler, and serves many subscriptions by one connection', async () => {
    const bus = startBus({ connections: 1 });
    const topics = Array.from({ length: 8 }, (_, i) => topicOf(`t${i}`, { partitions: 3 }));
    let release!: () => void;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let inHand = 0;
    for (const topic of topics) {
      const handle = async (): Promise<void> => {
        inHand += 1;
        await released;
      };
      await bus.subscribe({ group: topic.name, topics: [topic], handle });
    }
    for (const topic of topics)
      await bus.publish(
        topic,
        [0, 1, 2].map(() => message(null, 'x')),
      );
    await eventually(() => expect(inHand).toBe(24));
    const states = await texts(
      `select state as text from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    expect(states).toEqual(['idle', 'idle']);
    release();
  });

  it('does not deadlock when many append to the same partitions in every order', async () => {
    const topics = Array.from({ length: 4 }, (_, i) =>
      topicOf(`many${i}`, { partitions: 4, compacted: i === 0 }),
    );
    const buses = Array.from({ length: 4 }, () => startBus({ connections: 2 }));
    const appends = buses.flatMap((bus, b) =>
      Array.from({ length: 40 }, (_, i) =>
        Promise.all(
          (b % 2 === 0 ? topics : topics.toReversed()).map((topic) =>
            bus.publish(
              topic,
              [3, 1, 2, 0].map((n) => message(`k${(n + i) % 9}`, `${b}:${i}`)),
            ),
          ),
        ),
      ),
    );
    await Promise.all(appends);
    const [count] = await texts(
      'select count(*)::text as text from bus.message where not compacted',
    );
    expect(count).toBe(String(3 * 4 * 40 * 4));
    const gaps = await texts(`select topic as text from bus.topic_partition p
      where topic <> 'many0' and next_offset <> (select count(*) from bus.message m where m.topic = p.topic and m.partition = p.partition)`);
    expect(gaps).toEqual([]);
  });

  it('fails only the publisher whose message the server refuses', async () => {
    const topic = topicOf('refused');
    const bus = startBus();
    await bus.publish(topic, [message('k', 'warm')]);
    const results = await Promise.allSettled([
      bus.publish(topic, [message('k', 'good')]),
      bus.publish(topic, [message('a\u0000b', 'bad')]),
      bus.publish(topic, [message('k', 'fine')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(
      await texts(`select convert_from(value, 'utf8') as text from bus.message order by "offset"`),
    ).toEqual(['warm', 'good', 'fine']);
  });

  it('keeps one value of a key, and its tombstone for a week', async () => {
    const topic = topicOf('state', { compacted: true });
    const bus = startBus();
    await bus.publish(topic, [message('a', '1'), message('b', '1'), message('a', '2')]);
    await bus.publish(topic, [message('a', null), message('b', '2')]);
    const kept = (): Promise<string[]> =>
      texts(
        `select key || ':' || coalesce(convert_from(value, 'utf8'), 'gone') as text from bus.message order by "offset"`,
      );
    expect(await kept()).toEqual(['a:gone', 'b:2']);
    await admin.query(`update bus.message set at = at - interval '6 days 23 hours'`);
    await bus.publish(topic, [message('c', '1')]);
    expect(await kept()).toEqual(['a:gone', 'b:2', 'c:1']);
    await admin.query(`update bus.message set at = at - interval '2 hours'`);
    await bus.publish(topic, [message('c', '2')]);
    expect(await kept()).toEqual(['b:2', 'c:2']);
    const reader = await bus.readAll(topic, () => undefined);
    await reader.caughtUp;
    await reader.stop();
  });

  it('tells a reader of state that the server was restored to an earlier time', async () => {
    const topic = topicOf('restored', { compacted: true });
    const bus = startBus();
    await bus.publish(topic, [message('a', '1'), message('b', '1'), message('c', '1')]);
    const seen: (string | null)[] = [];
    const reader = await bus.readAll(topic, ({ key }) => void seen.push(key));
    await eventually(() => expect(seen).toEqual(['a', 'b', 'c']));
    await admin.query(`delete from bus.message where "offset" > 0`);
    await admin.query(`update bus.topic_partition set next_offset = 1 where topic = 'restored'`);
    await admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect(await reader.lost).toContain('restored/0@3, outside of 0 to 1');
    await reader.stop();
  });

  it('prunes what is old and handled by every group, nothing else', async () => {
    const topic = topicOf('pruned');
    const bus = startBus();
    const readAllOf = async (group: string): Promise<string[]> => {
      const seen: string[] = [];
      const subscription = await bus.subscribe({
        group,
        topics: [topic],
        handle: async ({ messages }) =>
          void seen.push(...messages.map(({ value }) => String(value))),
      });
      await eventually(() => expect(seen.length).toBeGreaterThan(0));
      await subscription.stop();
      return seen;
    };
    await bus.publish(
      topic,
      ['0', '1', '2'].map((value) => message('k', value)),
    );
    await readAllOf('slow');
    await bus.publish(
      topic,
      ['3', '4'].map((value) => message('k', value)),
    );
    await readAllOf('quick');
    expect(await prune(admin, { pruned: 60_000 })).toBe(0);
    expect(await prune(admin, { pruned: 0 })).toBe(3);
    expect(await readAllOf('new')).toEqual(['3', '4']);
    expect(await prune(admin, { another: 0 })).toBe(0);
  });

  it('takes over from a killed process at once, long before its lease runs out', async () => {
    const topic = topicOf('killed');
    const bus = startBus();
    const member = await startMember(database.url, 'g', JSON.stringify(topic));
    await bus.publish(topic, [message('k', 'hang')]);
    await eventually(() => expect(member.handled).toEqual(['hang']));
    await member.kill();
    const killedAt = performance.now();
    const seen: string[] = [];
    await bus.subscribe({
      group: 'g',
      topics: [topic],
      handle: async ({ messages }) => void seen.push(...messages.map(({ value }) => String(value))),
    });
    await eventually(() => expect(seen).toEqual(['hang']));
    expect(performance.now() - killedAt).toBeLessThan(5_000);
  });
});
