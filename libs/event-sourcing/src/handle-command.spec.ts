import { randomUUID } from 'node:crypto';
import type { RecordedEvent } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { describe, expect, it } from 'vitest';
import type { Decider, DecisionContext } from './decider.ts';
import { ConcurrencyError, type EventStore, type EventToAppend } from './event-store.ts';
import { describeEventStoreContract } from './event-store.contract.ts';
import { given } from './given.ts';
import { handleCommand } from './handle-command.ts';

type Renamed = {
  type: 'identity.group-renamed.v1';
  data: { groupId: string; displayName: string };
};
type Command = { readonly rename: string } | { readonly refuse: true };

const renamed = (displayName: string): Renamed => ({
  type: 'identity.group-renamed.v1',
  data: { groupId: 'g', displayName },
});

/** Keeps a name; renaming to the same name changes nothing. */
const decider: Decider<string, Command, Renamed> = {
  initialState: '',
  decide(command, state) {
    if ('refuse' in command) throw new Refusal('group-unknown');
    return command.rename === state ? [] : [renamed(command.rename)];
  },
  evolve: (_state, event) => event.data.displayName,
};

const context: DecisionContext = {
  actor: { kind: 'user', id: 'u', name: 'Ada' },
  now: new Date('2026-01-01T00:00:00.000Z'),
  correlationId: 'c',
};

interface StoreInMemory extends EventStore {
  readonly log: RecordedEvent[];
  /** After which versions it was read. */
  readonly reads: number[];
}

/** A store in memory, held to the contract below, whose next appends lose against somebody else, as often as the test has it. */
function storeLosing(losses: number, rival: string): StoreInMemory {
  const log: RecordedEvent[] = [];
  const reads: number[] = [];
  const listeners = new Set<() => void>();
  let left = losses;
  const of = (stream: string) => log.filter((event) => event.stream === stream);
  const add = (stream: string, event: EventToAppend): void => {
    const version = of(stream).length + 1;
    log.push({ ...event, id: randomUUID(), stream, version, position: log.length + 1 });
  };
  return {
    log,
    reads,
    async readStream(stream, after = 0) {
      reads.push(after);
      return of(stream).filter(({ version }) => version > after);
    },
    readAll: async (after, limit) => log.slice(after, after + limit),
    head: async () => log.length,
    onAppended(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async append(stream, expected, events) {
      if (left > 0) {
        left -= 1;
        const { actor, correlationId } = context;
        add(stream, { ...renamed(`${rival}-${left}`), actor, occurredAt: '', correlationId });
      }
      if (of(stream).length !== expected) throw new ConcurrencyError(stream, expected);
      for (const event of events) add(stream, event);
      for (const listener of listeners) listener();
      return { version: expected + events.length, position: log.length };
    },
  };
}

describeEventStoreContract('the store in memory of these tests', async () => {
  const store = storeLosing(0, '');
  return {
    store,
    setBack: async (position) => void store.log.splice(position),
    close: async () => undefined,
  };
});

describe('handling a command', () => {
  it('loads, decides, appends with actor, time and correlation, and answers the state after it', async () => {
    const store = storeLosing(0, '');
    const outcome = await handleCommand(store, decider, 's', { rename: 'one' }, context);
    expect(outcome).toEqual({
      stream: 's',
      version: 1,
      position: 1,
      state: 'one',
      events: [renamed('one')],
    });
    expect(store.log[0]).toMatchObject({
      ...renamed('one'),
      actor: context.actor,
      occurredAt: '2026-01-01T00:00:00.000Z',
      correlationId: 'c',
    });
  });

  it('appends nothing when nothing needed to change, and answers where the stream is', async () => {
    const store = storeLosing(0, '');
    await handleCommand(store, decider, 's', { rename: 'one' }, context);
    const again = await handleCommand(store, decider, 's', { rename: 'one' }, context);
    expect(again).toMatchObject({ version: 1, position: 1, state: 'one', events: [] });
    expect(store.log).toHaveLength(1);
  });

  it('decides afresh on what somebody else appended first', async () => {
    const store = storeLosing(3, 'rival');
    const outcome = await handleCommand(store, decider, 's', { rename: 'mine' }, context);
    expect(outcome.version).toBe(4);
    const beaten = storeLosing(1, 'same');
    const nothing = await handleCommand(beaten, decider, 's', { rename: 'same-0' }, context);
    expect(nothing.events).toEqual([]);
  });

  it('gives up with version-conflict when it loses four times', async () => {
    await expect(
      handleCommand(storeLosing(4, 'rival'), decider, 's', { rename: 'x' }, context),
    ).rejects.toMatchObject({
      code: 'version-conflict',
    });
  });

  describe('of a long stream', () => {
    const renameMany = async (store: EventStore, count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1)
        await handleCommand(store, decider, 's', { rename: `name-${n}` }, context);
    };

    it('reads only what was appended since, and the last event before it', async () => {
      const store = storeLosing(0, '');
      await renameMany(store, 100);
      const outcome = await handleCommand(store, decider, 's', { rename: 'last' }, context);
      // Folded up to 99 before the hundredth was appended: read again are 99 and 100.
      expect(store.reads.at(-1)).toBe(98);
      expect(outcome).toMatchObject({ version: 101, position: 101, state: 'last' });
      const again = await handleCommand(store, decider, 's', { rename: 'last' }, context);
      expect(again).toMatchObject({ version: 101, position: 101, state: 'last', events: [] });
    });

    it('sees what others appended meanwhile', async () => {
      const store = storeLosing(0, '');
      await renameMany(store, 100);
      const { actor, occurredAt, correlationId } = store.log[0]!;
      const event = { ...renamed('of another'), actor, occurredAt, correlationId };
      await store.append('s', 100, [event]);
      const nothing = await handleCommand(store, decider, 's', { rename: 'of another' }, context);
      expect(nothing).toMatchObject({ version: 101, events: [] });
    });

    it('reads it once more from its beginning where the log was set back, and then only what is new', async () => {
      const store = storeLosing(0, '');
      await renameMany(store, 100);
      store.log.splice(70);
      store.reads.length = 0;
      const outcome = await handleCommand(store, decider, 's', { rename: 'restored' }, context);
      expect(outcome).toMatchObject({ version: 71, state: 'restored' });
      await handleCommand(store, decider, 's', { rename: 'and on' }, context);
      expect(store.reads).toEqual([98, 0, 69]);
    });

    it('folds for another decider on its own', async () => {
      const store = storeLosing(0, '');
      await renameMany(store, 100);
      const counting: Decider<number, Command, Renamed> = {
        initialState: 0,
        decide: () => [],
        evolve: (count) => count + 1,
      };
      const outcome = await handleCommand(store, counting, 's', { rename: 'x' }, context);
      expect(outcome.state).toBe(100);
    });
  });

  it('lets a refusal through and appends nothing', async () => {
    const store = storeLosing(0, '');
    await expect(
      handleCommand(store, decider, 's', { refuse: true }, context),
    ).rejects.toMatchObject({
      code: 'group-unknown',
    });
    expect(store.log).toEqual([]);
  });
});

describe('given, when, emits', () => {
  it('holds when the decision is as told', () => {
    given(decider, renamed('one')).when({ rename: 'two' }).emits(renamed('two'));
    given(decider, renamed('one')).when({ rename: 'one' }).emitsNothing();
    given(decider).when({ refuse: true }).refuses('group-unknown');
  });

  it('fails when it is not, and says what came instead', () => {
    const when = given(decider).when({ rename: 'two' });
    expect(() => when.emits(renamed('three'))).toThrow(/three[\s\S]*two/);
    expect(() => when.emitsNothing()).toThrow(/two/);
    expect(() => when.refuses('group-unknown')).toThrow(/it emitted/);
    expect(() => given(decider).when({ refuse: true }).refuses('role-unknown')).toThrow(Refusal);
  });
});
