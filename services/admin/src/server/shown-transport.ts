import type { Transport } from '@gatehouse/event-catalog';
import type { StdioTransport, StreamableHttpTransport } from '../schema/schema.generated.ts';

/** A transport as this API shows and keeps it: without the values of variables, and without credentials in the address. */
export type ShownTransport =
  | ({ readonly kind: 'streamable-http' } & StreamableHttpTransport)
  | ({ readonly kind: 'stdio' } & StdioTransport);

export function shownTransport(transport: Transport): ShownTransport {
  if (transport.kind === 'stdio') {
    const { kind, command, args, env } = transport;
    return { kind, command, args, envNames: Object.keys(env).toSorted() };
  }
  const url = new URL(transport.url);
  url.username = '';
  url.password = '';
  return { kind: transport.kind, url: url.href };
}
