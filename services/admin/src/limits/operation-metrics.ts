import { counter, histogram } from '@gatehouse/platform';
import type { DocumentNode } from 'graphql';
import { rootFieldsOf } from './root-fields.ts';

const service = 'admin';
const operations = counter({
  name: 'gatehouse_admin_operations_total',
  help: 'GraphQL requests, by kind of operation (`none` where it came to none) and by the first problem code, if any.',
  service,
  labels: ['kind', 'code'],
});
const duration = histogram({
  name: 'gatehouse_admin_operation_duration_seconds',
  help: 'How long they took, from the arrival of the request.',
  service,
  labels: ['kind'],
});

const kinds = new WeakMap<object, string>();

/** What is looked at of a reply: the request that it answers, and how long ago that came. */
export interface AnsweringReply {
  readonly request: object;
  readonly elapsedTime: number;
}

/** Remembers what a request asks for, as soon as it could be read. */
export function noteOperation({ request }: AnsweringReply, document: DocumentNode): void {
  kinds.set(request, rootFieldsOf(document)[0]?.operation ?? 'none');
}

/** Counts a request that was answered. */
export function countOperation({ request, elapsedTime }: AnsweringReply, code: string): void {
  const kind = kinds.get(request) ?? 'none';
  operations.inc({ kind, code });
  duration.observe({ kind }, elapsedTime / 1000);
}
