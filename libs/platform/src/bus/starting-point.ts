export interface StartingPoint {
  readonly start: number;
  /** What was wanted and is not there any more, or not yet. */
  readonly outOfRange: number | undefined;
}

/** Where a partition goes on: where wanted, if that is there; else at its oldest message, or at its newest where asked so. */
export function startingPoint(
  wanted: number | undefined,
  range: { readonly low: number; readonly next: number },
  from: 'earliest' | 'latest' | undefined,
): StartingPoint {
  const isThere = wanted !== undefined && wanted >= range.low && wanted <= range.next;
  if (isThere) return { start: wanted, outOfRange: undefined };
  return { start: from === 'latest' ? range.next : range.low, outOfRange: wanted };
}

/** What a person is told then. */
export function outOfRangeAlarm(
  group: string,
  place: string,
  range: { readonly low: number; readonly next: number },
  { start, outOfRange }: StartingPoint,
): string {
  return `${group} stood at ${place}@${outOfRange}, outside of ${range.low} to ${range.next}: it goes on at ${start}`;
}
