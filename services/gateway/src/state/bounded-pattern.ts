import { setFlagsFromString } from 'node:v8';
import { requireDeadline } from './within-time.ts';

// Where a pattern goes back too often, V8 goes on with an engine whose time is linear in the text; and the flag `l`
// tells whether that engine can take a pattern at all. Set before the first pattern is made, for the whole process.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
setFlagsFromString('--enable-experimental-regexp-engine');

// What means something else, or nothing, without the flag `u`, which that engine does not know.
const NEEDS_UNICODE = /\\[pP]|\\u\{|\\u[dD][89a-fA-F]|[\ud800-\udfff]/;
const SURROGATE = /[\ud800-\udfff]/;

interface Pattern {
  test(text: string): boolean;
  /** Tells it from others: Ajv makes one of all patterns that have the same. */
  toString(): string;
}

/** A pattern of somebody else's schema: its time is linear in the text, or it asks for a deadline before it is tried. */
export function boundedPattern(source: string): Pattern {
  const unicode = new RegExp(source, 'u');
  const linear = linearOf(source);
  return {
    test(text) {
      // Without a character beyond the basic plane both mean the same.
      if (linear !== undefined && !SURROGATE.test(text)) return linear.test(text);
      requireDeadline();
      return unicode.test(text);
    },
    toString: () => String(unicode),
  };
}

function linearOf(source: string): RegExp | undefined {
  if (NEEDS_UNICODE.test(source)) return undefined;
  try {
    // oxlint-disable-next-line no-invalid-regexp -- a flag of V8's own, enabled above
    RegExp(source, 'l');
    return new RegExp(source);
  } catch {
    return undefined;
  }
}
