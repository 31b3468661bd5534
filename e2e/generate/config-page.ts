import { environmentName, type ConfigSection } from '@gatehouse/platform';
import { code, heading, table } from './markdown.ts';
import { toJsonSchema, typeOf, type JsonSchema } from './json-schema.ts';

/** `docs/reference/config.md`: every setting, by section. */
export function configPage(sections: readonly ConfigSection[]): string {
  return [
    heading('Settings', 'the `*.config.ts` of every service'),
    'A setting is read from its environment variable, else from its section of the YAML file that `GATEHOUSE_CONFIG`',
    'names, else it has its default. A section, key or `GATEHOUSE_` variable that nobody knows is an error: a typo must',
    'not become a default. Lists are separated by commas in a variable. One file may be given to a standalone process, or to',
    'every service of a cluster: each judges its own section, and passes over those of the other services.',
    '',
    ...sections.flatMap((section) => [
      `## ${section.name}`,
      '',
      section.meaning,
      '',
      settingsTable(section),
    ]),
  ].join('\n');
}

function settingsTable(section: ConfigSection): string {
  const rows = rowsOf(section);
  return rows.length === 0 ? '' : table(['Key', 'Variable', 'Type', 'Default', 'What for'], rows);
}

function rowsOf(section: ConfigSection): string[][] {
  const { properties = {}, required = [] } = toJsonSchema(section.schema);
  return Object.entries(properties).map(([key, schema]) => [
    code(key),
    code(environmentName(section, key)),
    typeOf(schema),
    required.includes(key) ? 'required' : defaultOf(schema),
    schema.description ?? '',
  ]);
}

function defaultOf(schema: JsonSchema): string {
  return schema.default === undefined ? '' : code(JSON.stringify(schema.default));
}
