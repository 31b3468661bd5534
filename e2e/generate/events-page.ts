import {
  auditQueries,
  catalog,
  identityCommands,
  policyCommands,
  registryCommands,
  topics,
  type ContractTable,
  type EventDefinition,
} from '@gatehouse/event-catalog';
import { fieldsOf, kindsOf, toJsonSchema, type Field } from './json-schema.ts';
import { code, heading, table } from './markdown.ts';
import { stateMessages } from './published-schemas.ts';

const DAY_MS = 86_400_000;

const taken: readonly (readonly [string, ContractTable])[] = [
  ['identity', identityCommands],
  ['policy', policyCommands],
  ['registry', registryCommands],
  ['audit', auditQueries],
];

/** `docs/reference/events.md`: all that services know of each other. */
export function eventsPage(): string {
  const owners = [...new Set(catalog.map((definition) => definition.owner))];
  return [
    heading('Events', '`libs/event-catalog`'),
    'All that services know of each other. An event version never changes: its JSON Schema under',
    '`libs/event-catalog/published/` is frozen, and its example under `libs/event-catalog/examples/` must parse for ever.',
    'A new shape is a new version with an upcaster from the one before.',
    '',
    topicsSection(),
    '## Envelope',
    '',
    'On the bus an event is a CloudEvents 1.0 message in binary mode: the data is the value, the stream is the key, and',
    'id, type, time, position (`ce_sequence`), actor and correlation travel as headers.',
    '',
    ...owners.flatMap((owner) => [
      `## Events of ${owner}`,
      '',
      ...catalog.filter((definition) => definition.owner === owner).flatMap(eventSection),
    ]),
    '## State and evidence',
    '',
    'State topics are compacted: the newest value of each key is the truth, and a tombstone means gone.',
    '',
    ...stateMessages.flatMap(({ topic, meaning, schema }) => [
      `### ${topic}`,
      '',
      meaning,
      '',
      ...kindsOf(toJsonSchema(schema)).map((kind) => fieldTable(fieldsOf(kind))),
    ]),
    '## Internal commands and queries',
    '',
    'Taken at `POST /internal/<service>/<name>` with the service token; a command is answered with the stream, its new',
    'version and the position of its last event.',
    '',
    ...taken.flatMap(([service, contracts]) => [
      `### ${service}`,
      '',
      table(
        ['Name', 'Meaning', 'Takes'],
        Object.entries(contracts).map(([name, { meaning, request }]) => [
          code(name),
          meaning,
          Object.keys(toJsonSchema(request).properties ?? {})
            .map(code)
            .join(', '),
        ]),
      ),
    ]),
  ].join('\n');
}

function topicsSection(): string {
  const rows = Object.values(topics).map(
    ({ name, partitions, compacted, security, retentionMs }) => [
      code(name),
      String(partitions),
      compacted ? 'newest value of each key' : 'all, in order per key',
      retentionMs === null ? 'for ever' : `${retentionMs / DAY_MS} days`,
      security ? 'stops and alarms' : 'parks it in the dead-letter topic',
    ],
  );
  return `## Topics\n\n${table(['Topic', 'Partitions', 'Keeps', 'For', 'On a message that cannot be applied'], rows)}`;
}

function eventSection({ type, meaning, data }: EventDefinition): string[] {
  return [
    `### ${type}`,
    '',
    meaning,
    '',
    fieldTable(fieldsOf(toJsonSchema(data))),
    `[schema](../../libs/event-catalog/published/${type}.json) · [example](../../libs/event-catalog/examples/${type}.json)`,
    '',
  ];
}

function fieldTable(fields: readonly Field[]): string {
  return table(
    ['Field', 'Type'],
    fields.map(({ path, type, required }) => [code(path), required ? type : `${type}, optional`]),
  );
}
