import { crc32 } from 'node:zlib';

// crc32 of all that follows, length of the payload, sequence, payload; integers big-endian.
const LENGTH_AT = 4;
const SEQUENCE_AT = 8;
const HEADER_BYTES = 16;

/** No record is larger: with its headers it must pass a bus that takes 1 MiB. */
export const MAX_PAYLOAD_BYTES = 1_000_000;
export const MAX_FRAME_BYTES = HEADER_BYTES + MAX_PAYLOAD_BYTES;

/** One record as a segment holds it; `end` is where it ends in the buffer it was read from. */
export interface Frame {
  readonly sequence: number;
  readonly payload: Buffer;
  readonly end: number;
}

/** How many bytes of a segment a record takes. */
export function frameBytes({ payload }: { readonly payload: Buffer }): number {
  return HEADER_BYTES + payload.length;
}

/** The bytes of one frame. */
export function encodeFrame(sequence: number, payload: Buffer): Buffer {
  if (payload.length === 0 || payload.length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(
      `a spool record has 1 to ${MAX_PAYLOAD_BYTES} bytes, not ${payload.length}`,
    );
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, LENGTH_AT);
  frame.writeBigUInt64BE(BigInt(sequence), SEQUENCE_AT);
  payload.copy(frame, HEADER_BYTES);
  frame.writeUInt32BE(crc32(frame.subarray(LENGTH_AT)), 0);
  return frame;
}

/** The whole, intact frame that starts at `start`, if there is one. */
export function decodeFrame(buffer: Buffer, start: number): Frame | undefined {
  if (start + HEADER_BYTES > buffer.length) return undefined;
  const length = buffer.readUInt32BE(start + LENGTH_AT);
  const end = start + HEADER_BYTES + length;
  if (length === 0 || length > MAX_PAYLOAD_BYTES || end > buffer.length) return undefined;
  if (buffer.readUInt32BE(start) !== crc32(buffer.subarray(start + LENGTH_AT, end)))
    return undefined;
  const sequence = Number(buffer.readBigUInt64BE(start + SEQUENCE_AT));
  return { sequence, payload: buffer.subarray(start + HEADER_BYTES, end), end };
}

/** Frames from `start` on, up to the first that is not whole and intact. */
export function* decodeFrames(buffer: Buffer, start = 0): Generator<Frame> {
  for (
    let frame = decodeFrame(buffer, start);
    frame !== undefined;
    frame = decodeFrame(buffer, frame.end)
  ) {
    yield frame;
  }
}

/** The highest sequence of any intact frame behind a break, at whatever offset, among the next million after `expected`. */
export function highestSequenceBehind(
  buffer: Buffer,
  start: number,
  expected: number,
): number | undefined {
  let highest: number | undefined;
  for (let at = start; at + HEADER_BYTES < buffer.length; at += 1) {
    const sequence = Number(buffer.readBigUInt64BE(at + SEQUENCE_AT));
    if (sequence < expected || sequence > expected + 1_000_000) continue;
    const frame = decodeFrame(buffer, at);
    if (frame === undefined) continue;
    highest = Math.max(highest ?? 0, sequence);
    at = frame.end - 1;
  }
  return highest;
}
