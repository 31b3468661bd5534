import type { AuditRecord } from '@gatehouse/event-catalog';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdmin, type RunningAdmin } from '../test/start-admin.ts';

const record = (sequence: number, changes: Partial<AuditRecord> = {}): AuditRecord => ({
  phase: 'outcome',
  id: `record-${sequence}`,
  requestId: `request-${sequence}`,
  source: 'gate-1',
  sequence,
  at: '2026-01-31T12:00:00.000Z',
  endpoint: '/mcp',
  method: 'tools/call',
  principal: {
    kind: 'agent',
    id: 'robot',
    name: 'Robot',
    keyId: 'key-1',
    roles: ['reader'],
  },
  server: 'files',
  tool: 'read_file',
  toolClass: 'read',
  decision: 'allow',
  reason: { code: 'granted', text: 'The role reader lets it.' },
  outcome: 'tool-error',
  httpStatus: 200,
  rpcCode: null,
  durationMs: 1.5,
  argumentsSealed: { keyId: 'k', iv: 'i', ciphertext: 'the-sealed-arguments', tag: 't' },
  argumentsBytes: 12,
  resultBytes: 34,
  client: { name: 'a-client', version: '1' },
  clientIp: '127.0.0.1',
  userAgent: null,
  sessionRef: null,
  bundleNumber: 1,
  traceId: null,
  ...changes,
});

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await startAdmin();
  admin.owners.trail.push(
    { index: 2, record: record(3, { principal: null, decision: 'deny', outcome: 'refused' }) },
    { index: 1, record: record(2) },
    { index: 0, record: record(1, { argumentsSealed: null, outcome: 'unknown', phase: 'intent' }) },
  );
});
afterAll(async () => {
  await admin.stop();
});

describe('the trail', () => {
  test('is shown as audit answers it, but for the sealed arguments', async () => {
    const { data, errors, body } = await admin.ask(`{ auditRecords {
      nodes { id index phase at principal { kind id name keyId roles } server tool toolClass decision
        reason { code text } outcome durationMs hasArguments client { name version } clientIp source sequence }
      pageInfo { hasNextPage } } }`);
    expect(errors).toEqual([]);
    expect(data.auditRecords.pageInfo).toEqual({ hasNextPage: false });
    expect(data.auditRecords.nodes).toMatchObject([
      { id: 'record-3', index: 2, principal: null, decision: 'DENY', outcome: 'REFUSED' },
      {
        id: 'record-2',
        phase: 'OUTCOME',
        at: '2026-01-31T12:00:00.000Z',
        principal: { kind: 'AGENT', id: 'robot', name: 'Robot', keyId: 'key-1', roles: ['reader'] },
        toolClass: 'READ',
        outcome: 'TOOL_ERROR',
        hasArguments: true,
        reason: { code: 'granted', text: 'The role reader lets it.' },
      },
      { id: 'record-1', phase: 'INTENT', outcome: 'UNKNOWN', hasArguments: false },
    ]);
    expect(JSON.stringify(body)).not.toContain('the-sealed-arguments');
  });

  test('is paged by the cursors of audit', async () => {
    const page = (after: string | null) =>
      admin.ask(
        `query ($after: String) { auditRecords(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }`,
        { after },
      );
    const first = (await page(null)).data.auditRecords;
    expect(first.nodes).toEqual([{ id: 'record-3' }, { id: 'record-2' }]);
    expect(first.pageInfo.hasNextPage).toBe(true);
    const second = (await page(first.pageInfo.endCursor)).data.auditRecords;
    expect(second.nodes).toEqual([{ id: 'record-1' }]);
    expect(second.pageInfo.hasNextPage).toBe(false);
  });

  test('is searched by what is given, in the words of the trail, and by nothing that is null', async () => {
    const { errors } = await admin.ask(
      `query ($tool: String) { auditRecords(first: 7, filter: { principalId: "robot", tool: $tool, server: null,
        decision: DENY, outcome: UPSTREAM_ERROR, from: "2026-01-31T13:00:00+01:00" }) { nodes { id } } }`,
    );
    expect(errors).toEqual([]);
    expect(admin.owners.searches.at(-1)).toEqual({
      first: 7,
      after: null,
      filter: {
        principalId: 'robot',
        decision: 'deny',
        outcome: 'upstream-error',
        from: '2026-01-31T12:00:00.000Z',
      },
    });
  });

  test('opens sealed arguments one record at a time', async () => {
    const reveal = (id: string) =>
      admin.ask('query ($id: ID!) { revealArguments(id: $id) { id arguments } }', { id });
    expect((await reveal('record-2')).data.revealArguments).toEqual({
      id: 'record-2',
      arguments: { path: '/tmp/a' },
    });
    const { errors } = await reveal('record-9');
    expect(errors[0]?.extensions).toMatchObject({ code: 'audit-record-unknown', status: 404 });
  });
});
