const DEEPEST = 64;
const NUL = '\u0000';

/** Names what in a JSON value cannot be recorded faithfully: nesting without end, NUL, half a character. Undefined when all is well. */
export function findUnstorable(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string') return flawOf(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === DEEPEST) return `more than ${DEEPEST} levels of nesting`;
  for (const [key, inner] of Object.entries(value)) {
    const flaw = flawOf(key) ?? findUnstorable(inner, depth + 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function flawOf(text: string): string | undefined {
  if (text.includes(NUL)) return 'a NUL character';
  // Half of a surrogate pair does not survive UTF-8.
  if (/\p{Surrogate}/u.test(text)) return 'half a character';
  return undefined;
}
