import { catalog, topicOf, upcasters, type Upcaster } from '@gatehouse/event-catalog';
import { describe, expect, test } from 'vitest';
import { publishedSchemas, stateMessages } from '../generate/published-schemas.ts';
import { exists, filesUnder, projectsOf, textOf } from './repo.ts';

const source = 'libs/event-catalog/src';
const eventFile = /^libs\/event-catalog\/src\/([a-z-]+)\/([a-z-]+\.v\d+)\.ts$/;
// Beside the events, three folders name shapes that are no events: state topics and the audit record.
const shapes = [
  'state/principals.v1',
  'state/policy.v1',
  'state/catalogue.v1',
  'state/beat.v1',
  'audit/audit-record.v1',
];

const typesOfFiles = filesUnder(source)
  .flatMap((path) => {
    const [, owner = '', name = ''] = eventFile.exec(path) ?? [];
    return owner === '' || shapes.includes(`${owner}/${name}`)
      ? []
      : [{ path, type: `${owner}.${name}` }];
  })
  .toSorted((a, b) => a.type.localeCompare(b.type));

/** The versions above the first that no upcaster of the version before leads to. */
function withoutUpcaster(
  types: readonly string[],
  known: readonly Pick<Upcaster, 'from' | 'to'>[],
): string[] {
  return types.filter((type) => {
    const [, name, version] = /^(.+)\.v(\d+)$/.exec(type) ?? [];
    const before = `${name}.v${Number(version) - 1}`;
    return Number(version) > 1 && !known.some(({ from, to }) => from === before && to === type);
  });
}

/** Where the upcaster to a version stands. */
function upcastFile(type: string): string {
  return `${source}/${type.replace('.', '/')}.upcast.ts`;
}

/** Event types of other services that a text names. */
function foreignTypes(service: string, text: string): string[] {
  return catalog
    .map(({ type }) => type)
    .filter((type) => text.includes(`'${type}'`) && !type.startsWith(`${service}.`));
}

describe('the catalogue of events', () => {
  test('holds one event for every event file, and no other', () => {
    expect(catalog.map(({ type }) => type).toSorted((a, b) => a.localeCompare(b))).toEqual(
      typesOfFiles.map(({ type }) => type),
    );
  });

  test('declares each event in the file that its name says', () => {
    expect(typesOfFiles.filter(({ path, type }) => !textOf(path).includes(`'${type}'`))).toEqual(
      [],
    );
  });

  test('names each event <service>.<noun>-<past participle>.v<N> after the service that owns it', () => {
    for (const { type, owner } of catalog) {
      expect(type).toMatch(new RegExp(`^${owner}\\.[a-z]+(-[a-z]+)+\\.v[1-9]\\d*$`));
      expect(projectsOf('services')).toContain(owner);
      expect(topicOf(owner).name).toBe(`gatehouse.${owner}.v1`);
    }
  });

  test('says one sentence of its own for each event', () => {
    const meanings = catalog.map(({ meaning }) => meaning);
    expect(new Set(meanings).size).toBe(meanings.length);
    for (const meaning of meanings) expect(meaning).toMatch(/^[A-Z].+\.$/);
  });

  test('has an upcaster for every version above the first', () => {
    const types = catalog.map(({ type }) => type);
    expect(withoutUpcaster(types, upcasters)).toEqual([]);
  });

  test('would miss the upcaster of a second version', () => {
    const [first, second] = [
      'identity.user-provisioned.v1',
      'identity.user-provisioned.v2',
    ] as const;
    expect(withoutUpcaster([first, second], [])).toEqual([second]);
    expect(withoutUpcaster([first, second], [{ from: first, to: second }])).toEqual([]);
  });

  test('keeps each upcaster beside the version that it makes', () => {
    const files = filesUnder(source).filter((path) => path.endsWith('.upcast.ts'));
    expect(upcasters.map(({ to }) => upcastFile(to)).toSorted()).toEqual(files.toSorted());
    expect(upcastFile('identity.user-provisioned.v2')).toBe(
      `${source}/identity/user-provisioned.v2.upcast.ts`,
    );
  });
});

describe('published schemas', () => {
  const published = [...publishedSchemas()];

  test.each(published)('%s is frozen as published', (name, text) => {
    const path = `libs/event-catalog/published/${name}.json`;
    expect(exists(path), `${path} is missing: npm run generate`).toBe(true);
    expect(textOf(path), 'a published shape never changes: add the next version').toBe(text);
  });

  test('none is left behind by a message that is gone', () => {
    expect(filesUnder('libs/event-catalog/published').toSorted()).toEqual(
      published.map(([name]) => `libs/event-catalog/published/${name}.json`).toSorted(),
    );
  });
});

describe('golden examples', () => {
  const readers = [
    ...catalog.map(({ type, data }) => ({ name: type as string, schema: data })),
    ...stateMessages.map(({ topic, schema }) => ({ name: topic, schema })),
  ];

  test.each(readers)(
    'what was once written as $name can still be read, unchanged',
    ({ name, schema }) => {
      const example: unknown = JSON.parse(textOf(`libs/event-catalog/examples/${name}.json`));
      expect(schema.parse(example)).toEqual(example);
    },
  );

  test('every example has a reader', () => {
    expect(filesUnder('libs/event-catalog/examples').toSorted()).toEqual(
      readers.map(({ name }) => `libs/event-catalog/examples/${name}.json`).toSorted(),
    );
  });
});

describe('only the owner appends an event', () => {
  const deciders = projectsOf('services').flatMap((service) =>
    filesUnder(`services/${service}/src`)
      .filter((path) => path.endsWith('.decider.ts'))
      .map((path) => ({ service, path })),
  );

  test('there are deciders to look at', () => {
    expect(deciders.length).toBeGreaterThan(0);
  });

  test.each(deciders)('$path names events of its own service only', ({ service, path }) => {
    expect(foreignTypes(service, textOf(path))).toEqual([]);
  });

  test('a decider that names a foreign event would be found', () => {
    expect(foreignTypes('policy', `{ type: 'identity.key-revoked.v1' }`)).toEqual([
      'identity.key-revoked.v1',
    ]);
  });
});
