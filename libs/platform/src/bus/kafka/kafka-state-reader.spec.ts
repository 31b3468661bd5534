import { topics } from '@gatehouse/event-catalog';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import { eventually, freePort } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../log/logger.ts';
import { KafkaOffsets, type PartitionRange } from './kafka-offsets.ts';
import { KafkaStateReader } from './kafka-state-reader.ts';
import { defaultKafkaTiming } from './kafka-timing.ts';

const topic = topics.policyState;
const log = createLogger({ service: 'test', level: 'silent' });
const timing = { ...defaultKafkaTiming, retryFirstMs: 1, retryCapMs: 5 };
const messageAt = (offset: number): IncomingMessage => ({
  topic: topic.name,
  partition: 0,
  offset,
  key: 'bundle',
  value: null,
  headers: {},
});

/** A cluster that can be away for a while: what it answers is all that is asked of it here. */
class SomeOffsets extends KafkaOffsets {
  asked = 0;
  away = 0;
  range: PartitionRange = { partition: 0, low: 0, next: 10 };

  override async rangesOf(): Promise<PartitionRange[]> {
    this.asked += 1;
    if (this.away === 0) return [this.range];
    this.away -= 1;
    throw new Error('the cluster is away');
  }
}

let offsets: SomeOffsets;
let reader: KafkaStateReader;
let seen: number[];
let alarms: string[];

beforeEach(async () => {
  const connection = { brokers: [`127.0.0.1:${await freePort()}`] };
  offsets = new SomeOffsets({ connection, log, requestMs: timing.requestMs });
  seen = [];
  alarms = [];
  reader = new KafkaStateReader(topic, ({ offset }) => void seen.push(offset), {
    connection,
    offsets,
    timing,
    log,
    onAlarm: (alarm) => alarms.push(alarm),
    onStopped: () => undefined,
  });
  await eventually(() => expect(offsets.asked).toBe(1));
  expect(await reader.begin(topic.name, 0)).toMatchObject({ start: 0 });
});
afterEach(() => reader.stop());

const deliver = (signal: AbortSignal): Promise<void> =>
  reader.deliver([messageAt(7)], signal, async () => undefined);

describe('a reader of state that comes to a hole', () => {
  it('goes on over it though the first look-ups fail, as they may while a cluster comes back', async () => {
    offsets.away = 5;
    await deliver(new AbortController().signal);
    expect([seen, offsets.away]).toEqual([[7], 0]);
  });

  it('waits for an answer no longer than the partition is its own', async () => {
    offsets.away = Number.POSITIVE_INFINITY;
    const giving = new AbortController();
    const delivering = deliver(giving.signal);
    await eventually(() => expect(offsets.asked).toBeGreaterThan(4));
    giving.abort();
    await delivering;
    expect([seen, alarms]).toEqual([[], []]);
  });

  it('ends where its place is not there any more', async () => {
    offsets.range = { partition: 0, low: 5, next: 10 };
    await expect(deliver(new AbortController().signal)).rejects.toThrow('was taken to 7');
    expect(await reader.lost).toMatch('@0, and was taken to 7');
    expect([seen, alarms.length]).toEqual([[], 1]);
  });
});
