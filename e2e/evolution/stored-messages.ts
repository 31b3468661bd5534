import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Release } from './releases.ts';

/** An event or a message as a release stored it. */
export interface Stored {
  /** An event type; of a message that is no event, the topic. */
  readonly name: string;
  readonly data: unknown;
}

interface Row {
  readonly table: string;
  readonly row: Readonly<Record<string, unknown>>;
}

/** Every event in the logs of a release. */
export function storedEvents({ rows }: Pick<Release, 'rows'>): readonly Stored[] {
  return readdirSync(rows)
    .flatMap((file) => rowsOf(join(rows, file)))
    .filter(({ table }) => table === 'event')
    .map(({ row }) => ({ name: String(row['type']), data: row['data'] }));
}

/** Every message on the bus of a release: events, state, evidence. */
export function storedMessages({ rows }: Pick<Release, 'rows'>): readonly Stored[] {
  return rowsOf(join(rows, 'bus.jsonl'))
    .filter(({ table, row }) => table === 'message' && row['value'] !== null)
    .map(({ row }) => {
      const { ce_type: type } = row['headers'] as { ce_type?: string };
      const isEvent = type !== undefined && !String(row['topic']).endsWith('audit.raw.v1');
      return {
        name: isEvent ? type : String(row['topic']),
        data: JSON.parse(String(row['value'])) as unknown,
      };
    });
}

function rowsOf(path: string): readonly Row[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Row);
}
