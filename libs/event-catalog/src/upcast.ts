/** How data of an old version of an event becomes data of the next: pure, total, from exactly one version to exactly one. */
export interface Upcaster {
  readonly from: string;
  readonly to: string;
  upcast(data: unknown): unknown;
}

/** An event's type and data, as stored or as read. */
export interface TypedData {
  readonly type: string;
  readonly data: unknown;
}

/**
 * Builds the reader of old events: it carries type and data forward until no upcaster takes them further. Two
 * upcasters from one version, or a circle, are refused at once.
 */
export function upcastWith(upcasters: readonly Upcaster[]): (event: TypedData) => TypedData {
  const byType = new Map<string, Upcaster>();
  for (const upcaster of upcasters) {
    if (byType.has(upcaster.from)) throw new Error(`two upcasters from ${upcaster.from}`);
    byType.set(upcaster.from, upcaster);
  }
  for (const start of byType.keys()) refuseCircle(byType, start);
  return ({ type, data }) => {
    let current: TypedData = { type, data };
    for (let next = byType.get(type); next !== undefined; next = byType.get(next.to)) {
      current = { type: next.to, data: next.upcast(current.data) };
    }
    return current;
  };
}

function refuseCircle(byType: ReadonlyMap<string, Upcaster>, start: string): void {
  const seen = new Set([start]);
  for (let next = byType.get(start); next !== undefined; next = byType.get(next.to)) {
    if (seen.has(next.to)) throw new Error(`upcasters go in a circle from ${start}`);
    seen.add(next.to);
  }
}
