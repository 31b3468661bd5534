import {
  auditRecordSchema,
  beatSchema,
  catalog,
  catalogueStateSchema,
  policyStateSchema,
  principalStateSchema,
  topics,
} from '@gatehouse/event-catalog';
import type { z } from 'zod';
import { toJsonSchema } from './json-schema.ts';

/** A message that is no domain event: a state topic's value, or evidence. */
interface StateMessage {
  readonly topic: string;
  readonly meaning: string;
  readonly schema: z.ZodType;
}

export const stateMessages: readonly StateMessage[] = [
  {
    topic: topics.principalsState.name,
    meaning:
      'A user, agent or group as gateways need it; key `<kind>:<id>`. Revoked keys are absent.',
    schema: principalStateSchema,
  },
  {
    topic: topics.policyState.name,
    meaning: 'The newest bundle of roles; key `bundle`.',
    schema: policyStateSchema,
  },
  {
    topic: topics.catalogueState.name,
    meaning: 'A server that was approved, with its pinned tools; key = slug.',
    schema: catalogueStateSchema,
  },
  {
    topic: 'gatehouse.state.beat.v1',
    meaning:
      'No topic of its own: about once a second the owner of a state topic that has published all of its log says so in each partition; key `~beat-<n>`. Whatever was committed before `at` lies before it.',
    schema: beatSchema,
  },
  {
    topic: topics.auditRaw.name,
    meaning: 'One piece of evidence from a gate; key = the spool that wrote it.',
    schema: auditRecordSchema,
  },
];

/** The JSON Schema of every message on the bus, by type or topic: what is frozen under `libs/event-catalog/published/`. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  const named: (readonly [string, string, z.ZodType])[] = [
    ...catalog.map(({ type, meaning, data }) => [type, meaning, data] as const),
    ...stateMessages.map(({ topic, meaning, schema }) => [topic, meaning, schema] as const),
  ];
  return new Map(
    named.map(([name, meaning, schema]) => {
      const { $schema, ...shape } = toJsonSchema(schema) as Record<string, unknown>;
      const published = { $schema, title: name, description: meaning, ...shape };
      return [name, `${JSON.stringify(published, undefined, 2)}\n`];
    }),
  );
}
