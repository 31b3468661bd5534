import { catalog, findDefinition, upcast, upcasters } from '@gatehouse/event-catalog';
import { describe, expect, test } from 'vitest';
import { releases } from '../evolution/releases.ts';
import { storedEvents, storedMessages } from '../evolution/stored-messages.ts';
import { stateMessages } from '../generate/published-schemas.ts';
import { filesUnder, projectsOf, textOf } from './repo.ts';

const released = releases();
const published = filesUnder('libs/event-catalog/published');

/** Reads what was once written as a consumer of today does; throws where it cannot. */
function read(name: string, data: unknown): unknown {
  const message = stateMessages.find(({ topic }) => topic === name);
  if (message !== undefined) return message.schema.parse(data);
  const newest = upcast({ type: name, data });
  const definition = findDefinition(newest.type);
  if (definition === undefined) throw new Error(`nobody knows ${newest.type}`);
  return definition.data.parse(newest.data);
}

/** Where a JSON Schema lets fields in that it does not name. */
function openObjects(schema: unknown, path = ''): string[] {
  if (schema === null || typeof schema !== 'object') return [];
  const { properties, additionalProperties } = schema as Record<string, unknown>;
  const open = properties !== undefined && additionalProperties !== false ? [path] : [];
  return [
    ...open,
    ...Object.entries(schema).flatMap(([key, value]) => openObjects(value, `${path}/${key}`)),
  ];
}

/** Versions above the first that a text makes and that no release can read yet. */
function tooNew(text: string, readable: ReadonlySet<string>): string[] {
  const types = text.matchAll(/type:\s*'([a-z]+\.[a-z-]+\.v(\d+))'/g);
  return [...types].flatMap(([, type = '', version]) =>
    Number(version) > 1 && !readable.has(type) ? [type] : [],
  );
}

/** Versions that are upcast and that no release has left behind: nothing real shows that their upcasters work. */
function neverWritten(
  upcast: readonly { readonly from: string }[],
  written: ReadonlySet<string>,
): string[] {
  return upcast.map(({ from }) => from).filter((type) => !written.has(type));
}

describe.each(released)('what $name wrote', (release) => {
  test('is every kind of event that it knew', () => {
    const written = new Set(storedEvents(release).map(({ name }) => name));
    expect(release.eventTypes.filter((type) => !written.has(type))).toEqual([]);
  });

  test('is read by the catalogue of today, every event in its logs and every message on its bus', () => {
    const stored = [...storedEvents(release), ...storedMessages(release)];
    expect(stored.length).toBeGreaterThan(100);
    for (const { name, data } of stored) expect(() => read(name, data), name).not.toThrow();
  });

  test('is of types that the catalogue of today still lists', () => {
    const types = catalog.map(({ type }) => type as string);
    expect(release.eventTypes.filter((type) => !types.includes(type))).toEqual([]);
  });
});

test.each(published)('the example of %s is brought to its newest version and read', (path) => {
  const name = path.replace(/^.*\/(.*)\.json$/, '$1');
  const example: unknown = JSON.parse(textOf(`libs/event-catalog/examples/${name}.json`));
  expect(() => read(name, example)).not.toThrow();
});

describe('a published version', () => {
  // A tool as its server describes it is passed on whole, whatever is in it.
  const asReceived = /\/properties\/tools\/items\/properties\/definition$/;

  test.each(published)('%s lets in no field that it does not name', (path) => {
    const open = openObjects(JSON.parse(textOf(path)));
    expect(open.filter((place) => !asReceived.test(place))).toEqual([]);
  });

  test('that is open would be found', () => {
    expect(openObjects({ items: { properties: { a: {} } } })).toEqual(['/items']);
    expect(openObjects({ properties: {}, additionalProperties: false })).toEqual([]);
  });
});

describe('a release was captured before an event got its next version, so that', () => {
  test('every upcaster brings real events up to date', () => {
    const written = released.flatMap((release) => storedEvents(release).map(({ name }) => name));
    expect(neverWritten(upcasters, new Set(written))).toEqual([]);
  });

  test('an upcaster of what was never written would be found', () => {
    const written = new Set(['identity.user-updated.v1']);
    const of = (from: string) => [{ from }];
    expect(neverWritten(of('identity.user-updated.v1'), written)).toEqual([]);
    expect(neverWritten(of('identity.user-told.v1'), written)).toEqual(['identity.user-told.v1']);
  });
});

describe('a version is read by one release before the next writes it', () => {
  const readable = new Set(released.flatMap(({ eventTypes }) => eventTypes));
  const deciders = projectsOf('services')
    .flatMap((service) => filesUnder(`services/${service}/src`))
    .filter((path) => path.endsWith('.decider.ts'));

  test('no decider makes one that no release can read', () => {
    expect(deciders.length).toBeGreaterThan(0);
    expect(deciders.flatMap((path) => tooNew(textOf(path), readable))).toEqual([]);
  });

  test('a decider that does would be found', () => {
    const text = `return [{ type: 'identity.user-updated.v2', data }];`;
    expect(tooNew(text, new Set())).toEqual(['identity.user-updated.v2']);
    expect(tooNew(text, new Set(['identity.user-updated.v2']))).toEqual([]);
    expect(tooNew(`{ type: 'identity.user-updated.v1' }`, new Set())).toEqual([]);
  });
});
