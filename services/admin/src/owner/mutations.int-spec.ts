import {
  lexicographicSortSchema,
  printSchema as print,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { printSchema } from '../schema/print-schema.ts';
import { startAdmin, type RunningAdmin } from '../test/start-admin.ts';

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(async () => {
  await admin.stop();
});

/** Sends a mutation and answers its payload; every error is a failure of the test. */
async function change(name: string, type: string, input: object, selection: string) {
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} } }`;
  const { data, errors } = await admin.ask(query, { input });
  expect(errors).toEqual([]);
  return data[name];
}

const served = (): { graphql: { schema: GraphQLSchema } } =>
  admin.hosted.app.getHttpAdapter().getInstance() as unknown as ReturnType<typeof served>;

test('the schema that is served is the one that is committed, descriptions and all', () => {
  expect(`${print(lexicographicSortSchema(served().graphql.schema))}\n`).toBe(printSchema());
});

test('every field of the roots has a resolver', () => {
  const { graphql } = served();
  const roots = [graphql.schema.getQueryType(), graphql.schema.getMutationType()];
  const idle = roots
    .flatMap((root) => Object.values((root as GraphQLObjectType).getFields()))
    .filter(({ resolve }) => resolve === undefined)
    .map(({ name }) => name);
  expect(idle).toEqual([]);
});

describe('an administrator reads what they wrote', () => {
  test('of people', async () => {
    const selection = 'user { id userName displayName email active deactivatedBecause }';
    const names = { userName: 'grace', displayName: 'Grace', email: 'grace@a.example' };
    const { user } = await change('provisionUser', 'ProvisionUserInput', names, selection);
    expect(user).toEqual({ id: user.id, ...names, active: true, deactivatedBecause: null });
    const userId = user.id as string;
    const next = { userId, userName: 'hopper', displayName: 'Hopper' };
    const updated = await change('updateUser', 'UpdateUserInput', next, selection);
    expect(updated.user).toMatchObject({ userName: 'hopper', email: null });
    const deactivate = { userId, reason: 'left' };
    const gone = await change('deactivateUser', 'DeactivateUserInput', deactivate, selection);
    expect(gone.user).toMatchObject({ active: false, deactivatedBecause: 'left' });
    const back = await change('reactivateUser', 'ReactivateUserInput', { userId }, selection);
    expect(back.user).toMatchObject({ active: true, deactivatedBecause: null });
  });

  test('of groups', async () => {
    const { user } = await change(
      'provisionUser',
      'ProvisionUserInput',
      { userName: 'member', displayName: 'Member' },
      'user { id }',
    );
    const selection = 'group { id displayName memberCount members { userName } }';
    const created = await change(
      'createGroup',
      'CreateGroupInput',
      { displayName: 'crew' },
      selection,
    );
    const groupId = created.group.id as string;
    const ids = { groupId, userId: user.id };
    const joined = await change('addGroupMember', 'AddGroupMemberInput', ids, selection);
    expect(joined.group).toMatchObject({ memberCount: 1, members: [{ userName: 'member' }] });
    const left = await change('removeGroupMember', 'RemoveGroupMemberInput', ids, selection);
    expect(left.group).toMatchObject({ memberCount: 0, members: [] });
    const name = { groupId, displayName: 'band' };
    const renamed = await change('renameGroup', 'RenameGroupInput', name, selection);
    expect(renamed.group.displayName).toBe('band');
    const deleted = await change('deleteGroup', 'DeleteGroupInput', { groupId }, 'groupId');
    expect(deleted).toEqual({ groupId });
    const { data } = await admin.ask(`{ group(id: "${groupId}") { id } }`);
    expect(data.group).toBeNull();
  });

  test('of agents and their keys, whose token is answered once', async () => {
    const selection = 'agent { id name description active disabledBecause }';
    const input = { name: 'robot', description: 'reads files' };
    const { agent } = await change('registerAgent', 'RegisterAgentInput', input, selection);
    expect(agent).toMatchObject({ ...input, active: true });
    const agentId = agent.id as string;
    const name = { agentId, name: 'android', description: 'reads files' };
    const renamed = await change('renameAgent', 'RenameAgentInput', name, selection);
    expect(renamed.agent.name).toBe('android');

    const issue = { principal: { kind: 'AGENT', id: agentId }, label: 'laptop' };
    const issued = await change(
      'issueKey',
      'IssueKeyInput',
      issue,
      'keyId token key { id label status principal { kind id name } issuedBy { name } }',
    );
    expect(issued).toEqual({
      keyId: issued.keyId,
      token: `gh_${issued.keyId}`,
      key: {
        id: issued.keyId,
        label: 'laptop',
        status: 'ACTIVE',
        principal: { kind: 'AGENT', id: agentId, name: 'android' },
        issuedBy: { name: 'administrator' },
      },
    });

    const rotate = { keyId: issued.keyId, overlapSeconds: 3600 };
    const rotated = await change(
      'rotateKey',
      'RotateKeyInput',
      rotate,
      'token key { id rotatedFrom }',
    );
    expect(rotated.key).toEqual({ id: rotated.key.id, rotatedFrom: issued.keyId });
    const old = await admin.ask(
      `{ key(id: "${issued.keyId}") { status replacedBy overlapUntil } }`,
    );
    expect(old.data.key).toMatchObject({ status: 'RETIRING', replacedBy: rotated.key.id });
    const revoked = await change(
      'revokeKey',
      'RevokeKeyInput',
      { keyId: issued.keyId, reason: 'lost' },
      'key { status revokedBecause }',
    );
    expect(revoked.key).toEqual({ status: 'REVOKED', revokedBecause: 'lost' });

    const disable = { agentId, reason: 'odd' };
    const disabled = await change('disableAgent', 'DisableAgentInput', disable, selection);
    expect(disabled.agent).toMatchObject({ active: false, disabledBecause: 'odd' });
    const enabled = await change('enableAgent', 'EnableAgentInput', { agentId }, selection);
    expect(enabled.agent).toMatchObject({ active: true, disabledBecause: null });
  });

  test('of roles and who holds them', async () => {
    const connectors = [
      {
        slug: 'files',
        tools: [
          { tool: 'read_*', mode: 'READ' },
          { tool: 'delete', mode: 'OFF', deny: true },
        ],
      },
    ];
    const defined = await change(
      'defineRole',
      'DefineRoleInput',
      { name: 'reader', connectors },
      'bundleNumber role { name management connectors { slug tools { tool mode deny } } definedBy { id } }',
    );
    expect(defined.role).toEqual({
      name: 'reader',
      management: 'NONE',
      definedBy: { id: 'administrator' },
      connectors: [
        {
          slug: 'files',
          tools: [
            { tool: 'read_*', mode: 'READ', deny: false },
            { tool: 'delete', mode: 'OFF', deny: true },
          ],
        },
      ],
    });
    const gate = await admin.ask('{ gate { bundleNumber } }');
    expect(gate.data.gate.bundleNumber).toBe(defined.bundleNumber);

    const input = { assignee: { kind: 'AGENT', id: 'robot-of-role' }, role: 'reader' };
    const assigned = await change(
      'assignRole',
      'AssignRoleInput',
      input,
      'assignment { role roleExists assignee { kind id name } assignedBy { kind id } }',
    );
    expect(assigned.assignment).toEqual({
      role: 'reader',
      roleExists: true,
      assignee: { ...input.assignee, name: null },
      assignedBy: { kind: 'USER', id: 'administrator' },
    });
    const deleted = await change(
      'deleteRole',
      'DeleteRoleInput',
      { name: 'reader' },
      'name bundleNumber',
    );
    expect(deleted).toEqual({ name: 'reader', bundleNumber: defined.bundleNumber + 1 });
    const held = '{ roleAssignments(filter: { role: "reader" }) { nodes { roleExists } } }';
    const orphan = await admin.ask(held);
    expect(orphan.data.roleAssignments.nodes).toEqual([{ roleExists: false }]);
    const revoked = await change(
      'revokeRole',
      'RevokeRoleInput',
      input,
      'role assignee { kind id name }',
    );
    expect(revoked).toEqual({ role: 'reader', assignee: { ...input.assignee, name: null } });
    expect((await admin.ask(held)).data.roleAssignments.nodes).toEqual([]);
  });

  test('of servers on their way through intake', async () => {
    const slug = 'files';
    const submit = {
      slug,
      name: 'Files',
      transport: { stdio: { command: 'node', env: [{ name: 'TOKEN', value: 'a-secret' }] } },
    };
    const submitted = await change(
      'submitServer',
      'SubmitServerInput',
      submit,
      `server { status reviewNeeded catalogueDigest submittedBy { id }
        transport { __typename ... on StdioTransport { command args envNames } } }`,
    );
    expect(submitted.server).toEqual({
      status: 'SUBMITTED',
      reviewNeeded: true,
      catalogueDigest: null,
      submittedBy: { id: 'administrator' },
      transport: { __typename: 'StdioTransport', command: 'node', args: [], envNames: ['TOKEN'] },
    });

    const selection =
      'server { status statusReason reviewNeeded catalogueDigest tools { name approval class classifiedAs } }';
    const fetched = await change(
      'fetchCatalogue',
      'FetchCatalogueInput',
      { slug },
      `toolCount ${selection}`,
    );
    expect(fetched.toolCount).toBe(2);
    expect(fetched.server.tools).toEqual([
      { name: 'alter', approval: 'PENDING', class: 'WRITE', classifiedAs: null },
      { name: 'look', approval: 'PENDING', class: 'READ', classifiedAs: null },
    ]);
    const { catalogueDigest } = fetched.server;
    expect(catalogueDigest).toMatch(/^[\da-f]{64}$/);

    const approve = { slug, catalogueDigest };
    const approved = await change('approveServer', 'ApproveServerInput', approve, selection);
    expect(approved.server).toMatchObject({ status: 'APPROVED', reviewNeeded: false });
    expect(approved.server.tools.map((tool: { approval: string }) => tool.approval)).toEqual([
      'APPROVED',
      'APPROVED',
    ]);

    const classify = { slug, tool: 'look', class: 'WRITE' };
    const classified = await change(
      'classifyTool',
      'ClassifyToolInput',
      classify,
      'tool { approval class classifiedAs approvedClass } server { reviewNeeded catalogueDigest }',
    );
    expect(classified).toEqual({
      tool: { approval: 'CHANGED', class: 'READ', classifiedAs: 'WRITE', approvedClass: 'READ' },
      server: { reviewNeeded: true, catalogueDigest: expect.stringMatching(/^[\da-f]{64}$/) },
    });
    expect(classified.server.catalogueDigest).not.toBe(catalogueDigest);

    const suspend = { slug, reason: 'odd' };
    const suspended = await change('suspendServer', 'SuspendServerInput', suspend, selection);
    expect(suspended.server).toMatchObject({ status: 'SUSPENDED', statusReason: 'odd' });
    const resumed = await change('resumeServer', 'ResumeServerInput', { slug }, selection);
    expect(resumed.server).toMatchObject({ status: 'APPROVED', statusReason: null });
    const reject = { slug, reason: 'no use' };
    const rejected = await change('rejectServer', 'RejectServerInput', reject, selection);
    expect(rejected.server).toMatchObject({ status: 'REJECTED', reviewNeeded: false });
  });

  test('and is named in the event, with the correlation id of their request', async () => {
    const response = await admin.ask(
      'mutation { submitServer(input: { slug: "traced", name: "a", transport: { streamableHttp: { url: "http://a.example/" } } }) { server { slug } } }',
    );
    expect(response.errors).toEqual([]);
    const { rows } = await admin.test.platform
      .database('registry')
      .pool.query<{ actor: unknown; correlation_id: string }>(
        "select actor, correlation_id from event where stream = 'server-traced'",
      );
    expect(rows).toEqual([
      {
        actor: { kind: 'user', id: 'administrator', name: 'administrator' },
        correlation_id: expect.stringMatching(/^[\da-f-]{36}$/),
      },
    ]);
  });
});

describe('what the schema cannot say of an input', () => {
  test.each([
    [
      'a variable that is given twice',
      'submitServer',
      'SubmitServerInput',
      {
        slug: 'a',
        name: 'a',
        transport: {
          stdio: {
            command: 'a',
            env: [
              { name: 'A', value: '1' },
              { name: 'A', value: '2' },
            ],
          },
        },
      },
    ],
    [
      'a tool that is given twice',
      'defineRole',
      'DefineRoleInput',
      {
        name: 'twice',
        connectors: [
          {
            slug: 'a',
            tools: [
              { tool: 'x', mode: 'READ' },
              { tool: 'x', mode: 'OFF' },
            ],
          },
        ],
      },
    ],
    [
      'a denial that is not off',
      'defineRole',
      'DefineRoleInput',
      {
        name: 'deny',
        connectors: [{ slug: 'a', tools: [{ tool: 'x', mode: 'READ', deny: true }] }],
      },
    ],
    [
      'a name that the owner does not take',
      'defineRole',
      'DefineRoleInput',
      { name: 'Not A Role', connectors: [] },
    ],
  ])('is refused all the same: %s', async (_, name, type, input) => {
    const query = `mutation ($input: ${type}!) { ${name}(input: $input) { __typename } }`;
    const { errors } = await admin.ask(query, { input });
    expect(errors.map(({ extensions }) => extensions['code'])).toEqual(['request-invalid']);
  });
});

describe('when the read model falls behind', () => {
  test('a mutation says that it was made but is not visible, and a token is answered all the same', async () => {
    const slow = await startAdmin({ config: { readModelTimeoutMs: 200 } });
    try {
      await slow.owners.holdBack();
      const created = await slow.ask(
        'mutation { createGroup(input: { displayName: "a" }) { group { id } } }',
      );
      expect(created.data).toBeNull();
      expect(created.errors[0]?.extensions).toMatchObject({
        code: 'read-model-behind',
        status: 504,
      });
      const issued = await slow.ask(
        'mutation { issueKey(input: { principal: { kind: USER, id: "a" }, label: "a" }) { keyId token key { id } } }',
      );
      expect(issued.errors).toEqual([]);
      expect(issued.data.issueKey).toEqual({
        keyId: expect.any(String),
        token: expect.stringMatching(/^gh_/),
        key: null,
      });
      const { rows } = await slow.test.platform
        .database('identity')
        .pool.query<{ count: number }>('select count(*) as count from event');
      expect(rows[0]?.count).toBe(2);
    } finally {
      await slow.stop();
    }
  });
});
