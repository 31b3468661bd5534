import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignIndexes } from './assign-indexes.ts';
import type { IncomingRecord } from './incoming-record.ts';
import { sampleRecord } from './sample-record.ts';

const from = (source: string, ...sequences: number[]): IncomingRecord[] =>
  sequences.map((sequence) => ({
    record: sampleRecord({ source, sequence }),
    body: `${source}/${sequence}`,
  }));

describe('numbering the log', () => {
  test('goes on from the size of the log, over all sources', () => {
    const { records, size, cursors, gaps } = assignIndexes(7, new Map([['a', 3]]), [
      ...from('a', 4),
      ...from('b', 1),
      ...from('a', 5),
    ]);
    expect(records.map(({ index, body }) => [index, body])).toEqual([
      [7, 'a/4'],
      [8, 'b/1'],
      [9, 'a/5'],
    ]);
    expect(size).toBe(10);
    expect([...cursors]).toEqual([
      ['a', 5],
      ['b', 1],
    ]);
    expect(gaps).toEqual([]);
  });

  test('drops what came before, from the last batch or from this one', () => {
    const { records, cursors } = assignIndexes(0, new Map([['a', 3]]), from('a', 2, 3, 4, 4, 3, 5));
    expect(records.map(({ body }) => body)).toEqual(['a/4', 'a/5']);
    expect([...cursors]).toEqual([['a', 5]]);
  });

  test('names every hole, also the one before the first record of a source', () => {
    const { gaps } = assignIndexes(10, new Map([['a', 3]]), [
      ...from('a', 6),
      ...from('b', 3),
      ...from('a', 7, 9),
    ]);
    expect(gaps).toEqual([
      { source: 'a', firstMissing: 4, lastMissing: 5, beforeIndex: 10 },
      { source: 'b', firstMissing: 1, lastMissing: 2, beforeIndex: 11 },
      { source: 'a', firstMissing: 8, lastMissing: 8, beforeIndex: 13 },
    ]);
  });

  test('stores each record once however a source’s records are redelivered and cut into batches', () => {
    const delivery = fc.record({
      upTo: fc.integer({ min: 1, max: 60 }),
      back: fc.nat(20),
      size: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(delivery, { maxLength: 12 }), (deliveries) => {
        const stored: number[] = [];
        const cursors = new Map<string, number>();
        let size = 0;
        let sent = 0;
        for (const { upTo, back, size: step } of deliveries) {
          const start = Math.max(1, sent + 1 - back);
          const end = Math.max(sent, upTo);
          const sequences = Array.from(
            { length: Math.max(0, end - start + 1) },
            (_, i) => start + i,
          );
          for (let at = 0; at < sequences.length; at += step) {
            const done = assignIndexes(size, cursors, from('a', ...sequences.slice(at, at + step)));
            expect(done.gaps).toEqual([]);
            expect(done.records.map(({ index }) => index)).toEqual(
              done.records.map((_, i) => size + i),
            );
            stored.push(...done.records.map(({ record }) => record.sequence));
            size = done.size;
            for (const [source, last] of done.cursors) cursors.set(source, last);
          }
          sent = end;
        }
        expect(stored).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
      }),
    );
  });
});
