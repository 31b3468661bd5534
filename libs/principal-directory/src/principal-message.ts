import {
  parseJson,
  principalStateSchema,
  type PrincipalRef,
  type PrincipalState,
} from '@gatehouse/event-catalog';

const KEY = /^(?:user|agent|group):./s;

/** The key of an entity on the principals state topic. */
export function principalKey(entity: Pick<PrincipalState, 'kind' | 'id'> | PrincipalRef): string {
  return `${entity.kind}:${entity.id}`;
}

/** Reads a message of the principals state topic; null is a tombstone. Throws when it can never be applied. */
export function parsePrincipalMessage(
  key: string | null,
  buffer: Uint8Array | null,
): PrincipalState | null {
  if (key === null || !KEY.test(key)) throw new Error('the key of a principal is `<kind>:<id>`');
  if (buffer === null) return null;
  const state = principalStateSchema.parse(parseJson(buffer));
  if (principalKey(state) !== key) {
    throw new Error(`the message of ${key} speaks of ${principalKey(state)}`);
  }
  return state;
}
