import type { RecordedEvent } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { describe, expect, it } from 'vitest';
import type { Decider, DecisionContext } from './decider.ts';
import { ConcurrencyError, type EventStore, type EventToAppend } from './event-store.ts';
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

/** A store in memory whose next appends lose against somebody else, as often as chance (the test) has it. */
function storeLosing(
  losses: number,
  rival: string,
): EventStore & { readonly log: EventToAppend[] } {
  const log: EventToAppend[] = [];
  let left = losses;
  const recorded = (): RecordedEvent[] =>
    log.map((event, index) => ({
      ...event,
      id: String(index),
      stream: 's',
      version: index + 1,
      position: index + 1,
    }));
  return {
    log,
    readStream: async () => recorded(),
    readAll: async () => recorded(),
    head: async () => log.length,
    onAppended: () => () => undefined,
    async append(stream, expected, events) {
      if (left > 0) {
        left -= 1;
        log.push({
          ...renamed(`${rival}-${left}`),
          actor: context.actor,
          occurredAt: '',
          correlationId: '',
        });
      }
      if (log.length !== expected) throw new ConcurrencyError(stream, expected);
      log.push(...events);
      return { version: log.length, position: log.length };
    },
  };
}

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
    expect(store.log[0]).toEqual({
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
