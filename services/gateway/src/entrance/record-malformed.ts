import type { MalformedRequest, OnMalformedRequest } from '@gatehouse/platform';
import { problem, Refusal } from '@gatehouse/problem-catalog';
import type { RecordDraft } from '../evidence/evidence.ts';
import type { Gate } from '../gate.ts';
import { countMalformed } from './request-metrics.ts';

/** Records what arrived and is no HTTP request: nobody can say that it was not for the gate. */
export function recordMalformed({ evidence, state, underWay }: Gate): OnMalformedRequest {
  return async (malformed) => {
    const done = underWay.enter();
    countMalformed(malformed.refusal.code);
    try {
      await evidence.record(draftOf(malformed, state.bundleNumber));
    } catch (failure) {
      const doubt = state.doubt();
      throw doubt === undefined ? failure : new Refusal(doubt.code, { cause: failure });
    } finally {
      done();
    }
  };
}

function draftOf(
  { requestId, clientIp, refusal }: MalformedRequest,
  bundleNumber: number | null,
): RecordDraft {
  const { code, status, internal } = refusal;
  return {
    phase: 'outcome',
    requestId,
    // It named no address that could be read.
    endpoint: '*',
    method: 'http',
    principal: null,
    server: null,
    tool: null,
    toolClass: null,
    decision: 'deny',
    reason: { code, text: internal ?? problem(code).title },
    outcome: 'refused',
    httpStatus: status,
    rpcCode: null,
    durationMs: 0,
    resultBytes: 0,
    client: null,
    clientIp,
    userAgent: null,
    sessionRef: null,
    bundleNumber,
    traceId: null,
  };
}
