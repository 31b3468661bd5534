import { admitted, type Answer } from '../entrance/answer.ts';
import type { Caller, Exchange } from '../entrance/exchange.ts';
import { webRequestOf } from '../entrance/request-stream.ts';
import type { Gate } from '../gate.ts';
import { announceTools } from './announce-tools.ts';
import type { ClientStream, Session } from './session.ts';

/** Opens the stream on which a session hears what it did not ask for. A second one replaces the first, whose client may be long gone. */
export async function openClientStream(
  exchange: Exchange,
  session: Session,
  caller: Caller,
  gate: Gate,
): Promise<Answer> {
  session.transport.closeStandaloneSSEStream();
  const response = await session.transport.handleRequest(webRequestOf(exchange));
  if (!response.ok) throw new Error(`the transport refused a stream with ${response.status}`);
  const stream: ClientStream = { keyId: caller.keyId };
  session.stream = stream;
  const forget = (): void => {
    if (session.stream === stream) session.stream = null;
  };
  exchange.response.once('close', forget);
  // What changed while nobody listened is told at once; the stream holds it until the record is durable.
  await announceTools(gate.visibility, session, caller.principal);
  const settle = (recorded: boolean): void => {
    if (recorded) return;
    forget();
    session.transport.closeStandaloneSSEStream();
  };
  return { kind: 'framed', response, ending: admitted, settle };
}
