/** The canonical key of a principal class: callers with the same set of roles share it, no others do. */
export function classKey(roles: readonly string[]): string {
  return JSON.stringify([...new Set(roles)].toSorted());
}
