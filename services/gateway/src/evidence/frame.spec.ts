import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeFrames,
  encodeFrame,
  frameBytes,
  highestSequenceBehind,
  MAX_PAYLOAD_BYTES,
} from './frame.ts';

const payloads = fc.array(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 20 },
);
const journal = payloads.map((records) => {
  const frames = records.map((payload, index) => encodeFrame(index + 1, payload));
  const ends = frames.map((_, index) =>
    frames.slice(0, index + 1).reduce((sum, f) => sum + f.length, 0),
  );
  return { records, ends, bytes: Buffer.concat(frames) };
});

const read = (bytes: Buffer) => [...decodeFrames(bytes)];

describe('the frames of a segment', () => {
  test('read back as they were written', () => {
    fc.assert(
      fc.property(journal, ({ records, bytes }) => {
        const frames = read(bytes);
        expect(frames.map(({ sequence }) => sequence)).toEqual(
          records.map((_, index) => index + 1),
        );
        expect(frames.map(({ payload }) => payload)).toEqual(records);
        expect(frames.reduce((sum, frame) => sum + frameBytes(frame), 0)).toBe(bytes.length);
      }),
    );
  });

  test('cut anywhere, yield exactly the records that are whole', () => {
    fc.assert(
      fc.property(
        journal,
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ records, ends, bytes }, share) => {
          const length = Math.floor(bytes.length * share);
          const whole = ends.filter((end) => end <= length).length;
          expect(read(bytes.subarray(0, length)).map(({ payload }) => payload)).toEqual(
            records.slice(0, whole),
          );
        },
      ),
    );
  });

  test('overwritten anywhere with anything, yield only what was written, up to the damage', () => {
    const damage = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(journal, fc.nat(), damage, ({ records, ends, bytes }, at, noise) => {
        fc.pre(bytes.length > 0);
        const start = at % bytes.length;
        const broken = Buffer.from(bytes);
        Buffer.from(noise).copy(broken, start);
        const changed = broken.findIndex((byte, index) => byte !== bytes[index]);
        const intact =
          changed === -1 ? records.length : ends.filter((end) => end <= changed).length;
        expect(read(broken).map(({ payload }) => payload)).toEqual(records.slice(0, intact));
      }),
    );
  });

  test('followed by zeros or noise, end where the records end', () => {
    fc.assert(
      fc.property(journal, fc.uint8Array({ maxLength: 200 }), ({ records, bytes }, noise) => {
        expect(read(Buffer.concat([bytes, Buffer.alloc(64)]))).toHaveLength(records.length);
        expect(read(Buffer.concat([bytes, Buffer.from(noise)]))).toHaveLength(records.length);
      }),
    );
  });

  test('behind a break are found again, so that their numbers are not given out twice', () => {
    fc.assert(
      fc.property(
        journal,
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        ({ records, bytes }, noise) => {
          const torn = Buffer.concat([Buffer.from(noise), bytes]);
          expect(highestSequenceBehind(torn, 0, 1)).toBe(
            records.length === 0 ? undefined : records.length,
          );
        },
      ),
    );
  });

  test('are refused when empty or larger than the bus takes', () => {
    expect(() => encodeFrame(1, Buffer.alloc(0))).toThrow(RangeError);
    expect(() => encodeFrame(1, Buffer.alloc(MAX_PAYLOAD_BYTES + 1))).toThrow(RangeError);
  });
});
