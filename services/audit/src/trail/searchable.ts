const LONGEST = 1_024;

/** A text as the search columns hold it: what PostgreSQL cannot store (NUL, half a surrogate pair) is replaced, and no index entry outgrows its page. */
export function searchable<T extends string | null | undefined>(text: T): T | string {
  if (typeof text !== 'string') return text;
  return text.slice(0, LONGEST).replaceAll(/\p{Surrogate}|\0/gu, '\uFFFD');
}
