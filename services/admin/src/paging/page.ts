import { Refusal } from '@gatehouse/problem-catalog';
import type { PageInfo } from '../schema/schema.generated.ts';

/** A page of a list, as asked for. */
export interface PageArgs {
  readonly first: number;
  readonly after?: string | null;
}

/** A page as a query runs it: one row more than asked for tells whether there is a next page. */
export interface PageRequest {
  readonly first: number;
  readonly limit: number;
  /** The sort key of the last row of the page before; null on the first page. */
  readonly after: readonly string[] | null;
}

export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfo;
}

/** Checks what was asked for; a sort key has `width` parts. */
export function readPageArgs(args: PageArgs, width: number, maxPageSize: number): PageRequest {
  const { first, after } = args;
  checkPageSize(first, maxPageSize);
  return {
    first,
    limit: first + 1,
    after: after === undefined || after === null ? null : fromCursor(after, width),
  };
}

/** A page has at least one row and at most `maxPageSize`. */
export function checkPageSize(first: number, maxPageSize: number): void {
  if (first < 1) throw new Refusal('request-invalid', { detail: '`first` must be at least 1.' });
  if (first > maxPageSize) {
    throw new Refusal('query-too-complex', {
      detail: `\`first\` must be at most ${maxPageSize}: page through more.`,
    });
  }
}

/** Cuts the extra row off; `keyOf` answers the sort key of a row. */
export function toPage<Node>(
  rows: readonly Node[],
  { first }: PageRequest,
  keyOf: (node: Node) => readonly string[],
): Page<Node> {
  const nodes = rows.slice(0, first);
  const last = nodes.at(-1);
  return {
    nodes,
    pageInfo: {
      hasNextPage: rows.length > first,
      endCursor: last === undefined ? null : toCursor(keyOf(last)),
    },
  };
}

function toCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function fromCursor(cursor: string, width: number): readonly string[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(key) && key.length === width && key.every((part) => typeof part === 'string'))
      return key;
  } catch {
    // Not even JSON: the same refusal.
  }
  throw new Refusal('cursor-invalid');
}
