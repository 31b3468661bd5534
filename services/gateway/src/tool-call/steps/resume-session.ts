import { methods } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';

/** Finds the session that a request is part of. Somebody else's session is no session. */
export function resumeSession(exchange: Exchange, { sessions }: Gate): void {
  const { caller, endpoint, message } = exchange;
  if (message?.kind === 'request' && message.method === methods.initialize) return;
  const id = exchange.header('mcp-session-id');
  if (id === undefined) throw new Refusal('session-required');
  const session = sessions.find(id);
  if (session === undefined) throw new Refusal('session-unknown');
  if (caller === null || !session.belongsTo(caller.principal, endpoint)) {
    throw new Refusal('session-unknown', {
      internal: 'the session is that of another caller or endpoint',
    });
  }
  session.lastSeenAt = performance.now();
  session.keyId = caller.keyId;
  exchange.session = session;
  exchange.client = session.client;
}
