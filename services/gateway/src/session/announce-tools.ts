import { methods } from '@gatehouse/mcp-protocol';
import type { CallingPrincipal } from '@gatehouse/principal-directory';
import type { Visibility } from '../state/visible-tools.ts';
import type { Session } from './session.ts';

/** Whether a session that listens sees other tools than it was last told of. */
export function hasNews(
  visibility: Visibility,
  { stream, endpoint, announced }: Session,
  caller: CallingPrincipal,
): boolean {
  return stream !== null && visibility.of(caller, endpoint).list !== announced;
}

/** Tells the client to fetch its tools anew, if what it sees is not what it was last told of and it listens. */
export async function announceTools(
  visibility: Visibility,
  session: Session,
  caller: CallingPrincipal,
): Promise<void> {
  if (!hasNews(visibility, session, caller)) return;
  session.announced = visibility.of(caller, session.endpoint).list;
  await session.transport.send({ jsonrpc: '2.0', method: methods.toolsListChanged });
}
