import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Refusal } from '@gatehouse/problem-catalog';

const MAX_DEPTH = 200;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Reads a body of at most `limit` bytes; rejects with `body-too-large` as soon as it is known to be larger. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const tooLarge = (bytes: number): void => {
      request.removeAllListeners('data').resume();
      reject(
        new Refusal('body-too-large', {
          internal: `${bytes} bytes or more; the limit is ${limit}`,
        }),
      );
    };
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > limit) return tooLarge(announced);
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) return tooLarge(size);
      chunks.push(chunk);
    });
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.once('error', (cause) => reject(broken(cause)));
    request.once('close', () => {
      if (!request.complete) reject(broken(undefined));
    });
  });
}

/** The JSON of a body. Nesting is bounded, since what comes after walks it recursively. */
export function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new Refusal('json-malformed', { internal: 'the body is not UTF-8' });
  if (isDeeperThan(MAX_DEPTH, body)) {
    throw new Refusal('json-malformed', {
      detail: `The body is nested deeper than ${MAX_DEPTH} levels.`,
    });
  }
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new Refusal('json-malformed', { internal: (cause as Error).message, cause });
  }
}

function isDeeperThan(limit: number, body: Buffer): boolean {
  // Fewer bytes than levels: the usual small call need not be looked at.
  if (body.length <= limit) return false;
  let depth = 0;
  let inText = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at]!;
    if (inText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else depth += step(byte);
    if (depth > limit) return true;
  }
  return false;
}

// Of the ASCII brackets, `[` and `{` differ by one bit, and so do `]` and `}`.
function step(byte: number): number {
  const bracket = byte & ~0x20;
  if (bracket === 0x5b) return 1;
  return bracket === 0x5d ? -1 : 0;
}

function broken(cause: unknown): Refusal {
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException;
  const internal = code.startsWith('HPE_')
    ? `the body broke off: ${code}`
    : 'the client went away while it sent the body';
  return new Refusal('json-malformed', { internal, cause });
}
