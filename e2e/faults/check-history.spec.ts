import { describe, expect, it } from 'vitest';
import { checkHistory } from './check-history.ts';
import { also, entries, found, witnessed } from './changed-evidence.ts';
import type { Evidence } from './evidence.ts';
import { callOf, goodEvidence as good, messageOf, refused, rowOf } from './good-evidence.ts';
import type { Fault } from './history.ts';

it('finds nothing where every promise was kept', () => {
  expect(checkHistory(good)).toEqual([]);
  expect(found(witnessed(callOf('more', 500)))).toEqual([]);
});

describe('recorded once', () => {
  const without = (index: number): Partial<Evidence> => ({
    trail: good.trail.filter((row) => row.index !== index),
  });

  it('finds an answered call without a record', () => {
    expect(found(without(2))).toContain('an answered call has no record');
    expect(found(without(4))).toContain('an answered call has no record');
  });

  it('lets what was refused for want of evidence go without', () => {
    const outcome = refused('evidence-unavailable', 503);
    expect(found({ entries: also(callOf('n', 500, { outcome })) })).toEqual([]);
  });

  it('lets a gate that has just started go without, until it has recorded anything', () => {
    const outcome = refused('not-ready', 503);
    const judged = (at: number, ended?: Fault['ended']): string[] => {
      const fault: Fault = {
        kind: 'fault',
        id: 'fault-0',
        what: 'gateway-1 killed',
        hits: [],
        blinded: [],
        invokedAt: 2_500,
        completedAt: 2_900,
        ...(ended && { ended }),
      };
      const well = [2_950, 2_960].map((since, index) =>
        callOf(`after-${index}`, since, { node: `gateway-${index + 1}` }),
      );
      return found({
        entries: also(fault, ...well, callOf('n', at, { outcome })),
        forwarded: [...good.forwarded, ...well.map(({ id }) => ({ callId: id, tool: '', at: 0 }))],
        trail: [...good.trail, ...well.map(({ id }, index) => rowOf(8 + index, id))],
        raw: [
          ...good.raw,
          ...well.map((_, index) => messageOf(8 + index, { id: `record-${8 + index}`, key: 's' })),
        ],
      }).filter((what) => what.includes('record'));
    };
    const killed = { service: 'gateway-1', at: 2_600 };
    const what = ['an answered call has no record'];
    expect(judged(900)).toEqual([]);
    expect(judged(2_700)).toEqual(what);
    expect(judged(2_700, { ...killed, service: 'gateway-2' })).toEqual(what);
    expect(judged(2_700, killed)).toEqual([]);
    expect(judged(2_952, killed)).toEqual([]);
    expect(judged(2_970, killed)).toEqual(what);
  });

  it('finds a record that is there twice', () => {
    const again = rowOf(8, 'c1');
    expect(found({ trail: [...good.trail, again] })).toContain('an outcome is recorded twice');
    const same = { ...good.trail[2]!, index: 8 };
    expect(found({ trail: [...good.trail, same] })).toContain('a record is in the trail twice');
  });

  it('finds a forwarded write without its intent, though nobody knows how it ended', () => {
    expect(found(without(5))).toContain('a write was forwarded without an intent');
  });

  it('finds a write that was forwarded twice, and a refused call that was forwarded', () => {
    const twice = [...good.forwarded, good.forwarded[0]!];
    expect(found({ forwarded: twice })).toEqual(['a write was forwarded twice']);
    const denied = [...good.forwarded, { callId: 'c3', tool: 'look', at: 0 }];
    expect(found({ forwarded: denied })).toEqual(['a refused call was forwarded']);
  });

  it('finds a call that went well though nothing reached the server', () => {
    const forwarded = good.forwarded.filter(({ callId }) => callId !== 'c1');
    expect(found({ forwarded })).toEqual(['a call went well that nothing was forwarded of']);
  });

  it('finds a record that contradicts the answer', () => {
    const trail = good.trail.map((row) =>
      row.index === 4 ? rowOf(4, 'c3', { outcome: 'ok' }) : row,
    );
    expect(found({ trail })).toEqual(['a call that was refused is recorded as ok']);
    expect(found({ entries: entries('c3', { outcome: { kind: 'ok' } }) })).toContain(
      'a call that went well is recorded as another',
    );
  });

  it('finds an outcome before its intent, and a hole in the trail', () => {
    const [intent, outcome, ...rest] = good.trail;
    const swapped = [{ ...outcome!, index: 0 }, { ...intent!, index: 1 }, ...rest];
    expect(found({ trail: swapped })).toEqual(['an outcome is recorded before its intent']);
    expect(found({ trail: good.trail.map((row) => ({ ...row, index: row.index + 1 })) })).toEqual([
      'the numbers of the trail have a hole',
    ]);
    expect(found({ gaps: 2 })).toEqual(['the trail misses 2 records']);
  });

  it('finds what is published and not stored, and the reverse', () => {
    const more = messageOf(8, { id: 'record-8', key: 'spool-1' });
    expect(found({ raw: [...good.raw, more] })).toEqual(['a published record is not in the trail']);
    expect(found({ raw: good.raw.slice(1) })).toEqual([
      'the trail has a record that no gate published',
    ]);
  });
});

describe('appended as answered', () => {
  it('finds an answered change that is not in the log', () => {
    const identity = good.logs['identity']!.map((event) => ({ ...event, data: '{}' }));
    expect(found({ logs: { ...good.logs, identity } })).toEqual([
      'an answered change is not in the log',
    ]);
  });

  it('finds a refused change that was made, and one of which nobody knows that was made twice', () => {
    const what = 'the log has a change that nobody was to make';
    expect(found({ entries: entries('op-1', { outcome: refused('key-ended') }) })).toContain(what);
    const outcome = { kind: 'unknown', why: 'killed' } as const;
    expect(found({ entries: entries('op-1', { outcome }) })).toEqual([]);
    const again = { ...good.logs['identity']![1]!, id: 'e3', position: 3, stream: 's3' };
    const identity = [...good.logs['identity']!, again];
    expect(
      found({ entries: entries('op-1', { outcome }), logs: { ...good.logs, identity } }),
    ).toContain(what);
  });
});

describe('ordered by key', () => {
  const identity = good.logs['identity']!;
  const topic = good.topics['identity']!;

  it('finds a hole in a log, and in the versions of a stream', () => {
    const logs = {
      ...good.logs,
      identity: identity.map((event) => ({ ...event, position: event.position * 2 - 1 })),
    };
    expect(found({ logs })).toContain('the log of identity has a hole');
    const jumped = { ...good.logs, identity: identity.map((event) => ({ ...event, version: 2 })) };
    expect(found({ logs: jumped })).toContain('a stream of identity has a hole in its versions');
  });

  it('finds an event that is not on its topic, and a message that is in no log', () => {
    const topics = { ...good.topics, identity: [topic[0]!] };
    expect(found({ topics })).toEqual(['an event of identity is not on its topic']);
    const foreign = messageOf(9, { id: 'rolled back', position: 9 });
    expect(found({ topics: { ...good.topics, identity: [...topic, foreign] } })).toEqual([
      'the topic of identity has what its log does not',
    ]);
  });

  it('finds a key that goes back to what was never said, and lets a repeat be', () => {
    const [first, second] = good.states['principals']!;
    const back = { ...messageOf(2, { position: 1 }), value: 'other' };
    expect(found({ states: { principals: [first!, second!, back] } })).toEqual([
      'principals goes back from 2 to what it never said before',
    ]);
    const repeat = { ...first!, offset: 2 };
    expect(found({ states: { principals: [first!, second!, repeat] } })).toEqual([]);
  });
});

describe('projection = fold(log)', () => {
  it('finds a table that a fold makes otherwise, and a gate that shows what policy does not say', () => {
    const [folding] = good.foldings;
    const [sight] = good.sights;
    expect(found({ foldings: [{ ...folding!, folded: { agent: ['a'] } }] })).toEqual([
      'admin.agent is not what its log says',
    ]);
    expect(found({ sights: [{ ...sight!, due: undefined }] })).toEqual([
      'a gate does not show what policy says',
    ]);
  });
});

describe('a blind gate refuses', () => {
  it('finds a call that is let in when its gate can no longer know', () => {
    const what = 'allowed on a gate that could not know';
    expect(found(witnessed(callOf('late', 14_500)))).toEqual([what]);
    expect(found(witnessed(callOf('soon', 13_500)))).toEqual([]);
    expect(found(witnessed(callOf('at the end', 29_994)))).toEqual([what]);
    expect(found(witnessed(callOf('after it', 29_996)))).toEqual([]);
  });
});

describe('recovers', () => {
  it('finds a gate on which nothing goes well after a fault, and a fault that nobody healed', () => {
    const silent = entries('c7', { invokedAt: 40_000, completedAt: 40_005 });
    expect(found({ entries: silent })).toEqual([
      'no call went well on gateway-2 after Kafka killed',
    ]);
    const unmanageable = entries('op-2', { invokedAt: 9_000, completedAt: 9_005 });
    expect(found({ entries: unmanageable })).toEqual(['no change was made after Kafka killed']);
    expect(found({ entries: entries('fault-1', { completedAt: null }) })).toContain(
      'Kafka killed was never healed',
    );
  });
});
