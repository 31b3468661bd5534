import { Refusal } from '@gatehouse/problem-catalog';
import { refuseOperation } from '../error/answer-failure.ts';
import { checkText } from './check-text.ts';

/** One operation a request, as text, and no more of it than may be parsed. */
export function checkBody(body: unknown, maxTokens: number): void {
  if (Array.isArray(body)) {
    const detail = 'Send one operation a request: batches are not taken.';
    throw refuseOperation(new Refusal('query-too-complex', { detail }));
  }
  const query: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'query') : undefined;
  if (typeof query !== 'string' || query.trim() === '' || isJson(query)) {
    const detail = 'Send an object with the operation as text in `query`.';
    throw refuseOperation(new Refusal('request-invalid', { detail }));
  }
  checkText(query, maxTokens);
}

// Mercurius takes JSON too, as a document that is parsed already: nobody has counted its tokens, nor looked whether it is one.
function isJson(query: string): boolean {
  try {
    JSON.parse(query);
    return true;
  } catch {
    return false;
  }
}
