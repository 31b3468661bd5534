import type { AuditRecord } from '@gatehouse/event-catalog';

/** A record for specs: an answered call, but for what is given. */
export function sampleRecord(given: Partial<AuditRecord> = {}): AuditRecord {
  const { source = 'spool-1', sequence = 1 } = given;
  return {
    phase: 'outcome',
    id: `${source}-${sequence}`,
    requestId: `request-${source}-${sequence}`,
    source,
    sequence,
    at: '2026-01-01T12:00:00.000Z',
    endpoint: '/s/files/mcp',
    method: 'tools/call',
    principal: { kind: 'agent', id: 'agent-1', name: 'Reader', keyId: 'key-1', roles: ['viewer'] },
    server: 'files',
    tool: 'read_file',
    toolClass: 'read',
    decision: 'allow',
    reason: { code: 'granted', text: 'Granted by the role viewer.' },
    outcome: 'ok',
    httpStatus: 200,
    rpcCode: null,
    durationMs: 1.5,
    argumentsSealed: null,
    argumentsBytes: 0,
    resultBytes: 10,
    client: { name: 'test', version: '1' },
    clientIp: '127.0.0.1',
    userAgent: null,
    sessionRef: null,
    bundleNumber: 1,
    traceId: null,
    ...given,
  };
}
