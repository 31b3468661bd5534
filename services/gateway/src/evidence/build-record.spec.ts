import { auditRecordSchema } from '@gatehouse/event-catalog';
import { sealingKeyFrom, unseal } from '@gatehouse/platform';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildRecord } from './build-record.ts';
import type { RecordDraft } from './evidence.ts';
import { MAX_PAYLOAD_BYTES } from './frame.ts';

const key = sealingKeyFrom(Buffer.alloc(32, 1));
const stamp = { id: 'id-1', source: 'spool-1', sequence: 1, at: '2026-01-01T12:00:00.000Z' };
const draft: RecordDraft = {
  phase: 'outcome',
  requestId: 'request-1',
  endpoint: '/mcp',
  method: 'tools/call',
  principal: { kind: 'agent', id: 'a', name: 'Reader', keyId: 'k', roles: ['viewer'] },
  server: 'files',
  tool: 'read_file',
  toolClass: 'read',
  decision: 'allow',
  reason: { code: 'granted', text: 'Granted.' },
  outcome: 'ok',
  httpStatus: 200,
  rpcCode: null,
  durationMs: 1,
  resultBytes: 2,
  client: { name: 'c', version: '1' },
  clientIp: '127.0.0.1',
  userAgent: 'agent/1',
  sessionRef: null,
  bundleNumber: 1,
  traceId: null,
};
const build = (given: Partial<RecordDraft>) =>
  buildRecord({ ...draft, ...given }, stamp, key, 256 * 1024);

describe('a record on its way to the spool', () => {
  test('carries the arguments sealed for it, and nowhere in clear', () => {
    const record = build({ arguments: { password: 'hunter2' } });
    expect(unseal(key, stamp.id, record.argumentsSealed!)).toEqual({ password: 'hunter2' });
    expect(record.argumentsBytes).toBe(22);
    expect(JSON.stringify(record)).not.toContain('hunter2');
    expect(auditRecordSchema.parse(record)).toEqual(record);
  });

  test('says that there were no arguments where there were none, and seals a null that was one', () => {
    expect(build({})).toMatchObject({ argumentsSealed: null, argumentsBytes: 0 });
    expect(unseal(key, stamp.id, build({ arguments: null }).argumentsSealed!)).toBe(null);
  });

  test('is valid, storable and small enough for the bus whatever strangers put into it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5_000 }),
      fc.constantFrom('\0', '\ud800', 'a\udc00b', '💥'.repeat(3_000), '\0'.repeat(1_000_000)),
    );
    fc.assert(
      fc.property(text, text, text, fc.jsonValue(), (tool, name, userAgent, args) => {
        const record = build({
          tool,
          method: tool,
          userAgent,
          client: { name, version: name },
          arguments: args,
        });
        const body = Buffer.from(JSON.stringify(record));
        expect(body.length).toBeLessThan(MAX_PAYLOAD_BYTES);
        expect(body.toString()).not.toMatch(/\\u0000|\\ud[89a-f]/);
        expect(auditRecordSchema.parse(JSON.parse(body.toString()))).toEqual(record);
      }),
    );
    const huge = build({ arguments: 'x'.repeat(10_000_000) });
    expect(Buffer.byteLength(JSON.stringify(huge))).toBeLessThan(MAX_PAYLOAD_BYTES);
    expect(huge.argumentsBytes).toBe(10_000_002);
  });

  test('is refused where the gate itself got it wrong', () => {
    expect(() => build({ durationMs: -1 })).toThrow();
    expect(() => build({ outcome: 'fine' as never })).toThrow();
  });
});
