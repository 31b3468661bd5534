import { topics } from '@gatehouse/event-catalog';
import { applyKafkaTopics, createLogger, KafkaEventBus, StateKeeper } from '@gatehouse/platform';
import { publishBeats } from '@gatehouse/platform/testing';
import {
  eventually,
  ManualClock,
  startThrowAwayKafka,
  type ThrowAwayKafka,
} from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogueState } from '../test/gate-under-test.ts';
import { GateState } from './gate-state.ts';
import type { StateFold } from './state-fold.ts';
import { stateTopics } from './state-topics.ts';

const HOUR_MS = 3_600_000;
const log = createLogger({ service: 'freshness', level: 'silent' });
const patience = { timeoutMs: 40_000, everyMs: 50 };

// What the clock shows beyond the real time.
const ahead = new ManualClock(new Date(0));
const clock = { now: () => new Date(Date.now() + ahead.now().getTime()) };

const laidOut = stateTopics.map(({ topic }) => topic);

let kafka: ThrowAwayKafka;
let owners: KafkaEventBus;
let node: KafkaEventBus;
let state: GateState;
let keeper: StateKeeper<StateFold>;
let speaking: NodeJS.Timeout | undefined;

function speak(): void {
  speaking = setInterval(() => {
    publishBeats(owners, laidOut, clock.now()).catch(() => undefined);
  }, 500);
}

beforeAll(async () => {
  kafka = await startThrowAwayKafka();
  const connection = { brokers: [kafka.bootstrap] };
  await applyKafkaTopics({ connection, log }, laidOut, { replicationFactor: 1 });
  owners = new KafkaEventBus({ connection, log });
  node = new KafkaEventBus({ connection, log });
  state = new GateState({ log, clock, stateMaxAgeMs: 3_000, stateResyncAfterMs: 600_000 });
  keeper = new StateKeeper({ bus: node, topics: stateTopics, state, log });
  const publish = (topic: (typeof laidOut)[number], key: string, value: unknown) =>
    owners.publish(topic, [
      { key, value: Buffer.from(JSON.stringify(value)), headers: { position: '1' } },
    ]);
  await publish(topics.policyState, 'bundle', { number: 1, roles: [] });
  const transport = { kind: 'streamable-http', url: 'http://x' } as const;
  await publish(topics.catalogueState, 's', catalogueState('s', transport, { read: ['echo'] }));
  await keeper.start();
});
afterAll(async () => {
  clearInterval(speaking);
  await keeper?.stop();
  await node?.close();
  await owners?.close();
  await kafka?.stop();
});

const knows = (): Promise<void> =>
  eventually(() => expect(state.doubt()).toBeUndefined(), patience);

describe('a gate on Apache Kafka', () => {
  it('waits for the word of the owners, though it has read all there is', async () => {
    await eventually(() => expect(state.servers.has('s')).toBe(true), patience);
    await eventually(
      () => expect(state.doubt()?.waitingFor).toContain('a beat of identity, policy, registry'),
      patience,
    );
    speak();
    await knows();
  });

  it('refuses while the broker is gone, and serves by itself when it is back', async () => {
    const { fold } = state;
    await kafka.kill();
    await eventually(() => expect(state.doubt()?.code).toBe('state-stale'), patience);
    await kafka.restart();
    await knows();
    expect(state.fold).toBe(fold);
  });

  it('reads all of it anew after a long absence, and refuses meanwhile', async () => {
    const { fold } = state;
    clearInterval(speaking);
    ahead.advance(HOUR_MS);
    expect(state.doubt()?.code).toBe('state-stale');
    speak();
    await knows();
    expect(state.fold).not.toBe(fold);
    expect([state.bundleNumber, ...state.servers.keys()]).toEqual([1, 's']);
  });
});
