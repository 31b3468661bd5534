import type { DomainEvent, Transport } from '@gatehouse/event-catalog';
import { reviewDigest, transportDigest } from '@gatehouse/mcp-protocol';
import { ManualClock } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { adminConfig } from './admin.config.ts';
import { adminService } from './admin.module.ts';
import { startAdmin, type RunningAdmin } from './test/start-admin.ts';
import { catalogueOf } from './test/test-catalogue.ts';

const clock = new ManualClock(new Date('2026-03-01T12:00:00.000Z'));
let admin: RunningAdmin;
beforeAll(async () => {
  admin = await startAdmin({ clock });
});
afterAll(async () => {
  await admin.stop();
});

/** The data of a query that must not fail. */
async function read(query: string, variables: object = {}) {
  const { data, errors } = await admin.ask(query, variables);
  expect(errors).toEqual([]);
  return data;
}

const provisioned = (userId: string, userName = userId): DomainEvent => ({
  type: 'identity.user-provisioned.v1',
  data: { userId, userName, displayName: userName, email: null },
});
const joined = (groupId: string, userId: string): DomainEvent => ({
  type: 'identity.group-member-added.v1',
  data: { groupId, userId },
});
const issued = (keyId: string, kind: 'user' | 'agent', id: string, changes = {}): DomainEvent => ({
  type: 'identity.key-issued.v1',
  data: {
    keyId,
    principal: { kind, id },
    label: keyId,
    secretSha256: 'the-digest',
    expiresAt: null,
    rotatedFrom: null,
    ...changes,
  },
});

describe('lists', () => {
  beforeAll(async () => {
    for (const name of ['Zoe', 'adam', 'Bea', 'bert', 'Carl'])
      await admin.given(`user-list-${name}`, provisioned(`list-${name}`, `list.${name}`));
    await admin.given('user-list-bert', {
      type: 'identity.user-deactivated.v1',
      data: { userId: 'list-bert', reason: 'left' },
    });
    await admin.given(
      'group-list',
      {
        type: 'identity.group-created.v1',
        data: { groupId: 'list', displayName: 'The listed' },
      },
      joined('list', 'list-Zoe'),
      joined('list', 'list-adam'),
      joined('list', 'nobody-yet'),
    );
  });

  const names = async (filter: object): Promise<string[]> => {
    const query = 'query ($filter: UserFilter) { users(filter: $filter) { nodes { userName } } }';
    const { users } = await read(query, { filter });
    return users.nodes.map((user: { userName: string }) => user.userName);
  };

  test('are paged to the end in one order, whatever the case, with nothing twice and nothing missing', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { users } = await read(
        `query ($after: String) { users(first: 2, after: $after, filter: { userNamePrefix: "LIST." }) {
          nodes { userName } pageInfo { hasNextPage endCursor } } }`,
        { after },
      );
      seen.push(...users.nodes.map((user: { userName: string }) => user.userName));
      after = users.pageInfo.endCursor;
      if (!users.pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual(['list.adam', 'list.Bea', 'list.bert', 'list.Carl', 'list.Zoe']);
  });

  test('are narrowed by everything that is given, and by nothing that is null', async () => {
    expect(await names({ userNamePrefix: 'list.b' })).toEqual(['list.Bea', 'list.bert']);
    expect(await names({ userNamePrefix: 'list.b', active: false })).toEqual(['list.bert']);
    expect(await names({ groupId: 'list', active: null })).toEqual(['list.adam', 'list.Zoe']);
    expect(await names({ userNamePrefix: '%' })).toEqual([]);
  });

  test('below lists take one statement each, however many rows there are', async () => {
    const { pool } = admin.test.platform.database('admin');
    const statements = vi.spyOn(pool, 'query');
    try {
      const { groups, users } = await read(
        `{ groups { nodes { members { userName keys { id } } small: members(first: 1) { userName } } }
          users { nodes { userName keys { id } groups { displayName } roles } } }`,
      );
      expect(users.nodes.length).toBeGreaterThan(4);
      expect(groups.nodes[0].members.map((user: { userName: string }) => user.userName)).toEqual([
        'list.adam',
        'list.Zoe',
      ]);
      expect(groups.nodes[0].small).toEqual([{ userName: 'list.adam' }]);
      // Groups, users, the members of all groups at both sizes, the keys of all people on either side.
      const ours = statements.mock.calls.filter(([sql]) => !sql.includes('cursor'));
      expect(ours.length).toBeLessThanOrEqual(6);
    } finally {
      statements.mockRestore();
    }
  });

  test('of group members count and show only people who are known', async () => {
    const { group } = await read('{ group(id: "list") { memberCount members { id } } }');
    expect(group.memberCount).toBe(2);
    await admin.given('user-late', provisioned('nobody-yet', 'list.late'));
    const later = await read('{ group(id: "list") { memberCount } }');
    expect(later.group.memberCount).toBe(3);
  });

  test('refuse a cursor of another list', async () => {
    const { users } = await read('{ users(first: 1) { pageInfo { endCursor } } }');
    const { errors } = await admin.ask(
      'query ($after: String) { servers(after: $after) { nodes { slug } } }',
      { after: users.pageInfo.endCursor },
    );
    expect(errors[0]?.extensions['code']).toBe('cursor-invalid');
  });
});

describe('a key', () => {
  const statusOf = async (id: string): Promise<string> => {
    const { key } = await read('query ($id: ID!) { key(id: $id) { status } }', { id });
    return key.status;
  };
  const agent = (agentId: string, ownerUserId: string | null): DomainEvent => ({
    type: 'identity.agent-registered.v1',
    data: { agentId, name: agentId, description: '', ownerUserId },
  });

  beforeAll(async () => {
    await admin.given('user-holder', provisioned('holder'));
    await admin.given('agent-owned', agent('owned', 'holder'));
    await admin.given('agent-free', agent('free', null));
  });

  test('opens the gate until its time is over', async () => {
    const expiresAt = '2026-03-01T12:01:00.000Z';
    await admin.given('key-timed', issued('timed', 'user', 'holder', { expiresAt }));
    expect(await statusOf('timed')).toBe('ACTIVE');
    clock.set(new Date('2026-03-01T12:01:00.000Z'));
    await admin.speak();
    expect(await statusOf('timed')).toBe('EXPIRED');
  });

  test('is retiring until the overlap with its successor ends', async () => {
    await admin.given('key-old', issued('old', 'agent', 'free'), {
      type: 'identity.key-retiring.v1',
      data: { keyId: 'old', replacedBy: 'new', overlapUntil: '2026-03-01T12:10:00.000Z' },
    });
    await admin.given('key-new', issued('new', 'agent', 'free', { rotatedFrom: 'old' }));
    expect(await statusOf('old')).toBe('RETIRING');
    expect(await statusOf('new')).toBe('ACTIVE');
    clock.set(new Date('2026-03-01T12:10:00.000Z'));
    await admin.speak();
    expect(await statusOf('old')).toBe('EXPIRED');
    expect(await statusOf('new')).toBe('ACTIVE');
  });

  test('that succeeded nobody opens nothing', async () => {
    await admin.given('key-inert', issued('inert', 'agent', 'free', { rotatedFrom: 'free-key' }));
    expect(await statusOf('inert')).toBe('LOCKED');
  });

  test('is locked with its holder, and with the person who answers for the agent', async () => {
    await admin.given('key-user', issued('user', 'user', 'holder'));
    await admin.given('key-owned', issued('owned', 'agent', 'owned'));
    await admin.given('key-free', issued('free', 'agent', 'free'));
    await admin.given('key-nobody', issued('nobody', 'user', 'unheard-of'));
    expect(await Promise.all(['user', 'owned', 'free', 'nobody'].map(statusOf))).toEqual([
      'ACTIVE',
      'ACTIVE',
      'ACTIVE',
      'LOCKED',
    ]);
    await admin.given('user-holder', {
      type: 'identity.user-deactivated.v1',
      data: { userId: 'holder', reason: 'left' },
    });
    expect(await Promise.all(['user', 'owned', 'free'].map(statusOf))).toEqual([
      'LOCKED',
      'LOCKED',
      'ACTIVE',
    ]);
    const { keys } = await read(
      '{ keys(filter: { status: LOCKED, principal: { kind: AGENT, id: "owned" } }) { nodes { id } } }',
    );
    expect(keys.nodes).toEqual([{ id: 'owned' }]);
  });

  test('is listed newest first, page by page', async () => {
    const { keys } = await read(
      '{ keys(first: 2, filter: { principal: { kind: AGENT, id: "free" } }) { nodes { id issuedAt } pageInfo { endCursor } } }',
    );
    const { keys: rest } = await read(
      `query ($after: String) { keys(after: $after, filter: { principal: { kind: AGENT, id: "free" } }) { nodes { id issuedAt } } }`,
      { after: keys.pageInfo.endCursor },
    );
    const all = [...keys.nodes, ...rest.nodes] as { id: string; issuedAt: string }[];
    expect(all.map(({ id }) => id).toSorted()).toEqual(['free', 'inert', 'new', 'old']);
    const times = all.map(({ issuedAt }) => issuedAt);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  test('leaves neither its secret nor the digest of it in the tables', async () => {
    const { rows } = await admin.test.platform
      .database('admin')
      .pool.query<{ row: string }>('select to_jsonb(k)::text as row from bearer_key k');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ row }) => row.includes('the-digest'))).toEqual([]);
  });
});

describe('a catalogue', () => {
  const slug = 'drifting';
  const tools = async (): Promise<Record<string, unknown>> => {
    const { server } = await read(
      `query ($slug: String!) { server(slug: $slug) { reviewNeeded tools { name approval class classifiedAs
        digests { behavior } approvedDigests { behavior } definition approvedDefinition } } }`,
      { slug },
    );
    return Object.fromEntries(
      server.tools.map((tool: Record<string, unknown>) => [tool['name'], tool]),
    );
  };
  const approved = (version: string): DomainEvent => ({
    type: 'registry.server-approved.v1',
    data: {
      slug,
      name: slug,
      transport: { kind: 'streamable-http', url: 'https://user:pass@a.example/mcp' },
      tools: catalogueOf(slug, version).tools.map((tool) => ({
        definition: tool.definition,
        digests: tool.digests,
        class: tool.proposedClass,
      })),
    },
  });
  const fetched = (version: string, from = 0): DomainEvent => {
    const data = catalogueOf(slug, version);
    return {
      type: 'registry.catalogue-fetched.v1',
      data: { ...data, tools: data.tools.slice(from) },
    };
  };
  const submitted: DomainEvent = {
    type: 'registry.server-submitted.v1',
    data: {
      slug,
      name: 'Drifting',
      description: '',
      transport: { kind: 'streamable-http', url: 'https://user:pass@a.example/mcp' },
    },
  };

  test('that drifts shows what changed beside what is approved, and drops what people decided of the changed', async () => {
    await admin.given(`server-${slug}`, submitted, fetched('1'), {
      type: 'registry.tool-classified.v1',
      data: { slug, tool: 'alter', class: 'write' },
    });
    await admin.given(`server-${slug}`, approved('1'));
    expect((await tools())['alter']).toMatchObject({ approval: 'APPROVED', classifiedAs: 'WRITE' });
    await admin.given(`server-${slug}`, fetched('1'));
    expect((await tools())['alter']).toMatchObject({ approval: 'APPROVED', classifiedAs: 'WRITE' });

    await admin.given(`server-${slug}`, fetched('2', 1));
    expect(await tools()).toMatchObject({
      alter: {
        approval: 'CHANGED',
        classifiedAs: null,
        digests: { behavior: 'behavior-2' },
        approvedDigests: { behavior: 'behavior-1' },
      },
      look: {
        approval: 'REMOVED',
        digests: null,
        definition: null,
        approvedDefinition: { name: 'look' },
      },
    });
    await admin.given(`server-${slug}`, {
      ...approved('2'),
      data: { ...approved('2').data, tools: [] },
    } as DomainEvent);
    expect(await tools()).toMatchObject({ alter: { approval: 'PENDING', approvedDigests: null } });
    expect(Object.keys(await tools())).toEqual(['alter']);
  });

  test('that could not be fetched says why, until it is', async () => {
    await admin.given(`server-${slug}`, {
      type: 'registry.catalogue-fetch-failed.v1',
      data: { slug, reason: 'no answer' },
    });
    const ask = '{ server(slug: "drifting") { catalogueFetchError catalogueDigest } }';
    expect((await read(ask)).server).toMatchObject({ catalogueFetchError: 'no answer' });
    await admin.given(`server-${slug}`, fetched('2'));
    expect((await read(ask)).server.catalogueFetchError).toBeNull();
  });

  test('starts anew with a server that is submitted again', async () => {
    await admin.given(`server-${slug}`, {
      type: 'registry.server-rejected.v1',
      data: { slug, reason: 'no' },
    });
    await admin.given(`server-${slug}`, submitted);
    const { server } = await read(
      `{ server(slug: "drifting") { status statusReason catalogueDigest approvedAt tools { name }
        transport { ... on StreamableHttpTransport { url } } } }`,
    );
    expect(server).toEqual({
      status: 'SUBMITTED',
      statusReason: null,
      catalogueDigest: null,
      approvedAt: null,
      tools: [],
      transport: { url: 'https://a.example/mcp' },
    });
  });

  test('that needs a review is found by that', async () => {
    const { servers } = await read(
      '{ servers(filter: { reviewNeeded: true, status: SUBMITTED }) { nodes { slug } } }',
    );
    expect(servers.nodes).toEqual([{ slug }]);
  });
});

describe('the digest that an approval must name', () => {
  const slug = 'reviewed';
  const secret = 'the-secret-value';
  const stdio = (value: string, args: string[] = []): Transport => ({
    kind: 'stdio',
    command: 'node',
    args,
    env: { TOKEN: value },
  });
  const offered = catalogueOf(slug);
  const given = (...events: DomainEvent[]) => admin.given(`server-${slug}`, ...events);
  const digest = async (): Promise<string | null> =>
    (await read('{ server(slug: "reviewed") { catalogueDigest } }')).server.catalogueDigest;
  const digestOf = (transport: Transport, classes: Record<string, 'read' | 'write'> = {}) =>
    reviewDigest({
      slug,
      name: 'Reviewed',
      transportDigest: transportDigest(transport),
      tools: offered.tools.map((tool) => ({
        ...tool,
        class: classes[tool.definition.name] ?? tool.proposedClass,
      })),
    });
  const submitted = (transport: Transport): DomainEvent => ({
    type: 'registry.server-submitted.v1',
    data: { slug, name: 'Reviewed', description: '', transport },
  });
  const fetched: DomainEvent = { type: 'registry.catalogue-fetched.v1', data: offered };
  const classified = (as: 'read' | 'write'): DomainEvent => ({
    type: 'registry.tool-classified.v1',
    data: { slug, tool: 'alter', class: as },
  });

  test('moves with the class of a tool, to and fro', async () => {
    await given(submitted(stdio(secret)), fetched);
    const reviewed = await digest();
    expect(reviewed).toBe(digestOf(stdio(secret)));
    await given(classified('read'));
    expect(await digest()).toBe(digestOf(stdio(secret), { alter: 'read' }));
    expect(await digest()).not.toBe(reviewed);
    await given(fetched);
    expect(await digest()).toBe(digestOf(stdio(secret), { alter: 'read' }));
    await given(classified('write'));
    expect(await digest()).toBe(reviewed);
  });

  test.each([
    ['other arguments', stdio(secret, ['--all'])],
    ['another value of a variable', stdio('another-value')],
    ['an address', { kind: 'streamable-http', url: 'http://127.0.0.1:9/mcp' } as const],
  ])('moves with a resubmission that has %s and the same tools', async (_what, transport) => {
    const rejected: DomainEvent = {
      type: 'registry.server-rejected.v1',
      data: { slug, reason: 'no' },
    };
    const before = await digest();
    await given(rejected, submitted(transport));
    expect(await digest()).toBeNull();
    await given(fetched);
    expect(await digest()).toBe(digestOf(transport));
    expect(await digest()).not.toBe(before);
  });

  test('is of the values of variables without their being kept', async () => {
    const { rows } = await admin.test.platform
      .database('admin')
      .pool.query<{ row: string }>('select to_jsonb(s)::text as row from server s');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
  });
});

describe('roles and who holds them', () => {
  const role = (name: string, description = '') => ({
    name,
    description,
    management: 'none' as const,
    connectors: [],
  });

  test('keep the date of those that a newer bundle merely repeats', async () => {
    const bundle = (number: number, roles: ReturnType<typeof role>[]): DomainEvent => ({
      type: 'policy.bundle-published.v1',
      data: { number, roles },
    });
    clock.set(new Date('2026-04-01T00:00:00.000Z'));
    await admin.speak();
    await admin.given('policy', bundle(1, [role('a'), role('b'), role('c')]));
    clock.set(new Date('2026-04-02T00:00:00.000Z'));
    await admin.speak();
    await admin.given('policy', bundle(2, [role('a'), role('b', 'changed')]));
    const { roles, gate } = await read(
      '{ roles { nodes { name definedAt } } gate { bundleNumber bundlePublishedAt } }',
    );
    expect(roles.nodes).toEqual([
      { name: 'a', definedAt: '2026-04-01T00:00:00.000Z' },
      { name: 'b', definedAt: '2026-04-02T00:00:00.000Z' },
    ]);
    expect(gate).toEqual({ bundleNumber: 2, bundlePublishedAt: '2026-04-02T00:00:00.000Z' });
  });

  test('end with the group that held them, in whatever order the events arrive', async () => {
    const assignee = { kind: 'group' as const, id: 'short-lived' };
    const held =
      '{ roleAssignments(filter: { role: "of-group" }) { nodes { assignee { name } } } }';
    await admin.given('group-short-lived', {
      type: 'identity.group-created.v1',
      data: { groupId: 'short-lived', displayName: 'Short-lived' },
    });
    await admin.given('roles-group-short-lived', {
      type: 'identity.role-assigned.v1',
      data: { assignee, role: 'of-group' },
    });
    expect((await read(held)).roleAssignments.nodes).toEqual([
      { assignee: { name: 'Short-lived' } },
    ]);
    await admin.given('group-short-lived', {
      type: 'identity.group-deleted.v1',
      data: { groupId: 'short-lived' },
    });
    expect((await read(held)).roleAssignments.nodes).toEqual([]);
  });
});

test('a rebuild folds the same read model from the topics', async () => {
  await admin.given('server-drifting', {
    type: 'registry.catalogue-fetched.v1',
    data: catalogueOf('drifting'),
  });
  const { platform } = admin.test;
  const { pool } = platform.database('admin');
  const tables = [
    'app_user',
    'user_group',
    'group_member',
    'agent',
    'bearer_key',
    'role_assignment',
    'role',
    'bundle',
    'server',
    'tool',
  ];
  const dump = async (): Promise<Record<string, unknown>> => {
    const contents = tables.map(async (table) => {
      const sql = `select to_jsonb(t)::text as row from ${table} t order by 1`;
      return [table, (await pool.query<{ row: string }>(sql)).rows] as const;
    });
    return Object.fromEntries(await Promise.all(contents));
  };
  const before = await dump();
  for (const table of tables) expect(before[table], table).not.toEqual([]);
  // Its own runner holds the partitions until it is gone.
  await admin.hosted.close();
  await pool.query("update app_user set user_name = 'tampered'");
  const { rebuild } = adminService(platform, adminConfig.schema.parse({}));
  await rebuild?.();
  expect(await dump()).toEqual(before);
});
