import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { post, startAdmin, type GraphqlAnswer, type RunningAdmin } from '../test/start-admin.ts';

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await startAdmin({
    config: { maxDepth: 4, maxCost: 1000, maxRootFields: 3, maxPageSize: 50, maxTokens: 200 },
  });
  // Without a group nobody would ask for its members.
  await admin.given('group-a', {
    type: 'identity.group-created.v1',
    data: { groupId: 'a', displayName: 'a' },
  });
});
afterAll(async () => {
  await admin.stop();
});

const codes = ({ status, errors }: GraphqlAnswer): unknown => [
  status,
  ...errors.map(({ extensions }) => extensions['code']),
];
const send = (body: unknown): Promise<GraphqlAnswer> =>
  post(admin.hosted.url, body, admin.tokens['administrator']);

describe('a query that asks for too much', () => {
  test.each([
    [
      'is too deep',
      '{ servers(first: 1) { nodes { tools { approvedDigests { behavior } } } } }',
      '5 levels deep; at most 4',
    ],
    ['is too costly', '{ users(first: 50) { nodes { groups { id displayName } } } }', 'a cost of'],
    [
      'says one thing under many names',
      '{ a: gate { bundleNumber } b: gate { bundleNumber } c: gate { bundleNumber } d: gate { bundleNumber } }',
      '4 fields at the root; at most 3',
    ],
    ['asks for a page that is too large', '{ users(first: 51) { nodes { id } } }', 'at most 50'],
    [
      'asks for too large a page within a page',
      '{ groups(first: 1) { nodes { members(first: 51) { id } } } }',
      'at most 50',
    ],
    [
      'asks for too large a page of the trail',
      '{ auditRecords(first: 51) { nodes { id } } }',
      'at most 50',
    ],
  ])('because it %s is refused', async (_, query, message) => {
    const { errors } = await admin.ask(query);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain(message);
    expect(errors[0]?.extensions).toMatchObject({ status: 400, correlationId: expect.any(String) });
  });

  test('because it is a batch is refused', async () => {
    const batch = [{ query: '{ gate { bundleNumber } }' }, { query: '{ gate { bundleNumber } }' }];
    expect(codes(await send(batch))).toEqual([400, 'query-too-complex']);
  });

  test.each([
    ['words', 'gate { bundleNumber } '.repeat(60)],
    ['levels', 'a {'.repeat(5000)],
    ['brackets', `a(b: ${'['.repeat(1900)}`],
  ])('because it has too many %s is refused before it is parsed', async (_, inside) => {
    const answer = await send({ query: `{ ${inside} }` });
    expect(codes(answer)).toEqual([400, 'query-too-complex']);
    expect(answer.errors[0]?.message).toBe(
      'The query asks for too much: more than 200 words and signs, or brackets nested more than 200 deep.',
    );
  });

  test('passes just below the limits', async () => {
    expect((await admin.ask('{ users(first: 50) { nodes { id userName } } }')).status).toBe(200);
  });
});

describe('a request that is not one', () => {
  test.each([
    ['has no query', {}],
    ['has an empty query', { query: '  ' }],
    ['has a query that is no text', { query: { kind: 'Document' } }],
    [
      'brings a document that is parsed already, whose words nobody counted',
      { query: JSON.stringify({ kind: 'Document', definitions: [] }) },
    ],
    ['is JSON instead of a query', { query: '[]' }],
    ['is an empty object instead of a query', { query: '{ }' }],
    ['is a number instead of a query', { query: '1' }],
    ['is nothing instead of a query', { query: 'null' }],
    ['is text in quotes instead of a query', { query: '"a"' }],
    ['has variables that are no object', { query: '{ gate { bundleNumber } }', variables: [1] }],
    ['does not parse', { query: '{ gate {' }],
    ['asks for what is not there', { query: '{ gate { keys } }' }],
    [
      'has variables that do not fit',
      { query: 'query ($n: Int!) { users(first: $n) { nodes { id } } }', variables: { n: 'x' } },
    ],
    [
      'has an instant that is none',
      { query: '{ auditRecords(filter: { from: "yesterday" }) { nodes { id } } }' },
    ],
    [
      'names both of two ways where one is allowed',
      {
        query: `mutation { submitServer(input: { slug: "a", name: "a", transport: {
          streamableHttp: { url: "http://a.example" } stdio: { command: "a" } } }) { server { slug } } }`,
      },
    ],
    [
      'names an operation that is not there',
      { query: 'query A { gate { bundleNumber } }', operationName: 'B' },
    ],
  ])('because it %s is refused', async (_, body) => {
    expect(codes(await send(body))).toEqual([400, 'request-invalid']);
  });
});
