import { parseJson, policyStateSchema } from '@gatehouse/event-catalog';
import { compile, type CompiledPolicy } from './compile.ts';

/** Reads a message of the policy state topic, ready to decide by. Throws when it can never be applied; there is no tombstone. */
export function parsePolicyMessage(buffer: Uint8Array | null): {
  readonly number: number;
  readonly policy: CompiledPolicy;
} {
  if (buffer === null) throw new Error('a policy is replaced, and never taken away');
  const { number, roles } = policyStateSchema.parse(parseJson(buffer));
  return { number, policy: compile(roles) };
}
