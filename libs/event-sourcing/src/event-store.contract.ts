import { randomUUID } from 'node:crypto';
import type { RecordedEvent } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decider, DecisionContext } from './decider.ts';
import { ConcurrencyError, type EventStore, type EventToAppend } from './event-store.ts';
import { handleCommand } from './handle-command.ts';

/** What an adapter brings to be put through the contract of the event store. */
export interface EventStoreHarness {
  readonly store: EventStore;
  /** Sets the log back under the open store, as a backup or a replica that lagged would: what came after the position is gone. */
  setBack(position: number): Promise<void>;
  close(): Promise<void>;
}

type Renamed = {
  readonly type: 'identity.group-renamed.v1';
  readonly data: { readonly groupId: string; readonly displayName: string };
};

const renamed = (displayName: string): Renamed => ({
  type: 'identity.group-renamed.v1',
  data: { groupId: 'g', displayName },
});

const context: DecisionContext = {
  actor: { kind: 'user', id: 'u', name: 'Ada' },
  now: new Date('2026-01-01T00:00:00.000Z'),
  correlationId: 'c',
};

const toAppend = (displayName: string = randomUUID()): EventToAppend => ({
  ...renamed(displayName),
  actor: context.actor,
  occurredAt: context.now.toISOString(),
  correlationId: context.correlationId,
});

/** Keeps all names that it ever had, in order; one of them again changes nothing. */
const names: Decider<readonly string[], { readonly add: string }, Renamed> = {
  initialState: [],
  decide: ({ add }, state) => (state.includes(add) ? [] : [renamed(add)]),
  evolve: (state, { data }) => [...state, data.displayName],
};

const nameOf = ({ data }: RecordedEvent): string => (data as Renamed['data']).displayName;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const numbered = (count: number, text: string): string[] =>
  upTo(count).map((number) => `${text} ${number}`);

/** What the port of the event store promises, and what commands make of it. */
export function describeEventStoreContract(
  name: string,
  makeHarness: () => Promise<EventStoreHarness>,
): void {
  describe(`${name} keeps the contract of the event store:`, () => {
    let harness: EventStoreHarness;
    let store: EventStore;

    beforeAll(async () => {
      harness = await makeHarness();
      ({ store } = harness);
    });
    afterAll(() => harness?.close());

    const versionsOf = async (stream: string): Promise<number[]> =>
      (await store.readStream(stream)).map(({ version }) => version);
    const namesOf = async (stream: string): Promise<string[]> =>
      (await store.readStream(stream)).map(nameOf);
    const add = (stream: string, name: string) =>
      handleCommand(store, names, stream, { add: name }, context);

    it('reads a stream from after a version on, oldest first; one that does not exist is empty', async () => {
      const stream = randomUUID();
      expect(await store.readStream(stream)).toEqual([]);
      const receipt = await store.append(stream, 0, ['a', 'b', 'c'].map(toAppend));
      await store.append(randomUUID(), 0, [toAppend()]);
      const events = await store.readStream(stream, 1);
      expect(events.map((event) => [event.version, nameOf(event)])).toEqual([
        [2, 'b'],
        [3, 'c'],
      ]);
      expect(receipt).toEqual({ version: 3, position: events.at(-1)?.position });
      expect(await store.readStream(stream, 3)).toEqual([]);
      expect(await store.readStream(stream, 99)).toEqual([]);
    });

    it('reads all streams in the order of positions, without a gap, with ids of their own', async () => {
      const start = await store.head();
      for (const stream of [randomUUID(), randomUUID()])
        await store.append(stream, 0, [toAppend(), toAppend()]);
      const events = await store.readAll(start, 10);
      expect(events.map(({ position }) => position - start)).toEqual([1, 2, 3, 4]);
      expect(await store.head()).toBe(start + 4);
      expect((await store.readAll(start, 3)).length).toBe(3);
      expect(new Set(events.map(({ id }) => id)).size).toBe(4);
    });

    it.each([
      ['beyond the version that is expected', 3, 2],
      ['beyond a beginning', 3, 0],
      ['one short of it', 3, 4],
      ['far short of it', 3, 10],
      ['not there at all', 0, 1],
    ])('refuses to append to a stream that is %s', async (_, length, expected) => {
      const stream = randomUUID();
      if (length > 0)
        await store.append(
          stream,
          0,
          Array.from({ length }, () => toAppend()),
        );
      const before = [await versionsOf(stream), await store.head()];
      await expect(store.append(stream, expected, [toAppend(), toAppend()])).rejects.toBeInstanceOf(
        ConcurrencyError,
      );
      expect([await versionsOf(stream), await store.head()]).toEqual(before);
      const receipt = await store.append(stream, length, [toAppend()]);
      expect(receipt.version).toBe(length + 1);
    });

    it('lets exactly one of many writers have a version, and the others know', async () => {
      const stream = randomUUID();
      const results = await Promise.allSettled(
        Array.from({ length: 12 }, () => store.append(stream, 0, [toAppend(), toAppend()])),
      );
      const failures = results.filter((result) => result.status === 'rejected');
      expect(failures).toHaveLength(11);
      expect(failures.every(({ reason }) => reason instanceof ConcurrencyError)).toBe(true);
      expect(await versionsOf(stream)).toEqual([1, 2]);
    });

    it('loses no command of many at the same time, and leaves no hole', async () => {
      const stream = randomUUID();
      await store.append(stream, 0, numbered(70, 'before').map(toAppend));
      const asked = numbered(12, 'at once');
      const results = await Promise.allSettled(asked.map((name) => add(stream, name)));
      const answered = asked.filter((_, index) => results[index]?.status === 'fulfilled');
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused.every(({ reason }) => reason instanceof Refusal)).toBe(true);
      expect((await namesOf(stream)).slice(70).toSorted()).toEqual(answered.toSorted());
      expect(await versionsOf(stream)).toEqual(upTo(70 + answered.length));
    });

    it('calls back whoever waits for appends', async () => {
      let calls = 0;
      const unsubscribe = store.onAppended(() => (calls += 1));
      await store.append(randomUUID(), 0, [toAppend()]);
      unsubscribe();
      await store.append(randomUUID(), 0, [toAppend()]);
      expect(calls).toBe(1);
    });

    describe('that was set back under a process that lives on', () => {
      /** A stream of 120 names that the process has folded, and its log set back to the first 110 of them. */
      async function setBackStream(): Promise<string> {
        const stream = randomUUID();
        await store.append(stream, 0, numbered(119, 'name').map(toAppend));
        await add(stream, 'name 120');
        // It folds the last too, and remembers.
        expect(await add(stream, 'name 120')).toMatchObject({ version: 120, events: [] });
        const [kept] = await store.readStream(stream, 109);
        await harness.setBack(kept?.position ?? Number.NaN);
        expect(await store.head()).toBe(kept?.position);
        return stream;
      }

      it('refuses to append where the stream was before', async () => {
        const stream = await setBackStream();
        await expect(store.append(stream, 120, [toAppend()])).rejects.toBeInstanceOf(
          ConcurrencyError,
        );
        expect((await store.append(stream, 110, [toAppend()])).version).toBe(111);
      });

      it('decides on what the log has: what was lost is done again, what was kept is not', async () => {
        const stream = await setBackStream();
        const kept = await add(stream, 'name 110');
        expect(kept).toMatchObject({ version: 110, position: await store.head(), events: [] });
        const again = await add(stream, 'name 120');
        expect(again).toMatchObject({ version: 111, events: [renamed('name 120')] });
        expect(await namesOf(stream)).toEqual([...numbered(110, 'name'), 'name 120']);
        expect(again.state).toEqual(await namesOf(stream));
        expect(await versionsOf(stream)).toEqual(upTo(111));
      });

      it.each([
        ['short of where it was', 5],
        ['exactly where it was', 10],
        ['beyond it', 30],
      ])('knows its log by its events where others have since brought it %s', async (_, count) => {
        const stream = await setBackStream();
        const others = numbered(count, 'of others');
        await store.append(stream, 110, others.map(toAppend));
        const again = await add(stream, 'name 120');
        expect(again.version).toBe(111 + count);
        expect(again.state).toEqual([...numbered(110, 'name'), ...others, 'name 120']);
        expect(await namesOf(stream)).toEqual(again.state);
      });

      it('begins anew with a stream that is gone', async () => {
        const before = await store.head();
        const stream = randomUUID();
        await store.append(stream, 0, numbered(100, 'name').map(toAppend));
        await add(stream, 'name 1');
        await harness.setBack(before);
        const outcome = await add(stream, 'name 1');
        expect(outcome).toMatchObject({ version: 1, state: ['name 1'], position: before + 1 });
      });

      it('decides afresh where it is set back between the reading and the append', async () => {
        const stream = randomUUID();
        await store.append(stream, 0, numbered(100, 'name').map(toAppend));
        const { position } = await add(stream, 'name 1');
        const meanwhile: EventStore = {
          readStream: (name, after) => store.readStream(name, after),
          readAll: (after, limit) => store.readAll(after, limit),
          head: () => store.head(),
          onAppended: (listener) => store.onAppended(listener),
          append: async (name, expected, events) => {
            if (expected === 100) await harness.setBack(position - 10);
            return store.append(name, expected, events);
          },
        };
        const outcome = await handleCommand(meanwhile, names, stream, { add: 'new' }, context);
        expect(outcome).toMatchObject({
          version: 91,
          state: [...numbered(90, 'name'), 'new'],
        });
      });
    });
  });
}
