import { problems, Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import { JSONRPCErrorResponseSchema } from '@modelcontextprotocol/core';
import { describe, expect, it } from 'vitest';
import { rpcError, rpcErrorResponse, rpcErrorResponseOf } from './index.ts';

describe('an error answer', () => {
  it.each(Object.keys(problems) as ProblemCode[])('for %s is one that clients can read', (code) => {
    const answer = rpcErrorResponse('id-1', code);
    expect(JSONRPCErrorResponseSchema.parse(answer)).toEqual(answer);
    expect(answer.error).toEqual({
      code: problems[code].rpcCode,
      message: problems[code].title,
      data: { problem: code },
    });
  });

  it('for a tool that is hidden and for one that is missing is the same, byte for byte', () => {
    const hidden = new Refusal('tool-unknown', { internal: 'role "viewer" sets it to "off"' });
    const missing = new Refusal('tool-unknown', { internal: 'no such tool' });
    expect(JSON.stringify(rpcErrorResponseOf(1, hidden))).toBe(
      JSON.stringify(rpcErrorResponseOf(1, missing)),
    );
  });

  it('carries the detail that is meant for the caller', () => {
    const refusal = new Refusal('arguments-invalid', {
      detail: '`path` is missing',
      internal: 'x',
    });
    expect(rpcErrorResponseOf(null, refusal)).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: rpcError('arguments-invalid', '`path` is missing'),
    });
  });

  it('tells nothing of a bug', () => {
    const answer = rpcErrorResponseOf(3, new Error('password=hunter2'));
    expect(answer.error).toEqual(rpcError('internal'));
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });
});
