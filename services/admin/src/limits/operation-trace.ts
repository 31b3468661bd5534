import { currentSpan } from '@gatehouse/platform';
import type { DocumentNode } from 'graphql';
import { rootFieldsOf } from './root-fields.ts';

const MOST_NAMES = 3;

/** Names the span of a request by what it asks for, in words of the schema: an operation's own name is its caller's word. */
export function nameOperation(document: DocumentNode): void {
  const fields = rootFieldsOf(document);
  const operation = fields[0]?.operation ?? 'query';
  const names = [...new Set(fields.map(({ name }) => name))];
  const shown = names.slice(0, MOST_NAMES).join(', ');
  const span = currentSpan();
  span.updateName(`${operation} ${shown}${names.length > MOST_NAMES ? ', …' : ''}`);
  span.setAttribute('graphql.operation.type', operation);
}
