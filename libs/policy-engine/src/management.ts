import type { RoleDefinition } from '@gatehouse/event-catalog';
import type { CompiledPolicy } from './compile.ts';

/** What a caller may do to the gate itself. */
export type Management = RoleDefinition['management'];

/** The most that any of the roles lets its holder do to the gate itself; roles that do not exist count for nothing. */
export function managementOf(policy: CompiledPolicy, roles: readonly string[]): Management {
  const held = new Set(roles.map((role) => policy.roles.get(role)?.management ?? 'none'));
  if (held.has('administer')) return 'administer';
  return held.has('observe') ? 'observe' : 'none';
}
