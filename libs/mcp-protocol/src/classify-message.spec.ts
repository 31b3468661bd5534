import {
  JSONRPCErrorResponseSchema,
  JSONRPCNotificationSchema,
  JSONRPCRequestSchema,
  JSONRPCResultResponseSchema,
} from '@modelcontextprotocol/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyMessage } from './index.ts';

const rpc = { jsonrpc: '2.0' };

function kindBySdk(body: unknown): string {
  if (JSONRPCRequestSchema.safeParse(body).success) return 'request';
  if (JSONRPCNotificationSchema.safeParse(body).success) return 'notification';
  const response =
    JSONRPCResultResponseSchema.safeParse(body).success ||
    JSONRPCErrorResponseSchema.safeParse(body).success;
  return response ? 'response' : 'malformed';
}

describe('a parsed body', () => {
  it('is classified as the envelope schemas of the SDK classify it', () => {
    const value = fc.oneof(
      fc.constantFrom(0, 7, -1, 1.5, 2 ** 53, '', 'a', null, true),
      fc.constant([]),
      fc.constantFrom<object>(
        {},
        { a: 1 },
        { code: -32000, message: 'no' },
        { code: 1.5, message: 'no' },
      ),
    );
    const envelope = fc.record(
      {
        jsonrpc: fc.constantFrom<unknown>('2.0', '2.0', '2.0', '1.0', 2, null),
        id: value,
        method: fc.oneof(fc.constant('tools/call'), value),
        params: value,
        result: value,
        error: value,
        extra: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(envelope, (body) => {
        expect(classifyMessage(body).kind).toBe(kindBySdk(body));
      }),
      { numRuns: 3_000 },
    );
  });

  it('keeps params and result as they were parsed, down to the object itself', () => {
    const params = JSON.parse('{"z":1,"a":{"__proto__":{"x":1}},"_meta":{"progressToken":{}}}');
    expect(classifyMessage({ ...rpc, id: 1, method: 'tools/call', params })).toMatchObject({
      kind: 'request',
      id: 1,
      method: 'tools/call',
    });
    const request = classifyMessage({ ...rpc, id: 1, method: 'tools/call', params });
    const notification = classifyMessage({ ...rpc, method: 'notifications/cancelled', params });
    const response = classifyMessage({ ...rpc, id: 'x', result: params });
    expect('params' in request && request.params).toBe(params);
    expect('params' in notification && notification.params).toBe(params);
    expect(response).toEqual({
      kind: 'response',
      id: 'x',
      outcome: { kind: 'result', result: params },
    });
  });

  it('is a batch when it is an array, its messages untouched and an empty one too', () => {
    const messages = [{ ...rpc, id: 1, method: 'ping' }, 7];
    expect(classifyMessage(messages)).toEqual({ kind: 'batch', messages });
    expect(classifyMessage([])).toEqual({ kind: 'batch', messages: [] });
  });

  it('is an error response without an id when the peer could not read ours', () => {
    const error = { code: -32700, message: 'Parse error', data: { at: 3 } };
    expect(classifyMessage({ ...rpc, error })).toEqual({
      kind: 'response',
      id: undefined,
      outcome: { kind: 'error', error },
    });
  });

  it.each([
    [{ id: 5, method: 'ping' }, 5, '`jsonrpc` must be "2.0"'],
    [{ ...rpc, id: 5, method: 7 }, 5, '`method` must be a string'],
    [{ ...rpc, id: 'a', method: 'ping', params: [1] }, 'a', '`params` must be an object'],
    [{ ...rpc, id: 'a', method: 'ping', params: null }, 'a', '`params` must be an object'],
    [{ ...rpc, id: 'a', method: 'ping', result: {} }, 'a', 'a request has no other keys'],
    [{ ...rpc, id: null, method: 'ping' }, null, '`id` must be a string or an integer'],
    [{ ...rpc, id: 2 ** 53, method: 'ping' }, null, '`id` must be a string or an integer'],
    [{ ...rpc, id: 9 }, 9, 'a message has a `method`'],
    [{ ...rpc, result: {} }, null, 'a result needs the id'],
    [{ ...rpc, id: 9, result: {}, extra: 1 }, 9, 'a response has no other keys'],
    [{ ...rpc, id: 9, error: { code: 1, message: 'no' }, params: {} }, 9, 'a response has no'],
    [{ ...rpc, id: 9, result: [] }, 9, '`result` must be an object'],
    [{ ...rpc, id: 9, error: { code: '1', message: 'no' } }, 9, '`error` must have'],
    ['ping', null, 'a message is a JSON object'],
    [null, null, 'a message is a JSON object'],
  ])('like %j is malformed, and says why', (body, id, because) => {
    expect(classifyMessage(body)).toEqual({
      kind: 'malformed',
      id,
      because: expect.stringContaining(because) as string,
    });
  });
});
