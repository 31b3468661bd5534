import { isLegacyProtocolVersion, legacyProtocolVersions } from '@gatehouse/mcp-protocol';
import { RefusalWithData } from '../../entrance/answer.ts';
import type { Exchange } from '../../entrance/exchange.ts';

const ENVELOPE_KEY = 'io.modelcontextprotocol/protocolVersion';

/** Refuses what is said in a version that the gate does not speak, in the words by which newer clients fall back to an older one. */
export function checkProtocolVersion(exchange: Exchange): void {
  const asked = exchange.header('mcp-protocol-version') ?? envelopeVersion(exchange);
  if (asked === undefined || isLegacyProtocolVersion(asked)) return;
  const requested = asked.slice(0, 64);
  throw new RefusalWithData(
    'protocol-version-unsupported',
    { supported: legacyProtocolVersions, requested },
    `version ${requested}`,
  );
}

// Since 2026-07-28 every request names its version in its body; the header may have been lost on the way.
function envelopeVersion({ message }: Exchange): string | undefined {
  if (message === null || message.kind === 'response') return undefined;
  const meta = message.params?.['_meta'];
  if (typeof meta !== 'object' || meta === null) return undefined;
  const version = (meta as Record<string, unknown>)[ENVELOPE_KEY];
  // What is no text names no version either, and is refused as such.
  return version === undefined || typeof version === 'string' ? version : 'unreadable';
}
