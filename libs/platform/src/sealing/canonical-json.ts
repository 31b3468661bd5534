/**
 * A value as RFC 8785 canonical JSON, so that equal arguments seal from equal bytes. Anything `JSON.stringify` would
 * skip or convert is skipped or converted in the same way; keys are ordered by UTF-16 code units.
 */
export function canonicalJson(value: unknown): string {
  const plain: unknown =
    value instanceof Object && 'toJSON' in value ? JSON.parse(JSON.stringify(value)) : value;
  if (Array.isArray(plain)) return `[${plain.map((item) => canonicalJson(item)).join(',')}]`;
  if (plain === null || typeof plain !== 'object') return JSON.stringify(plain) ?? 'null';
  const members = Object.entries(plain)
    .filter(
      ([, member]) =>
        member !== undefined && typeof member !== 'function' && typeof member !== 'symbol',
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
