import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawAnswers, rawTools } from './harness/raw-answers.ts';
import { startWorld, type World } from './harness/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.dispose());

interface Named {
  readonly agents: { readonly nodes: readonly { readonly id: string; readonly name: string }[] };
  readonly groups: {
    readonly nodes: readonly { readonly id: string; readonly displayName: string }[];
  };
}

type Filter = Readonly<Record<string, unknown>>;

/** A record of the trail, as far as one searches by it. */
interface Found {
  readonly at: string;
  readonly principal: { readonly id: string; readonly name: string };
  readonly clientIp: string;
  readonly sessionRef: string;
  readonly durationMs: number;
}

const endpoint = (path: string): string => `${world.gatehouse.url}${path}`;
interface ApprovedTool {
  readonly name: string;
  readonly approvedDefinition: object;
}

/** A server's tools as they were approved, as an administrator sees them. */
async function approvedTools(slug: string): Promise<readonly ApprovedTool[]> {
  const { server } = await world.ask<{ server: { tools: readonly ApprovedTool[] } }>(
    `query ($slug: String!) { server(slug: $slug) { tools { name approvedDefinition } } }`,
    { slug },
  );
  return server.tools;
}

/** A mutation of which nothing but its success is asked. */
async function change(mutation: string, input: Filter): Promise<void> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  await world.ask(`mutation ($input: ${type}!) { ${mutation}(input: $input) { __typename } }`, {
    input,
  });
}

/** Somebody whose one role, to read text files, comes from a group. */
async function personOfGroup(
  userName: string,
  displayName: string,
  role: string,
): Promise<{ id: string; token: string }> {
  await world.admin.defineRole(role, '', { files: [{ tool: 'read_text_file', mode: 'READ' }] });
  const { provisionUser, createGroup } = await world.ask<{
    provisionUser: { user: { id: string } };
    createGroup: { group: { id: string } };
  }>(
    `mutation ($user: ProvisionUserInput!, $group: CreateGroupInput!) {
       provisionUser(input: $user) { user { id } } createGroup(input: $group) { group { id } } }`,
    { user: { userName, displayName: userName }, group: { displayName } },
  );
  const { id } = provisionUser.user;
  const groupId = createGroup.group.id;
  await change('addGroupMember', { groupId, userId: id });
  await change('assignRole', { assignee: { kind: 'GROUP', id: groupId }, role });
  const { issueKey } = await world.ask<{ issueKey: { token: string } }>(
    `mutation ($input: IssueKeyInput!) { issueKey(input: $input) { token } }`,
    { input: { principal: { kind: 'USER', id }, label: 'k' } },
  );
  return { id, token: issueKey.token };
}

describe('a governed call', () => {
  it('shows each role exactly what it may call, on both kinds of endpoint, and lets it call exactly that', async () => {
    const reader = await world.agent('reader', { files: [{ tool: '*', mode: 'READ' }] });
    for (const [path, prefix] of [
      ['/s/files/mcp', ''],
      ['/mcp', 'files__'],
    ] as const) {
      const caller = await connectCaller(endpoint(path), reader.token, 'journey');
      const tools = await caller.listTools();
      expect(tools).toContain(`${prefix}read_text_file`);
      expect(tools.filter((tool) => /write|edit|create|move/.test(tool))).toEqual([]);
      expect(tools.every((tool) => tool.startsWith(prefix))).toBe(true);
      const read = await caller.call(`${prefix}read_text_file`, {
        path: join(world.folder, 'note.txt'),
      });
      expect(read).toEqual({ text: 'a note\n', failed: false });
      const refused = await caller.call(`${prefix}write_file`, {
        path: join(world.folder, 'no.txt'),
        content: '',
      });
      expect(refused.failed).toBe(true);
      await expect(readFile(join(world.folder, 'no.txt'))).rejects.toThrow(/ENOENT/);
      // Every tool that was approved: listed is callable, and what is not listed is not there.
      const approved = await approvedTools('files');
      expect(approved.length).toBeGreaterThan(tools.length);
      for (const tool of approved.map(({ name }) => `${prefix}${name}`)) {
        const { text } = await caller.call(tool, {});
        expect([tool, text.includes(`Unknown tool: ${tool}`)]).toEqual([
          tool,
          !tools.includes(tool),
        ]);
      }
      await caller.close();
    }
  });

  it('answers for what is hidden with every byte that it answers with for what is missing', async () => {
    const transport = { streamableHttp: { url: world.everything.url } };
    await world.admin.submit('unapproved', 'Submitted, and nothing more', transport);
    const { digest } = await world.admin.submit('suspended1', 'Soon not in service', transport);
    await world.admin.approve('suspended1', digest);
    const files = [{ tool: 'read_text_file', mode: 'READ' }] as const;
    const all = [{ tool: '*', mode: 'WRITE' }] as const;
    const { token } = await world.agent('narrow', { files, suspended1: all });
    // Granted is not enough, neither where nobody has approved yet nor where somebody has suspended.
    await world.admin.defineRole('narrow-role', '', { files, '*1': all, unapproved: all });
    await world.admin.suspend('suspended1', 'test');
    const caller = await connectCaller(endpoint('/mcp'), token, 'journey');
    await eventually(async () =>
      expect(await caller.listTools()).toEqual(['files__read_text_file']),
    );
    await caller.close();
    /** What one is answered who asks for this, with the names that were asked for left out. */
    const answers = async (path: string, tool: string, slug = ''): Promise<string> => {
      const wire = await rawAnswers(endpoint(path), token, tool);
      return wire.replaceAll(tool, '<tool>').replaceAll(slug || tool, '<server>');
    };
    // Names of one length, so that not even a length may differ.
    const missingTool = await answers('/s/files/mcp', 'wrote_file');
    expect(missingTool).toContain('Unknown tool');
    expect(await answers('/s/files/mcp', 'write_file')).toBe(missingTool);
    expect(await answers('/mcp', 'files__write_file')).toBe(
      await answers('/mcp', 'files__wrote_file'),
    );
    const missingServer = await answers('/s/everywhere/mcp', 'echo', 'everywhere');
    expect(missingServer).toContain('404 Not Found');
    const ofMissingServer = await answers('/mcp', 'everywhere__echo');
    expect(ofMissingServer).toContain('Unknown tool');
    for (const slug of ['everything', 'unapproved', 'suspended1']) {
      expect(await answers(`/s/${slug}/mcp`, 'echo', slug), slug).toBe(missingServer);
      expect(await answers('/mcp', `${slug}__echo`), slug).toBe(ofMissingServer);
    }
  });

  it('serves the approved copy of a tool, word for word', async () => {
    const { token } = await world.agent('looker', { everything: [{ tool: '*', mode: 'WRITE' }] });
    const approved = await approvedTools('everything');
    const byName = <Tool extends { readonly name: string }>(tools: readonly Tool[]): Tool[] =>
      tools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName(await rawTools(endpoint('/s/everything/mcp'), token))).toEqual(
      byName(approved).map(({ approvedDefinition }) => approvedDefinition),
    );
    // At the common endpoint nothing but the name is another.
    expect(byName(await rawTools(endpoint('/mcp'), token))).toEqual(
      byName(approved).map(({ name, approvedDefinition }) => ({
        ...approvedDefinition,
        name: `everything__${name}`,
      })),
    );
  });

  it('gives whoever holds no role nothing at all', async () => {
    const { registerAgent } = await world.ask<{ registerAgent: { agent: { id: string } } }>(
      `mutation { registerAgent(input: { name: "nobody" }) { agent { id } } }`,
    );
    const { issueKey } = await world.ask<{ issueKey: { token: string } }>(
      `mutation ($input: IssueKeyInput!) { issueKey(input: $input) { token } }`,
      { input: { principal: { kind: 'AGENT', id: registerAgent.agent.id }, label: 'k' } },
    );
    const caller = await eventually(() =>
      connectCaller(endpoint('/mcp'), issueKey.token, 'journey'),
    );
    expect(await caller.listTools()).toEqual([]);
    expect((await caller.call('everything__echo', { message: 'x' })).failed).toBe(true);
    await caller.close();
  });

  it('lets an explicit deny outvote a grant of another role', async () => {
    const { token } = await world.agent('torn', { everything: [{ tool: '*', mode: 'WRITE' }] });
    await world.ask(
      `mutation { defineRole(input: { name: "no-echo", connectors: [{ slug: "*", tools: [{ tool: "echo", mode: OFF, deny: true }] }] }) { bundleNumber } }`,
    );
    const { agents } = await world.ask<{ agents: { nodes: { id: string; name: string }[] } }>(
      `{ agents { nodes { id name } } }`,
    );
    const id = agents.nodes.find((agent) => agent.name === 'torn')?.id;
    const caller = await connectCaller(endpoint('/mcp'), token, 'journey');
    expect(await caller.listTools()).toContain('everything__echo');
    await world.ask(
      `mutation ($input: AssignRoleInput!) { assignRole(input: $input) { assignment { role } } }`,
      {
        input: { assignee: { kind: 'AGENT', id }, role: 'no-echo' },
      },
    );
    await eventually(async () =>
      expect(await caller.listTools()).not.toContain('everything__echo'),
    );
    await caller.close();
  });
});

describe('the audit trail', () => {
  it('knows who, what, whence and why, with the arguments sealed until they are revealed', async () => {
    const { token } = await world.agent('witness', {
      everything: [{ tool: 'echo', mode: 'READ' }],
    });
    const caller = await connectCaller(endpoint('/mcp'), token, 'journey');
    await caller.call('everything__echo', { message: 'for the record' });
    await caller.close();
    const record = await eventually(async () => {
      const { auditRecords } = await world.ask<{
        auditRecords: { nodes: { [field: string]: unknown }[] };
      }>(
        `query ($filter: AuditFilter) { auditRecords(filter: $filter) { nodes {
           id principal { name kind roles } server tool toolClass decision outcome reason { code text } client { name version }
           clientIp sessionRef durationMs argumentsBytes resultBytes bundleNumber userAgent hasArguments } } }`,
        { filter: { principalName: 'witness', method: 'tools/call' } },
      );
      expect(auditRecords.nodes).toHaveLength(1);
      return auditRecords.nodes[0]!;
    });
    expect(record).toMatchObject({
      principal: { name: 'witness', kind: 'AGENT', roles: ['witness-role'] },
      server: 'everything',
      tool: 'echo',
      toolClass: 'READ',
      decision: 'ALLOW',
      outcome: 'OK',
      reason: { code: 'granted' },
      client: { name: 'journey', version: '1.0.0' },
      clientIp: '127.0.0.1',
      hasArguments: true,
    });
    expect(record['durationMs']).toBeGreaterThan(0);
    expect(record['sessionRef']).toMatch(/^[\w-]{8,}$/);
    const { revealArguments } = await world.ask<{ revealArguments: { arguments: unknown } }>(
      `query ($id: ID!) { revealArguments(id: $id) { arguments } }`,
      { id: record['id'] },
    );
    expect(revealArguments.arguments).toEqual({ message: 'for the record' });
  });

  it('is searched by who, when, what, whence, how it ended, why and how long it took, each by itself', async () => {
    const { token } = await world.agent('sought', { everything: [{ tool: 'echo', mode: 'READ' }] });
    const caller = await connectCaller(endpoint('/s/everything/mcp'), token, 'sought-client');
    await caller.call('echo', { message: 'look for me' });
    await caller.close();
    const page = async (filter: Filter): Promise<readonly Found[]> => {
      const { auditRecords } = await world.ask<{ auditRecords: { nodes: readonly Found[] } }>(
        `query ($filter: AuditFilter) { auditRecords(filter: $filter, first: 100) { nodes {
           id at principal { id name } server tool method decision outcome reason { code } client { name } clientIp sessionRef durationMs } } }`,
        { filter },
      );
      return auditRecords.nodes;
    };
    const record = await eventually(async () => {
      const found = await page({ principalName: 'sought', method: 'tools/call' });
      expect(found).toHaveLength(1);
      return found[0]!;
    });
    const { at, durationMs } = record;
    const later = new Date(Date.parse(at) + 1).toISOString();
    const matching: readonly Filter[] = [
      { principalId: record.principal.id },
      { principalName: 'sought' },
      { server: 'everything', tool: 'echo' },
      { method: 'tools/call' },
      { decision: 'ALLOW' },
      { outcome: 'OK' },
      { reasonCode: 'granted' },
      { clientName: 'sought-client' },
      { clientIp: record.clientIp },
      { sessionRef: record.sessionRef },
      { from: at, to: later },
      { minDurationMs: durationMs, maxDurationMs: durationMs },
    ];
    const passingBy: readonly Filter[] = [
      { principalId: 'somebody-else' },
      { principalName: 'Sought' },
      { server: 'files' },
      { tool: 'ech' },
      { method: 'resources/list' },
      { decision: 'DENY' },
      { outcome: 'TOOL_ERROR' },
      { reasonCode: 'mode-off' },
      { clientName: 'journey' },
      { clientIp: '10.0.0.1' },
      { sessionRef: 'another' },
      { from: later },
      { to: at },
      { minDurationMs: durationMs + 0.001 },
      { maxDurationMs: durationMs - 0.001 },
    ];
    const known = { principalName: 'sought', method: 'tools/call' };
    for (const filter of matching)
      expect(await page({ ...known, ...filter }), JSON.stringify(filter)).toEqual([record]);
    for (const filter of passingBy)
      expect(await page({ ...known, ...filter }), JSON.stringify(filter)).toEqual([]);
  });

  it('outlives what it names: renamed, deactivated, deleted and suspended things stay in it by their old names', async () => {
    const began = new Date().toISOString();
    const { id: userId, token } = await personOfGroup('old-person', 'old-group', 'old-role');
    const bot = await world.agent('old-bot', { files: [{ tool: 'read_text_file', mode: 'READ' }] });
    for (const key of [token, bot.token]) {
      const caller = await eventually(async () => {
        const connected = await connectCaller(endpoint('/s/files/mcp'), key, 'journey');
        expect(await connected.listTools()).toEqual(['read_text_file']);
        return connected;
      });
      await caller.call('read_text_file', { path: join(world.folder, 'note.txt') });
      await caller.close();
    }
    const search = async (): Promise<unknown> => {
      const { auditRecords } = await world.ask<{ auditRecords: { nodes: readonly object[] } }>(
        `query ($filter: AuditFilter) { auditRecords(filter: $filter, first: 100) { nodes {
           id index at principal { kind id name keyId roles } server tool toolClass decision reason { code text } bundleNumber } } }`,
        { filter: { server: 'files', tool: 'read_text_file', from: began } },
      );
      return auditRecords.nodes;
    };
    const before = await eventually(async () => {
      const found = await search();
      expect(found).toMatchObject([
        { principal: { kind: 'AGENT', name: 'old-bot', roles: ['old-bot-role'] }, server: 'files' },
        { principal: { kind: 'USER', name: 'old-person', roles: ['old-role'] }, server: 'files' },
      ]);
      return found;
    });
    const { agents, groups } = await world.ask<Named>(
      `{ agents { nodes { id name } } groups { nodes { id displayName } } }`,
    );
    const agentId = agents.nodes.find(({ name }) => name === 'old-bot')?.id;
    const groupId = groups.nodes.find(({ displayName }) => displayName === 'old-group')?.id;
    await change('updateUser', { userId, userName: 'new-person', displayName: 'New' });
    await change('deactivateUser', { userId, reason: 'gone' });
    await change('renameAgent', { agentId, name: 'new-bot' });
    await change('disableAgent', { agentId, reason: 'gone' });
    await change('renameGroup', { groupId, displayName: 'new-group' });
    await change('deleteGroup', { groupId });
    await change('deleteRole', { name: 'old-bot-role' });
    await change('deleteRole', { name: 'old-role' });
    await change('suspendServer', { slug: 'files', reason: 'gone' });
    expect(await search()).toEqual(before);
    expect(await world.trail({ principalName: 'old-person' })).not.toEqual([]);
    expect(await world.trail({ principalName: 'new-person' })).toEqual([]);
    await change('resumeServer', { slug: 'files' });
  });

  it('is read by `gatehouse audit tail`, as a table and as JSON', async () => {
    const table = await world.gatehouse.run('audit', 'tail', '--tool', 'read_text_file');
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(/who.*what.*decision.*why/);
    expect(table.stdout).toMatch(/files read_text_file/);
    const json = await world.gatehouse.run('audit', 'tail', '--json', '--denied', '-n', '5');
    const rows = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { decision: string });
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every((row) => row.decision === 'DENY')).toBe(true);
  });
});
