import { topics, type PrincipalState, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus, IncomingMessage } from '@gatehouse/event-sourcing';
import { createLogger, createReadiness, type Readiness } from '@gatehouse/platform';
import { beatsAt } from '@gatehouse/platform/testing';
import { mintKey } from '@gatehouse/principal-directory';
import { Refusal } from '@gatehouse/problem-catalog';
import { ManualClock } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessState } from './access-state.ts';

const { token, secretSha256 } = mintKey('ada1', new Uint8Array(32).fill(1));
const key = 'user:ada';
const ada: PrincipalState = {
  kind: 'user',
  id: 'ada',
  name: 'ada',
  displayName: 'Ada',
  active: true,
  groupIds: [],
  roles: ['admin'],
  keys: [{ keyId: 'ada1', secretSha256, notAfter: null }],
};
const policy = {
  number: 1,
  roles: [{ name: 'admin', description: '', management: 'administer', connectors: [] }],
};
const BOTH = [topics.principalsState, topics.policyState];
const clock = new ManualClock();

/** One reading of one topic, which hands over, catches up and loses its place when the test says so. */
interface Reading {
  readonly topic: TopicDefinition;
  readonly hand: (message: IncomingMessage) => void | Promise<void>;
  catchUp(): void;
  lose(): void;
}

let readings: Reading[];
let isAway: boolean;
let running: number;
let access: AccessState;
let readiness: Readiness;

/** All that is asked of a bus here is to be read. */
const readOnly = {
  async readAll(topic: TopicDefinition, hand: Reading['hand']) {
    if (isAway && topic === topics.policyState) throw new Error('the bus is away');
    running += 1;
    const [caughtUp, lost] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
    readings.push({
      topic,
      hand,
      catchUp: () => caughtUp.resolve(),
      lose: () => lost.resolve('its place is gone'),
    });
    const stop = async (): Promise<void> => {
      running -= 1;
      // As late as it can be: it is told to end, and has just come to the end of what there was.
      caughtUp.resolve();
      await settled();
    };
    return { caughtUp: caughtUp.promise, lost: lost.promise, stop };
  },
} as Partial<EventBus> as EventBus;

beforeEach(async () => {
  readings = [];
  isAway = false;
  running = 0;
  readiness = createReadiness();
  const log = createLogger({ service: 'test', level: 'silent' });
  const limits = { stateMaxAgeMs: 15_000, stateResyncAfterMs: 600_000 };
  access = new AccessState({ bus: readOnly, clock, log, readiness }, limits);
});
afterEach(() => access.stop());

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function tell(topic: TopicDefinition, of: string, value: unknown, position: number): void {
  const body =
    value === null || Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  const headers = { position: String(position) };
  const message = { topic: topic.name, partition: 0, offset: 0, key: of, value: body, headers };
  void readings.findLast((reading) => reading.topic === topic)?.hand(message);
}
function tellAll(): void {
  tell(topics.principalsState, key, ada, 1);
  tell(topics.policyState, 'bundle', policy, 1);
  for (const beat of beatsAt(clock.now(), BOTH))
    void readings.findLast(({ topic }) => topic.name === beat.topic)?.hand(beat);
}
async function start(): Promise<void> {
  await access.start();
  tellAll();
  for (const reading of readings) reading.catchUp();
  await settled();
}
function answer(): string {
  try {
    return access.authenticate(`Bearer ${token}`).management;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('who may administer', () => {
  it('is known when all that was there has been read', async () => {
    await access.start();
    tellAll();
    expect([answer(), readiness.pending]).toEqual(['not-ready', ['admin access state']]);
    for (const reading of readings) reading.catchUp();
    await settled();
    expect([answer(), readiness.pending]).toEqual(['administer', []]);
  });

  it('is not known while all is read anew, whenever the readers of before come to their end', async () => {
    await access.start();
    tellAll();
    readings[0]!.lose();
    await settled();
    await settled();
    expect(readings.length).toBe(4);
    // That Ada was locked out is still to come.
    tellAll();
    await settled();
    expect([answer(), readiness.pending]).toEqual(['not-ready', ['admin access state']]);
    tell(topics.principalsState, key, { ...ada, active: false }, 2);
    for (const reading of readings) reading.catchUp();
    await settled();
    expect([answer(), readiness.pending, running]).toEqual(['token-refused', [], 2]);
  });

  it('is read by nobody after a start that failed, and read once when it succeeds', async () => {
    isAway = true;
    await expect(access.start()).rejects.toThrow('the bus is away');
    expect(running).toBe(0);
    isAway = false;
    await start();
    expect([answer(), running]).toEqual(['administer', 2]);
  });
});

describe.each([
  ['broken', Buffer.from('{')],
  ['of another shape', { number: 'one', kind: 'user' }],
])('state that is %s', (_how, illegible) => {
  beforeEach(start);

  it('lets nobody in who is spoken of, until they are told of again at its position', () => {
    tell(topics.principalsState, key, illegible, 9);
    expect(answer()).toBe('token-refused');
    tell(topics.principalsState, key, ada, 8);
    expect(answer()).toBe('token-refused');
    tell(topics.principalsState, key, ada, 9);
    expect(answer()).toBe('administer');
  });

  it('lets nobody in at all where it is the policy, until that is told again at its position', () => {
    tell(topics.policyState, 'bundle', illegible, 9);
    expect(answer()).toBe('not-ready');
    tell(topics.policyState, 'bundle', policy, 8);
    expect(answer()).toBe('not-ready');
    tell(topics.policyState, 'bundle', policy, 9);
    expect(answer()).toBe('administer');
  });
});
