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

/** A message as it lay on the bus of a release. */
export interface Message {
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string | null;
}

/** Every message on the bus of a release, in the order in which they lay there. */
export function busMessages({ rows }: Pick<Release, 'rows'>): readonly Message[] {
  return rowsOf(join(rows, 'bus.jsonl'))
    .filter(({ table }) => table === 'message')
    .map(({ row }) => row as unknown as Message);
}

/** What those that are no tombstones say: events, state, evidence. */
export function storedMessages(release: Pick<Release, 'rows'>): readonly Stored[] {
  return busMessages(release).flatMap(({ topic, headers, value }) => {
    if (value === null) return [];
    const { ce_type: type } = headers;
    const isEvent = type !== undefined && !topic.endsWith('audit.raw.v1');
    return [{ name: isEvent ? type : topic, data: JSON.parse(value) as unknown }];
  });
}

function rowsOf(path: string): readonly Row[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Row);
}
