import { problem, Refusal, type ProblemCode } from '@gatehouse/problem-catalog';

/** RFC 9457: what a caller of a plain HTTP API is told. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail?: string;
  readonly correlationId: string;
}

/** The document of a refusal; anything else is a bug and tells the caller nothing but the correlation id. */
export function problemDocument(error: unknown, correlationId: string): ProblemDocument {
  const code = error instanceof Refusal ? error.code : 'internal';
  const { title, status } = problem(code);
  const detail = error instanceof Refusal ? error.detail : undefined;
  return {
    type: `urn:gatehouse:problem:${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    correlationId,
  };
}
