import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { topics, type PrincipalState } from '@gatehouse/event-catalog';
import { createLogger, openBus } from '@gatehouse/platform';

const GROUPS_OF_A_USER = 5;
const BATCH = 500;

/**
 * Puts so many principals more on the state topic, as the relay of identity does: four users to an agent, each with a
 * key and each user in five groups. What identity itself does is left out: here it is gateways that are looked at.
 */
export async function addPrincipals(busUrl: string, count: number): Promise<void> {
  const log = createLogger({ service: 'bench', level: 'error' });
  const { bus, close } = openBus({ url: busUrl }, log);
  try {
    for (let start = 0; start < count; start += BATCH) {
      const many = Math.min(BATCH, count - start);
      const messages = Array.from({ length: many }, (_, index) =>
        toMessage(principal(start + index)),
      );
      await bus.publish(topics.principalsState, messages);
    }
  } finally {
    await close();
  }
}

function principal(number: number): PrincipalState {
  const id = randomUUID();
  const name = `principal-${id}`;
  const keys = [{ keyId: id.slice(0, 12), secretSha256: digest(), notAfter: null }];
  const roles = [`role-${number % 10}`];
  if (number % 5 === 0)
    return { kind: 'agent', id, name, active: true, ownerUserId: null, roles, keys };
  const groupIds = Array.from(
    { length: GROUPS_OF_A_USER },
    (_, of) => `group-${(number + of) % 50}`,
  );
  return { kind: 'user', id, name, displayName: name, active: true, groupIds, roles, keys };
}

function digest(): string {
  return createHash('sha256').update(randomBytes(32)).digest('hex');
}

function toMessage(state: PrincipalState): {
  key: string;
  value: Buffer;
  headers: Record<string, string>;
} {
  const headers = { 'content-type': 'application/json', position: '1' };
  return { key: `${state.kind}:${state.id}`, value: Buffer.from(JSON.stringify(state)), headers };
}
