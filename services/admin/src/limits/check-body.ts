import { Refusal } from '@gatehouse/problem-catalog';
import { refuseOperation } from '../error/answer-failure.ts';

// Mercurius also takes a document that is parsed already, in which nobody has counted the tokens.
const PARSED_DOCUMENT = /^\s*\{\s*"/;

/** One operation a request, as text. */
export function checkBody(body: unknown): void {
  if (Array.isArray(body)) {
    const detail = 'Send one operation a request: batches are not taken.';
    throw refuseOperation(new Refusal('query-too-complex', { detail }));
  }
  const query: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'query') : undefined;
  if (typeof query !== 'string' || query.trim() === '' || PARSED_DOCUMENT.test(query)) {
    const detail = 'Send an object with the operation as text in `query`.';
    throw refuseOperation(new Refusal('request-invalid', { detail }));
  }
}
