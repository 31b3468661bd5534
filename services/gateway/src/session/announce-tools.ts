import { methods } from '@gatehouse/mcp-protocol';
import type { CallingPrincipal } from '@gatehouse/principal-directory';
import type { Visibility } from '../state/visible-tools.ts';
import type { Session } from './session.ts';

/** Tells the client to fetch its tools anew, if what it sees is not what it was last told of and it listens. */
export async function announceTools(
  visibility: Visibility,
  session: Session,
  caller: CallingPrincipal,
): Promise<void> {
  const { list } = visibility.of(caller, session.endpoint);
  if (session.stream === null || list === session.announced) return;
  session.announced = list;
  await session.transport.send({ jsonrpc: '2.0', method: methods.toolsListChanged });
}
