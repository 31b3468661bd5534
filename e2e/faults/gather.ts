import { createHash } from 'node:crypto';
import { topics, type AuditRecord, type TopicDefinition } from '@gatehouse/event-catalog';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import { createLogger, KafkaEventBus } from '@gatehouse/platform';
import { eventually } from '@gatehouse/testing';
import { Client } from 'pg';
import type { Bounds, Evidence, LoggedEvent, TopicMessage, TrailRow } from './evidence.ts';
import { POISON_HEADER } from './foreign-client.ts';
import { foldAnew } from './fold-anew.ts';
import { OWNERS, type Owner } from './history.ts';
import { sightsOf } from './sights.ts';
import type { Stage } from './stage.ts';
import type { Workload } from './workload.ts';

const SETTLING_MS = 40_000;

/** Waits until nothing moves any more and gathers what the checker needs. Every service of the stage must run; admin and the owners are restarted. */
export async function gather(stage: Stage, workload: Workload, bounds: Bounds): Promise<Evidence> {
  // By now nothing may be under way that a settled trail would still have to take in.
  await workload.stop();
  const nodes = [...new Set(stage.history.calls.map(({ node }) => node))];
  // A process that a fault has ended for good, though nobody killed it, is a finding of its own.
  const { cluster } = stage;
  const expected = cluster.services.filter(
    (service) => !service.startsWith('gateway') || nodes.includes(service),
  );
  for (const service of expected) await cluster.ready(service);
  const sights = await sightsOf(stage, workload.callers, nodes);
  const database = new Client({ connectionString: stage.cluster.databaseUrl });
  await database.connect();
  try {
    await settle(stage, database);
    const logs = await readLogs(database);
    const dumped = await readTopics(stage.kafka.bootstrap);
    const trail = await readTrail(database);
    const gaps = await database.query<{ gaps: number }>(
      'select count(*)::int as gaps from audit.gap',
    );
    return {
      entries: stage.history.entries,
      nodes,
      forwarded: stage.upstream.forwarded,
      trail,
      gaps: gaps.rows[0]?.gaps ?? 0,
      raw: dumped(topics.auditRaw),
      logs,
      topics: Object.fromEntries(OWNERS.map((owner) => [owner, dumped(topics[owner])])),
      states: {
        principals: dumped(topics.principalsState),
        policy: dumped(topics.policyState),
        catalogue: dumped(topics.catalogueState),
      },
      foldings: await foldAnew(stage.cluster, database),
      sights,
      bounds,
    };
  } finally {
    await database.end();
  }
}

/** Waits for the backlogs to drain. Where they do not, what is missing is for the checker to say. */
async function settle(stage: Stage, database: Client): Promise<void> {
  const last = stage.history.calls.findLast(({ outcome }) => outcome.kind === 'ok');
  let before = '';
  const drained = async (): Promise<void> => {
    const behind: number[] = [];
    for (const owner of OWNERS) behind.push(...(await lagOf(database, owner)));
    const { rows } = await database.query<{ size: string; last: number }>(
      `select size, (select count(*)::int from audit.record where body::jsonb->>'userAgent' = $1) as last from audit.log_state`,
      [last?.id ?? ''],
    );
    const now = JSON.stringify([behind, rows]);
    const isStill = now === before;
    before = now;
    if (!isStill || behind.some((events) => events > 0) || rows[0]?.last === 0)
      throw new Error(`not drained: ${now}`);
  };
  await eventually(drained, { timeoutMs: SETTLING_MS, everyMs: 1_000 }).catch(() => undefined);
}

/** How many events of an owner are not published yet, and not in the newest that each service has folded of them. */
async function lagOf(database: Client, owner: Owner): Promise<readonly number[]> {
  const { rows } = await database.query<{ unpublished: string; unread: string; unheard: string }>(
    `with head as (select position from ${owner}.event_head),
       seen as (select 'admin' as who, topic, position from admin.projection_cursor
         union all select 'identity', topic, position from identity.projection_cursor)
     select position - coalesce((select position from ${owner}.checkpoint where consumer = 'outbox'), 0) as unpublished,
       position - coalesce((select max(position) from seen where who = 'admin' and topic = $1), 0) as unread,
       position - coalesce((select max(position) from seen where who = 'identity' and topic = $1), position) as unheard
     from head`,
    [topics[owner].name],
  );
  return rows.flatMap((row) => [row.unpublished, row.unread, row.unheard].map(Number));
}

async function readTrail(database: Client): Promise<readonly TrailRow[]> {
  const { rows } = await database.query<{ index: string; body: string }>(
    'select index, body from audit.record order by index',
  );
  return rows.map(({ index, body }) => ({
    index: Number(index),
    record: JSON.parse(body) as AuditRecord,
  }));
}

async function readLogs(database: Client): Promise<Record<string, readonly LoggedEvent[]>> {
  const logs: Record<string, readonly LoggedEvent[]> = {};
  for (const owner of OWNERS) {
    const { rows } = await database.query<LoggedEvent & { position: string }>(
      `select position, stream, version, id, type, data::text as data from ${owner}.event order by position`,
    );
    logs[owner] = rows.map((row) => ({ ...row, position: Number(row.position) }));
  }
  return logs;
}

/** Every message of every topic, as it lies there. */
async function readTopics(
  bootstrap: string,
): Promise<(topic: TopicDefinition) => readonly TopicMessage[]> {
  const bus = new KafkaEventBus({
    connection: { brokers: [bootstrap] },
    log: createLogger({ service: 'fault-lane', level: 'silent' }),
  });
  const messages = new Map<string, TopicMessage[]>();
  try {
    for (const topic of Object.values(topics)) {
      const found: TopicMessage[] = [];
      messages.set(topic.name, found);
      const reader = await bus.readAll(topic, (message) => {
        if (!(POISON_HEADER in message.headers)) found.push(asFound(message));
      });
      await reader.caughtUp;
      await reader.stop();
    }
  } finally {
    await bus.close();
  }
  return ({ name }) => messages.get(name) ?? [];
}

function asFound({ topic, partition, offset, key, value, headers }: IncomingMessage): TopicMessage {
  const position = Number(headers['ce_sequence'] ?? headers['position'] ?? 0);
  const digest = value && createHash('sha256').update(value).digest('base64url');
  const isRecord = topic === topics.auditRaw.name && value !== null;
  const id = isRecord
    ? (JSON.parse(value.toString()) as AuditRecord).id
    : (headers['ce_id'] ?? null);
  return { partition, offset, key, position, id, value: digest };
}
