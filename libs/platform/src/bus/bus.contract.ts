import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import {
  MessageTooLarge,
  PoisonMessage,
  type EventBus,
  type IncomingMessage,
  type MessageBatch,
  type OutgoingMessage,
  type SubscribeOptions,
  type Subscription,
} from '@gatehouse/event-sourcing';
import { eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exposition } from '../metrics/registry.ts';
import { scraped } from '../testing/scrape.ts';

/** One process's bus with its own wire to the broker, which a test can cut. */
export interface BusUnderTest {
  readonly bus: EventBus;
  /** What a person would have been told. */
  readonly alarms: readonly string[];
  /** Its network goes silent: it lives on, but others take it for dead. */
  isolate(): void;
  reconnect(): void;
  /** The next thing it publishes is stored, but the answer is lost together with the connection. */
  loseNextAck(): void;
  close(): Promise<void>;
}

/** A member in a process of its own: writes down every message it handles, and hangs in its handler on the value `hang`. */
export interface MemberProcess {
  readonly handled: readonly string[];
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** What an adapter brings to be put through the contract. Every hook is needed: no point can be skipped. */
export interface BusHarness {
  /** `deadAfterMs`: how long this bus may be silent before others take it for dead, where not as long as all. */
  connect(deadAfterMs?: number): Promise<BusUnderTest>;
  startMember(group: string, topic: TopicDefinition): Promise<MemberProcess>;
  /** Stops the broker as a crash would, and starts it again on the same data. */
  restartBroker(): Promise<void>;
  /** Removes what lies before the offset, as retention does. */
  discardBefore(topic: TopicDefinition, partition: number, offset: number): Promise<void>;
  replayDeadLetters(bus: EventBus, topic: TopicDefinition): Promise<number>;
  /** The silence after which a member of these buses is taken for dead. */
  readonly deadAfterMs: number;
  close(): Promise<void>;
}

/** So long that what waits for somebody to be taken for dead, when it need not, is told from what is only slow. */
const LONG_MS = 10_000;

const text = ({ value }: OutgoingMessage): string => value?.toString('utf8') ?? 'null';
const message = (
  key: string | null,
  value: string,
  headers: Record<string, string> = {},
): OutgoingMessage => ({
  key,
  value: Buffer.from(value),
  headers,
});
const numbered = (count: number, from = 0, key?: string): OutgoingMessage[] =>
  Array.from({ length: count }, (_, i) =>
    message(key ?? `key-${(from + i) % 7}`, String(from + i)),
  );
const range = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => String(from + i));

function newTopic(options: Partial<TopicDefinition> = {}): TopicDefinition {
  const name = `contract.${randomUUID()}`;
  return {
    name,
    partitions: 3,
    compacted: false,
    security: false,
    retentionMs: null,
    ...options,
  };
}

/** Writes down what its handler was given. */
class Recorder {
  readonly batches: MessageBatch[] = [];

  readonly handle = async (batch: MessageBatch): Promise<void> => {
    this.batches.push(batch);
  };

  get messages(): readonly IncomingMessage[] {
    return this.batches.flatMap((batch) => batch.messages);
  }

  get values(): readonly string[] {
    return this.messages.map(text);
  }

  async receives(values: readonly string[], timeoutMs = 8_000): Promise<void> {
    const wanted = [...values].toSorted();
    await eventually(() => expect([...new Set(this.values)].toSorted()).toEqual(wanted), {
      timeoutMs,
    });
  }
}

class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

/** Mulberry32: chance that can be had again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The promises that services build on, put to an adapter of the bus against its real broker. */
export function describeEventBusContract(
  name: string,
  makeHarness: () => Promise<BusHarness>,
): void {
  describe(`${name} keeps the contract of the event bus:`, () => {
    let harness: BusHarness;
    let open: BusUnderTest[] = [];

    beforeAll(async () => {
      harness = await makeHarness();
    });
    afterEach(async () => {
      for (const { reconnect } of open) reconnect();
      await Promise.all(open.map((one) => one.close()));
      open = [];
    });
    afterAll(() => harness.close());

    const connect = async (deadAfterMs?: number): Promise<BusUnderTest> => {
      const one = await harness.connect(deadAfterMs);
      open.push(one);
      return one;
    };
    const connectBus = async (deadAfterMs?: number): Promise<EventBus> =>
      (await connect(deadAfterMs)).bus;
    const record = async (bus: EventBus, options: Omit<SubscribeOptions, 'handle'>) => {
      const recorder = new Recorder();
      const subscription = await bus.subscribe({ ...options, handle: recorder.handle });
      // What a group that begins at the end has not settled on yet is older than its beginning.
      if (options.from === 'latest')
        await eventually(() => expect(subscription.waiting).toBeDefined(), { timeoutMs: 8_000 });
      return Object.assign(recorder, { subscription });
    };

    it('1. a key stays in order while three members come and go', async () => {
      const topic = newTopic({ partitions: 6 });
      const group = randomUUID();
      const byKey = new Map<string, number[]>();
      const busy = new Set<number>();
      const handle = async (batch: MessageBatch): Promise<void> => {
        expect(busy.has(batch.partition)).toBe(false);
        busy.add(batch.partition);
        for (const one of batch.messages) {
          await sleep(1);
          byKey.set(one.key!, [...(byKey.get(one.key!) ?? []), Number(text(one))]);
        }
        busy.delete(batch.partition);
      };
      const [a, b, c] = await Promise.all([connectBus(), connectBus(), connectBus()]);
      const first = await a.subscribe({ group, topics: [topic], handle });
      let sent = 0;
      const publishSome = async (count: number): Promise<void> => {
        for (const end = sent + count; sent < end; sent += 20)
          await c.publish(topic, numbered(20, sent));
      };
      await publishSome(200);
      const second = await b.subscribe({ group, topics: [topic], handle });
      await publishSome(200);
      const third = await c.subscribe({ group, topics: [topic], handle });
      await publishSome(200);
      await first.stop();
      await publishSome(200);
      await eventually(() => expect(new Set([...byKey.values()].flat()).size).toBe(sent), {
        timeoutMs: 15_000,
      });
      for (const values of byKey.values()) expect(values).toEqual(values.toSorted((x, y) => x - y));
      await Promise.all([second.stop(), third.stop()]);
    });

    it('1b. the partitions are shared evenly, and again when a member leaves', async () => {
      const topic = newTopic({ partitions: 6 });
      const group = randomUUID();
      const buses = [connectBus(LONG_MS), connectBus(LONG_MS), connectBus()] as const;
      const [a, b, publisher] = await Promise.all(buses);
      const one = await record(a, { group, topics: [topic] });
      const other = await record(b, { group, topics: [topic] });
      const partitionsOf = (recorder: Recorder, since: number): Set<number> =>
        new Set(
          recorder.messages
            .filter((each) => Number(text(each)) >= since)
            .map((each) => each.partition),
        );
      let sent = 0;
      await eventually(
        async () => {
          const since = sent;
          sent += 60;
          await publisher.publish(
            topic,
            Array.from({ length: 60 }, (_, i) => message(null, String(since + i))),
          );
          await eventually(() =>
            expect(one.messages.length + other.messages.length).toBeGreaterThanOrEqual(sent),
          );
          expect([partitionsOf(one, since).size, partitionsOf(other, since).size]).toEqual([3, 3]);
        },
        { timeoutMs: 10_000 },
      );
      await one.subscription.stop();
      const stopped = performance.now();
      await publisher.publish(
        topic,
        Array.from({ length: 60 }, (_, i) => message(null, String(sent + i))),
      );
      await eventually(() => expect(partitionsOf(other, sent).size).toBe(6), {
        timeoutMs: 2 * LONG_MS,
      });
      expect(performance.now() - stopped).toBeLessThan(LONG_MS / 2);
    });

    it('1c. a key stays in the order in which it was published, though nobody waited for any answer', async () => {
      const topic = newTopic({ partitions: 2 });
      const publisher = await connectBus();
      const seen = await record(await connectBus(), { group: randomUUID(), topics: [topic] });
      const asked: Promise<void>[] = [];
      const publishOne = (padding = ''): void => {
        asked.push(publisher.publish(topic, [message('k', `${asked.length} ${padding}`)]));
      };
      // Not even for the first, with which the wire comes to be.
      for (let i = 0; i < 50; i += 1) publishOne();
      for (let i = 0; i < 50; i += 1) {
        await sleep(i % 3);
        // What is too large to go out with others leaves a small one behind it that would arrive sooner.
        publishOne(i % 10 === 0 ? 'x'.repeat(900_000) : '');
      }
      await Promise.all(asked);
      const order = (): string[] => [...new Set(seen.values.map((value) => value.split(' ')[0]!))];
      await eventually(() => expect(order().length).toBe(100));
      expect(order()).toEqual(range(100));
    });

    it('2. a key lies in the partition in which the Java client puts it', async () => {
      const topic = newTopic({ partitions: 1_000 });
      const bus = await connectBus();
      // toPositive(murmur2(key)) % 1000, from the vectors of the Java client's UtilsTest.
      expect(bus.partitionOf(topic, '21')).toBe((-973932308 & 0x7fffffff) % 1_000);
      expect(bus.partitionOf(topic, 'foobar')).toBe((-790332482 & 0x7fffffff) % 1_000);
      expect(bus.partitionOf(topic, 'abc')).toBe(479470107 % 1_000);
      const small = newTopic({ partitions: 6 });
      const seen = await record(bus, { group: randomUUID(), topics: [small] });
      await bus.publish(small, numbered(50));
      await seen.receives(range(50));
      for (const each of seen.messages)
        expect(each.partition).toBe(bus.partitionOf(small, each.key!));
    });

    it('3. what a killed member had in hand is handled by another', async () => {
      const topic = newTopic({ partitions: 1 });
      const group = randomUUID();
      const bus = await connectBus();
      const member = await harness.startMember(group, topic);
      await bus.publish(topic, [message('k', 'a')]);
      await eventually(() => expect(member.handled).toEqual(['a']));
      await bus.publish(topic, [message('k', 'hang'), message('k', 'b')]);
      await eventually(() => expect(member.handled).toContain('hang'));
      const heir = await record(bus, { group, topics: [topic] });
      await sleep(100);
      expect(heir.values).toEqual([]);
      await member.kill();
      await eventually(() => expect(heir.values.slice(-2)).toEqual(['hang', 'b']), {
        timeoutMs: harness.deadAfterMs * 3,
      });
    });

    it('4. a group goes on exactly after what it has committed', async () => {
      const topic = newTopic({ partitions: 1 });
      const group = randomUUID();
      const bus = await connectBus();
      await bus.publish(topic, numbered(10));
      const before = await record(bus, { group, topics: [topic] });
      await before.receives(range(10));
      await before.subscription.stop();
      await bus.publish(topic, numbered(5, 10));
      const after = await record(await connectBus(), { group, topics: [topic] });
      await after.receives(range(5, 10));
      expect(after.values).toEqual(range(5, 10));
    });

    it('5. a member that was taken for dead cannot commit over its heir', async () => {
      const topic = newTopic({ partitions: 1 });
      const group = randomUUID();
      const [stale, healthy] = await Promise.all([connect(), connect()]);
      const gate = new Gate();
      const begun: string[] = [];
      await stale.bus.subscribe({
        group,
        topics: [topic],
        handle: async ({ messages }) => {
          begun.push(...messages.map(text));
          await gate.opened;
        },
      });
      await healthy.bus.publish(topic, numbered(5));
      await eventually(() => expect(begun).toEqual(range(5)));
      const heir = await record(healthy.bus, { group, topics: [topic] });
      stale.isolate();
      await heir.receives(range(5), harness.deadAfterMs * 4);
      await healthy.bus.publish(topic, numbered(5, 5));
      await heir.receives(range(10));
      gate.open();
      stale.reconnect();
      // It is a member again by now; closing both leaves only what was committed.
      await sleep(harness.deadAfterMs / 2);
      await heir.subscription.stop();
      await stale.close();
      const next = await record(healthy.bus, { group, topics: [topic] });
      await healthy.bus.publish(topic, numbered(1, 10));
      await next.receives(['10']);
      expect(begun.filter((value) => Number(value) >= 5)).toEqual([]);
    });

    it('6. groups do not disturb each other', async () => {
      const topic = newTopic();
      const bus = await connectBus();
      const gate = new Gate();
      await bus.subscribe({ group: randomUUID(), topics: [topic], handle: () => gate.opened });
      const free = await record(bus, { group: randomUUID(), topics: [topic] });
      await bus.publish(topic, numbered(30));
      await free.receives(range(30));
      expect(free.values.length).toBe(30);
      gate.open();
    });

    it('7. a new group starts where it says, a known one where it was', async () => {
      const topic = newTopic({ partitions: 1 });
      const bus = await connectBus();
      await bus.publish(topic, numbered(3));
      const oldest = await record(bus, { group: randomUUID(), topics: [topic], from: 'earliest' });
      const group = randomUUID();
      const newest = await record(bus, { group, topics: [topic], from: 'latest' });
      await oldest.receives(range(3));
      await newest.subscription.stop();
      await bus.publish(topic, numbered(2, 3));
      const known = await record(bus, { group, topics: [topic], from: 'latest' });
      await known.receives(range(2, 3));
      expect(newest.values).toEqual([]);
      const told = await record(bus, {
        group,
        topics: [newTopic(), topic],
        startAt: async () => 1,
      });
      await known.subscription.stop();
      await told.receives(range(4, 1));
    });

    it('8. bytes, emptiness, absence and a whole MiB pass unchanged; more is refused by name', async () => {
      const topic = newTopic({ partitions: 1 });
      const bus = await connectBus();
      const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const big = Buffer.alloc(1024 * 1024, 7);
      const sent: OutgoingMessage[] = [
        {
          key: 'schlüssel 🔑',
          value: every,
          headers: { ce_type: 'a', ümlaut: 'ß "quoted" \\ {}\n🔑', empty: '' },
        },
        { key: null, value: Buffer.alloc(0), headers: {} },
        { key: '', value: null, headers: { only: 'header' } },
        { key: 'big', value: big, headers: {} },
      ];
      const seen = await record(bus, { group: randomUUID(), topics: [topic] });
      await bus.publish(topic, sent);
      await eventually(() => expect(seen.messages.length).toBe(4));
      for (const [i, { key, value, headers }] of seen.messages.entries()) {
        expect({ key, headers }).toEqual({ key: sent[i]!.key, headers: sent[i]!.headers });
        expect(value === null ? null : Buffer.compare(value, sent[i]!.value!)).toBe(
          sent[i]!.value === null ? null : 0,
        );
      }
      const tooBig = [
        message('k', 'not alone'),
        { key: 'k', value: Buffer.alloc(1024 * 1024 + 1), headers: {} },
      ];
      await expect(bus.publish(topic, tooBig)).rejects.toThrow(MessageTooLarge);
      await bus.publish(topic, [message('k', 'after')]);
      await eventually(() => expect(seen.values.at(-1)).toBe('after'));
      expect(seen.messages.length).toBe(5);
    });

    it('9. a poison message is parked after three attempts, and nothing around it is lost', async () => {
      const topic = newTopic({ partitions: 1 });
      const bus = await connectBus();
      const group = randomUUID();
      const applied: string[] = [];
      let attempts = 0;
      let isMended = false;
      // All or nothing, as a consumer does that applies a batch in one transaction.
      const handle = async ({ messages }: MessageBatch): Promise<void> => {
        const bad = messages.find((each) => text(each) === '4');
        if (bad !== undefined && !isMended) {
          attempts += 1;
          throw new PoisonMessage(bad, 'four is not applicable');
        }
        applied.push(...messages.map(text));
      };
      await bus.publish(topic, numbered(10));
      await bus.subscribe({ group, topics: [topic], handle });
      const parked = await record(bus, {
        group: randomUUID(),
        topics: [deadLetterTopicOf(topic.name)],
      });
      await parked.receives(['4']);
      await eventually(() => expect(applied).toEqual(range(10).filter((value) => value !== '4')));
      expect(attempts).toBe(3);
      expect(parked.messages[0]).toMatchObject({
        key: 'key-4',
        headers: {
          dlq_topic: topic.name,
          dlq_partition: '0',
          dlq_offset: '4',
          dlq_attempts: '3',
          dlq_group: group,
          dlq_error: expect.stringContaining('four is not applicable') as unknown,
        },
      });

      isMended = true;
      const replays = await record(bus, { group: randomUUID(), topics: [topic], from: 'latest' });
      expect(await harness.replayDeadLetters(bus, topic)).toBe(1);
      await eventually(() => expect(applied.at(-1)).toBe('4'));
      await replays.receives(['4']);
      expect(replays.messages[0]!.headers).toEqual({ replay_of: `${topic.name}/0@4` });
      expect(await harness.replayDeadLetters(bus, topic)).toBe(0);
    });

    it('9b. on a security topic the partition stands still and says so, until the cause is mended', async () => {
      const topic = newTopic({ partitions: 2, security: true });
      const { bus, alarms } = await connect();
      const [keyOfStill, keyOfOther] = [0, 1].map((partition) =>
        range(50).find((key) => bus.partitionOf(topic, key) === partition)!,
      ) as [string, string];
      let isMended = false;
      const applied: string[] = [];
      const handle = async ({ messages }: MessageBatch): Promise<void> => {
        for (const each of messages) {
          if (text(each) === 'bad' && !isMended) throw new PoisonMessage(each, 'unreadable');
          applied.push(text(each));
        }
      };
      const subscription = await bus.subscribe({ group: randomUUID(), topics: [topic], handle });
      await bus.publish(topic, [message(keyOfStill, 'bad'), message(keyOfStill, 'behind')]);
      await eventually(() =>
        expect(subscription.stalledOn).toContain(`${topic.name}/0@0: unreadable`),
      );
      await bus.publish(topic, [message(keyOfOther, 'elsewhere')]);
      await eventually(() => expect(applied).toEqual(['elsewhere']));
      expect(alarms.join()).toContain(`${topic.name}/0@0`);
      expect((await bus.health()).healthy).toBe(false);
      isMended = true;
      await eventually(() => expect(applied).toEqual(['elsewhere', 'bad', 'behind']));
      expect(subscription.stalledOn).toBeUndefined();
      expect((await bus.health()).healthy).toBe(true);
    });

    it('9c. on a security topic the partition goes on without a message that somebody has parked by hand', async () => {
      const topic = newTopic({ partitions: 1, security: true });
      const bus = await connectBus();
      const applied: string[] = [];
      const stood: IncomingMessage[] = [];
      const handle = async ({ messages }: MessageBatch): Promise<void> => {
        for (const each of messages) {
          if (text(each) !== 'bad') applied.push(text(each));
          else {
            stood.push(each);
            throw new PoisonMessage(each, 'unreadable');
          }
        }
      };
      const group = randomUUID();
      const subscription = await bus.subscribe({ group, topics: [topic], handle });
      await bus.publish(topic, [message('key', 'bad'), message('key', 'behind')]);
      await eventually(() => expect(subscription.stalledOn).toBeDefined());
      const park = (headers: Record<string, string>): Promise<void> =>
        bus.publish(deadLetterTopicOf(topic.name), [{ ...stood[0]!, headers }]);
      const place = { dlq_topic: topic.name, dlq_partition: '0', dlq_offset: '0' };
      await park({ ...place, dlq_offset: '1' });
      await park({ ...place, dlq_group: 'another, by itself' });
      const attempts = stood.length;
      await eventually(() => expect(stood.length).toBeGreaterThan(attempts + 2));
      expect(applied).toEqual([]);
      await park(place);
      await eventually(() => expect(applied).toEqual(['behind']));
      expect(subscription.stalledOn).toBeUndefined();
    });

    it('9d. any other failure is tried again without end, and nothing overtakes it', async () => {
      const topic = newTopic({ partitions: 1 });
      const bus = await connectBus();
      let failures = 0;
      const applied: string[] = [];
      const handle = async ({ messages }: MessageBatch): Promise<void> => {
        failures += 1;
        if (failures <= 6) throw new Error('the database is away');
        applied.push(...messages.map(text));
      };
      await bus.subscribe({ group: randomUUID(), topics: [topic], handle });
      await bus.publish(topic, numbered(3));
      await bus.publish(topic, numbered(3, 3));
      await eventually(() => expect(applied).toEqual(range(6)));
    });

    it('10. a slow handler keeps its membership, and holds up no more than one bounded batch', async () => {
      const topic = newTopic({ partitions: 1 });
      const group = randomUUID();
      const batches: MessageBatch[] = [];
      let inHand = 0;
      let most = 0;
      const handle = async (batch: MessageBatch): Promise<void> => {
        inHand += 1;
        most = Math.max(most, inHand);
        batches.push(batch);
        if (batches.length === 1) await sleep(harness.deadAfterMs * 1.5);
        inHand -= 1;
      };
      const [one, other] = await Promise.all([connectBus(), connectBus()]);
      await Promise.all(
        [one, other].map((bus) => bus.subscribe({ group, topics: [topic], handle })),
      );
      await other.publish(topic, [message('k', 'slow')]);
      await eventually(() => expect(batches.length).toBe(1));
      const filler = 'x'.repeat(20_000);
      for (let i = 0; i < 3; i += 1) {
        const fillers = Array.from({ length: 400 }, () => message('k', filler));
        await other.publish(topic, fillers);
      }
      const handled = (): readonly IncomingMessage[] => batches.flatMap((batch) => batch.messages);
      await eventually(() => expect(handled().length).toBe(1_201), { timeoutMs: 10_000 });
      expect(new Set(handled().map(({ offset }) => offset)).size).toBe(1_201);
      expect(most).toBe(1);
      for (const { messages } of batches) {
        expect(messages.length).toBeLessThanOrEqual(500);
        const bytes = messages.reduce((sum, each) => sum + each.value!.length, 0);
        expect(bytes).toBeLessThan(5 * 1024 * 1024);
      }
    });

    it('11. stop finishes and commits the batch in hand, then nothing more is handled', async () => {
      const topic = newTopic({ partitions: 1 });
      const group = randomUUID();
      const bus = await connectBus(LONG_MS);
      const gate = new Gate();
      const begun: string[] = [];
      const handled: string[] = [];
      const subscription = await bus.subscribe({
        group,
        topics: [topic],
        handle: async ({ messages }) => {
          begun.push(...messages.map(text));
          await gate.opened;
          handled.push(...messages.map(text));
        },
      });
      await bus.publish(topic, numbered(3));
      await eventually(() => expect(begun).toEqual(range(3)));
      await bus.publish(topic, numbered(3, 3));
      let isStopped = false;
      const stopping = subscription.stop().then(() => {
        isStopped = true;
      });
      await sleep(50);
      expect(isStopped).toBe(false);
      gate.open();
      await stopping;
      expect(handled).toEqual(range(3));
      const heir = await record(bus, { group, topics: [topic] });
      const started = performance.now();
      await heir.receives(range(3, 3));
      expect(performance.now() - started).toBeLessThan(LONG_MS / 2);
      expect(handled).toEqual(range(3));
      expect(heir.values).toEqual(range(3, 3));
    });

    it('12. a lost answer is an error to the publisher, and sending again loses nothing', async () => {
      const topic = newTopic({ partitions: 1 });
      const [publisher, reader] = await Promise.all([connect(), connectBus()]);
      const seen = await record(reader, { group: randomUUID(), topics: [topic] });
      await publisher.bus.publish(topic, [message('k', 'a')]);
      publisher.loseNextAck();
      await expect(publisher.bus.publish(topic, [message('k', 'b')])).rejects.toThrow();
      const patiently = async (value: string): Promise<void> =>
        eventually(() => publisher.bus.publish(topic, [message('k', value)]));
      await patiently('c');
      await patiently('b');
      await patiently('d');
      await seen.receives(['a', 'b', 'c', 'd']);
      await eventually(() => expect(seen.values.at(-1)).toBe('d'));
      // The one whose answer was lost had arrived: that is the case in which a careless resend would lose the next.
      expect(seen.values).toEqual(['a', 'b', 'c', 'b', 'd']);
    });

    it('13. a compacted topic hands over the newest of every key, says when that is done, and follows', async () => {
      const topic = newTopic({ compacted: true });
      const bus = await connectBus();
      for (let round = 0; round < 5; round += 1) {
        await bus.publish(
          topic,
          Array.from({ length: 20 }, (_, i) => message(`k${i}`, `${i}:${round}`)),
        );
      }
      await bus.publish(topic, [{ key: 'k3', value: null, headers: { position: '9' } }]);
      const state = new Map<string, string>();
      const reader = await (
        await connectBus()
      ).readAll(topic, (each) => {
        if (each.value === null) state.delete(each.key!);
        else state.set(each.key!, text(each));
      });
      await reader.caughtUp;
      expect(state.size).toBe(19);
      for (const [key, value] of state) expect(`k${value}`).toBe(`${key}:4`);
      await bus.publish(topic, [message('k3', 'again'), { key: 'k4', value: null, headers: {} }]);
      await eventually(() => expect([state.get('k3'), state.has('k4')]).toEqual(['again', false]));
      await reader.stop();
      await bus.publish(topic, [message('k5', 'unseen')]);
      await sleep(50);
      expect(state.get('k5')).toBe('5:4');
    });

    it('13b. a reader of state misses no newest value while keys are overwritten under it', async () => {
      const topic = newTopic({ compacted: true, partitions: 2 });
      const [writer, other] = await Promise.all([connectBus(), connectBus()]);
      const enough = new AbortController();
      const newest = new Map<string, string>();
      const writing = (async () => {
        for (let n = 0; !enough.signal.aborted; n += 1) {
          const key = `k${n % 5}`;
          await writer.publish(topic, [message(key, String(n))]);
          newest.set(key, String(n));
        }
      })();
      const states: Map<string, string>[] = [];
      for (let i = 0; i < 5; i += 1) {
        const before = new Map(newest);
        const state = new Map<string, string>();
        states.push(state);
        const reader = await other.readAll(topic, (each) => void state.set(each.key!, text(each)));
        await reader.caughtUp;
        for (const [key, value] of before)
          expect(Number(state.get(key))).toBeGreaterThanOrEqual(Number(value));
        await sleep(30);
      }
      enough.abort();
      await writing;
      for (const state of states) await eventually(() => expect(state).toEqual(newest));
    });

    it('13c. a reader that cannot apply a message stands still and says so, for state is never skipped', async () => {
      const topic = newTopic({ compacted: true, partitions: 1 });
      const { bus, alarms } = await connect();
      let isMended = false;
      const applied: string[] = [];
      const reader = await bus.readAll(topic, (each) => {
        if (text(each) === 'bad' && !isMended) throw new Error('unreadable');
        applied.push(text(each));
      });
      await bus.publish(topic, [message('a', 'good'), message('b', 'bad'), message('c', 'behind')]);
      await eventually(() =>
        expect(alarms.join()).toContain(`${topic.name}/0@1: Error: unreadable`),
      );
      expect([applied, (await bus.health()).healthy]).toEqual([['good'], false]);
      isMended = true;
      await eventually(() => expect(applied).toEqual(['good', 'bad', 'behind']));
      expect((await bus.health()).healthy).toBe(true);
      await reader.stop();
    });

    it('13d. a reader of state whose place is gone says so, and hands over nothing more', async () => {
      // Not compacted, as Kafka cuts off no other topic.
      const topic = newTopic({ partitions: 1 });
      const [away, there] = await Promise.all([connect(), connectBus()]);
      await there.publish(topic, numbered(10));
      const seen: string[] = [];
      const reader = await away.bus.readAll(topic, (each) => void seen.push(text(each)));
      await eventually(() => expect(seen).toEqual(range(10)));
      let lost: string | undefined;
      void reader.lost.then((why) => (lost = why));
      await there.publish(topic, numbered(1, 10));
      await eventually(() => expect(seen).toEqual(range(11)));
      away.isolate();
      // What it has asked for already is answered with nothing.
      await sleep(500);
      await there.publish(topic, numbered(10, 11));
      await harness.discardBefore(topic, 0, 15);
      expect(lost).toBeUndefined();
      away.reconnect();
      await eventually(() => expect(String(lost)).toContain(`${topic.name}/0@11`), {
        timeoutMs: 15_000,
      });
      await there.publish(topic, numbered(1, 21));
      await sleep(100);
      expect(seen).toEqual(range(11));
      expect(away.alarms.join()).toContain(`${topic.name}/0@11`);
      await reader.stop();
    });

    it('14. a broker that crashes and comes back loses nothing and disorders nothing', async () => {
      const topic = newTopic();
      const [publisher, consumer] = await Promise.all([connectBus(), connectBus()]);
      const seen = await record(consumer, { group: randomUUID(), topics: [topic] });
      let isRestarted = false;
      let sent = 0;
      const publishing = (async () => {
        for (const end = () => isRestarted && sent >= 400; !end(); sent += 10) {
          await eventually(() => publisher.publish(topic, numbered(10, sent)), {
            timeoutMs: 40_000,
          });
          await sleep(5);
        }
      })();
      await sleep(200);
      await harness.restartBroker();
      isRestarted = true;
      await publishing;
      await seen.receives(range(sent), 15_000);
      const lastOfKey = new Map<string, number>();
      const firstSeen = seen.messages.filter((each, i) => seen.values.indexOf(text(each)) === i);
      for (const each of firstSeen) {
        expect(Number(text(each))).toBeGreaterThan(lastOfKey.get(each.key!) ?? -1);
        lastOfKey.set(each.key!, Number(text(each)));
      }
    });

    it('15. a group whose place is gone starts over as configured, and somebody is told', async () => {
      const topic = newTopic({ partitions: 1 });
      const group = randomUUID();
      const { bus, alarms } = await connect();
      await bus.publish(topic, numbered(3));
      const before = await record(bus, { group, topics: [topic] });
      await before.receives(range(3));
      await before.subscription.stop();
      await bus.publish(topic, numbered(7, 3));
      await harness.discardBefore(topic, 0, 6);
      expect(alarms).toEqual([]);
      const after = await record(bus, { group, topics: [topic] });
      await after.receives(range(4, 6));
      expect(alarms.join()).toMatch(new RegExp(`${topic.name}/0@3, outside of 6 to 10`));
      const ahead = await record(bus, {
        group: randomUUID(),
        topics: [topic],
        startAt: async () => 99,
      });
      await ahead.receives(range(4, 6));
      expect(alarms.join()).toMatch(new RegExp(`${topic.name}/0@99, outside of 6 to 10`));
    });

    it('16. what a relay publishes twice, a consumer with its cursor beside its data applies once', async () => {
      const topic = newTopic({ partitions: 1 });
      const group = randomUUID();
      const bus = await connectBus();
      const at = (position: number): OutgoingMessage =>
        message('k', `e${position}`, { position: String(position) });
      const table = { next: 0, position: 0, applied: [] as string[] };
      const handle = async ({ messages }: MessageBatch): Promise<void> => {
        for (const each of messages) {
          table.next = Math.max(table.next, each.offset + 1);
          if (Number(each.headers['position']) <= table.position) continue;
          table.position = Number(each.headers['position']);
          table.applied.push(text(each));
        }
      };
      const subscribe = () =>
        bus.subscribe({ group, topics: [topic], handle, startAt: async () => table.next });
      const first = await subscribe();
      await bus.publish(topic, [at(1), at(2)]);
      await bus.publish(topic, [at(1), at(2), at(3)]);
      await eventually(() => expect(table.applied).toEqual(['e1', 'e2', 'e3']));
      await first.stop();
      table.next = 1;
      await subscribe();
      await bus.publish(topic, [at(3), at(4)]);
      await eventually(() => expect(table.applied).toEqual(['e1', 'e2', 'e3', 'e4']));
    });

    it('17. a storm of joins, leaves, silence and failures loses nothing and disorders no key', async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const chance = seeded(seed);
      const topic = newTopic({ partitions: 6 });
      const group = randomUUID();
      const seen = new Map<string, number[]>();
      const handle = async ({ messages }: MessageBatch): Promise<void> => {
        if (chance() < 0.05) throw new Error('a passing failure');
        for (const each of messages) {
          seen.set(each.key!, [...(seen.get(each.key!) ?? []), Number(text(each))]);
        }
        await sleep(chance() * 10);
      };
      const nodes = await Promise.all([connect(), connect(), connect()]);
      const running = new Map<BusUnderTest, Subscription>();
      const flip = async (node: BusUnderTest): Promise<void> => {
        const subscription = running.get(node);
        if (subscription === undefined) {
          running.set(node, await node.bus.subscribe({ group, topics: [topic], handle }));
        } else {
          running.delete(node);
          await subscription.stop();
        }
      };
      const publisher = await connectBus();
      const until = performance.now() + 4_000;
      let sent = 0;
      const publishing = (async () => {
        for (; performance.now() < until; sent += 10) {
          await publisher.publish(topic, numbered(10, sent));
          await sleep(4);
        }
      })();
      await Promise.all(nodes.map(flip));
      while (performance.now() < until) {
        await sleep(chance() * 200);
        const node = nodes[Math.floor(chance() * nodes.length)]!;
        if (chance() < 0.6) await flip(node);
        else {
          node.isolate();
          await sleep(chance() * harness.deadAfterMs * 0.8);
          node.reconnect();
        }
      }
      await publishing;
      for (const node of nodes) if (!running.has(node)) await flip(node);
      const hint = `(seed ${seed})`;
      await eventually(() => expect(new Set([...seen.values()].flat()).size, hint).toBe(sent), {
        timeoutMs: 15_000,
      });
      for (const values of seen.values()) {
        const firsts = [...new Set(values)];
        expect(firsts, hint).toEqual(firsts.toSorted((x, y) => x - y));
      }
    });

    it('18. tells Prometheus what it carries, what waits, what stands still and what was set apart', async () => {
      const bus = await connectBus();
      const group = randomUUID();
      const [secured, open] = [newTopic({ security: true, partitions: 1 }), newTopic()];
      const gate = new Gate();
      let mended = false;
      const handle = async ({ messages }: MessageBatch): Promise<void> => {
        await gate.opened;
        const bad = messages.find((each) => text(each) === 'bad');
        if (bad !== undefined && !mended) throw new PoisonMessage(bad, 'unreadable');
      };
      const value = async (name: string, { name: topic }: TopicDefinition, of?: string) =>
        scraped((await exposition()).text).value(`gatehouse_bus_${name}`, {
          topic,
          ...(of === undefined ? {} : { group: of }),
        });
      const subscription = await bus.subscribe({ group, topics: [secured, open], handle });
      await bus.publish(open, [message('k', 'good'), message('k', 'bad')]);
      await bus.publish(secured, [message('k', 'bad'), message('k', 'good')]);
      expect(await value('published_messages_total', open)).toBe(2);
      expect(await value('published_bytes_total', open)).toBe(7);
      const lag = (of: TopicDefinition) => value('consumer_lag_messages', of, group);
      await eventually(async () => expect([await lag(open), await lag(secured)]).toEqual([2, 2]));
      expect(subscription.waiting).toBe(4);
      gate.open();
      await eventually(async () =>
        expect(await value('partitions_stopped', secured, group)).toBe(1),
      );
      await eventually(async () => expect(await value('dead_letters_total', open, group)).toBe(1));
      await eventually(async () => expect([await lag(open), await lag(secured)]).toEqual([0, 2]));
      expect(await value('consumed_messages_total', open, group)).toBe(1);
      mended = true;
      await eventually(async () => {
        expect(await value('partitions_stopped', secured, group)).toBe(0);
        expect(await lag(secured)).toBe(0);
        expect(subscription.waiting).toBe(0);
        expect(await value('consumed_messages_total', secured, group)).toBe(2);
      });
    });
  });
}
