import { isDeepStrictEqual } from 'node:util';
import type { RoleDefinition } from '@gatehouse/event-catalog';

/** Whether two definitions say the same; the order of keys says nothing. */
export function sameRole(a: RoleDefinition, b: RoleDefinition): boolean {
  return isDeepStrictEqual(a, b);
}
