import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/core/internal';
import { describe, expect, it } from 'vitest';
import {
  isLegacyProtocolVersion,
  legacyProtocolVersions,
  negotiateLegacyVersion,
  protocolVersions,
} from './index.ts';

describe('protocol versions', () => {
  it('that open with initialize are those of the SDK', () => {
    expect(legacyProtocolVersions).toEqual(SUPPORTED_PROTOCOL_VERSIONS);
  });

  it('are listed newest first, each once', () => {
    expect([...new Set(protocolVersions)].toSorted().toReversed()).toEqual(protocolVersions);
  });

  it('are answered as asked, or with the newest that opens with initialize', () => {
    expect(negotiateLegacyVersion('2025-03-26')).toBe('2025-03-26');
    expect(negotiateLegacyVersion('2099-01-01')).toBe('2025-11-25');
    expect(negotiateLegacyVersion('2026-07-28')).toBe('2025-11-25');
    expect(negotiateLegacyVersion(undefined)).toBe('2025-11-25');
    expect(isLegacyProtocolVersion('2026-07-28')).toBe(false);
  });
});
