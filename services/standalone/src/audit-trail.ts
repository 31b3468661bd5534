import Table from 'cli-table3';
import pc from 'picocolors';
import { askGraphQL } from './graphql-client.ts';

/** What the command line shows of an audit record. */
export interface TrailRow {
  readonly id: string;
  readonly index: number;
  readonly at: string;
  readonly method: string;
  readonly endpoint: string;
  readonly principal: { readonly name: string } | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly decision: 'ALLOW' | 'DENY';
  readonly outcome: string;
  readonly reason: { readonly code: string; readonly text: string };
  readonly durationMs: number;
}

interface TrailPage {
  readonly auditRecords: {
    readonly nodes: readonly TrailRow[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

const QUERY = `query Trail($filter: AuditFilter, $first: Int!, $after: String) {
  auditRecords(filter: $filter, first: $first, after: $after) {
    nodes { id index at method endpoint principal { name } server tool decision outcome reason { code text } durationMs }
    pageInfo { hasNextPage endCursor }
  }
}`;
const PAGE = 100;

/** The newest `limit` records that match, newest first. */
export async function readTrail(
  url: string,
  token: string,
  filter: Readonly<Record<string, unknown>>,
  limit: number,
): Promise<readonly TrailRow[]> {
  const rows: TrailRow[] = [];
  let after: string | null = null;
  while (rows.length < limit) {
    const variables = { filter, first: Math.min(PAGE, limit - rows.length), after };
    const page: TrailPage = await askGraphQL<TrailPage>(url, token, QUERY, variables);
    rows.push(...page.auditRecords.nodes);
    if (!page.auditRecords.pageInfo.hasNextPage) break;
    after = page.auditRecords.pageInfo.endCursor;
  }
  return rows;
}

const COLUMNS = ['time (UTC)', 'who', 'what', 'decision', 'why', 'ms'] as const;

/** The rows as a table for a terminal, oldest first: who, which tool, what was decided, why, how long it took. */
export function trailTable(newestFirst: readonly TrailRow[]): string {
  const table = new Table({
    head: [...COLUMNS],
    style: {
      head: pc.isColorSupported ? ['bold'] : [],
      border: pc.isColorSupported ? ['grey'] : [],
      compact: true,
    },
    colAligns: ['left', 'left', 'left', 'left', 'left', 'right'],
    colWidths: [null, null, null, null, 64, null],
    wordWrap: true,
  });
  for (const row of newestFirst.toReversed()) table.push(trailCells(row));
  return table.toString();
}

/** One row as a line, for a trail that is followed. */
export function trailLine(row: TrailRow): string {
  return trailCells(row).join('  ');
}

function trailCells(row: TrailRow): string[] {
  const decision = row.decision === 'ALLOW' ? pc.green('allow') : pc.red('deny');
  const ended =
    row.outcome === 'OK' || row.outcome === 'REFUSED'
      ? ''
      : ` (${row.outcome.toLowerCase().replace('_', ' ')})`;
  return [
    row.at.slice(11, 23),
    row.principal?.name ?? '-',
    whatWasAsked(row),
    `${decision}${ended}`,
    row.reason.text,
    row.durationMs.toFixed(1),
  ];
}

function whatWasAsked({ server, tool, method, endpoint }: TrailRow): string {
  if (tool !== null) return `${server ?? '?'} ${tool}`;
  // What did not get as far as a message asked for nothing but an address.
  return method === 'http' ? `http ${endpoint}` : method;
}
