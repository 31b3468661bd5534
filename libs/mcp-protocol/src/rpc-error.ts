import { problem, Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import type { RequestId } from './classify-message.ts';

/** An error as the gate answers it: the catalogue's JSON-RPC code and sentence, and the stable problem code for programs. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly problem: ProblemCode };
}

/** A whole error answer. */
export interface RpcErrorResponse {
  readonly jsonrpc: '2.0';
  readonly id: RequestId | null;
  readonly error: RpcError;
}

/** The error object of a catalogued problem; `detail` is for the caller and takes the place of the catalogue's sentence. */
export function rpcError(code: ProblemCode, detail?: string): RpcError {
  const { rpcCode, title } = problem(code);
  return { code: rpcCode, message: detail ?? title, data: { problem: code } };
}

/** The answer to a request that met a catalogued problem. */
export function rpcErrorResponse(
  id: RequestId | null,
  code: ProblemCode,
  detail?: string,
): RpcErrorResponse {
  return { jsonrpc: '2.0', id, error: rpcError(code, detail) };
}

/** The answer for whatever was thrown: what is not a Refusal is a bug, of which the caller learns nothing. */
export function rpcErrorResponseOf(id: RequestId | null, thrown: unknown): RpcErrorResponse {
  return thrown instanceof Refusal
    ? rpcErrorResponse(id, thrown.code, thrown.detail)
    : rpcErrorResponse(id, 'internal');
}
