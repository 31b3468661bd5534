/** Revisions that open with `initialize`, newest first. */
export const legacyProtocolVersions = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
] as const;

/** Revisions without sessions, newest first: every request carries its own envelope. */
export const modernProtocolVersions = ['2026-07-28'] as const;

/** Every revision there is, newest first. */
export const protocolVersions = [...modernProtocolVersions, ...legacyProtocolVersions] as const;

/** A protocol version that the gate speaks. */
export type ProtocolVersion = (typeof protocolVersions)[number];

/** A protocol version that works with sessions. */
export type LegacyProtocolVersion = (typeof legacyProtocolVersions)[number];

/** What a request without the header `MCP-Protocol-Version` speaks. */
export const assumedProtocolVersion: LegacyProtocolVersion = '2025-03-26';

/** Whether a text names a revision that opens with `initialize`. */
export function isLegacyProtocolVersion(version: unknown): version is LegacyProtocolVersion {
  return legacyProtocolVersions.some((known) => known === version);
}

/** The answer to a client's `initialize`: the version it asked for, or else the newest that opens so. */
export function negotiateLegacyVersion(asked: unknown): LegacyProtocolVersion {
  return isLegacyProtocolVersion(asked) ? asked : legacyProtocolVersions[0];
}
