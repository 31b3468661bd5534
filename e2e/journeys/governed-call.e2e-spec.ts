import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from './harness/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.dispose());

const endpoint = (path: string): string => `${world.gatehouse.url}${path}`;
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

/** The very bytes that a call of `tool` is answered with, in a session of its own. */
async function rawAnswer(path: string, token: string, tool: string): Promise<string> {
  const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(endpoint(path), {
      method: 'POST',
      headers: { ...HEADERS, authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(body),
    });
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  };
  const opened = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
  await opened.text();
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await (await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, session)).text();
  const answer = await post(
    { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: tool, arguments: {} } },
    session,
  );
  return `${answer.status}\n${(await answer.text()).replaceAll(tool, '<tool>').replaceAll(/^id: .*$/gm, 'id: <event>')}`;
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
      await caller.close();
    }
  });

  it('answers a hidden tool, a missing tool and a tool of a hidden server with the same bytes', async () => {
    const { token } = await world.agent('narrow', {
      files: [{ tool: 'read_text_file', mode: 'READ' }],
    });
    const missing = await rawAnswer('/s/files/mcp', token, 'no_such_tool');
    expect(await rawAnswer('/s/files/mcp', token, 'write_file')).toBe(missing);
    const everywhere = await rawAnswer('/mcp', token, 'files__no_such_tool');
    expect(await rawAnswer('/mcp', token, 'files__write_file')).toBe(everywhere);
    expect(await rawAnswer('/mcp', token, 'everything__echo')).toBe(everywhere);
    expect(await rawAnswer('/mcp', token, 'nowhere__echo')).toBe(everywhere);
    expect(await rawAnswer('/s/everything/mcp', token, 'echo')).toBe(
      await rawAnswer('/s/nowhere/mcp', token, 'echo'),
    );
  });

  it('serves the approved copy of a tool, word for word', async () => {
    const { token } = await world.agent('looker', { everything: [{ tool: '*', mode: 'WRITE' }] });
    const { server } = await world.ask<{
      server: { tools: { name: string; approvedDefinition: { description: string } }[] };
    }>(`{ server(slug: "everything") { tools { name approvedDefinition } } }`);
    const caller = await connectCaller(endpoint('/s/everything/mcp'), token, 'journey');
    expect(await caller.listTools()).toEqual(server.tools.map((tool) => tool.name).toSorted());
    await caller.close();
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

  it('outlives what it names: renamed, disabled and suspended things stay in it by their old names', async () => {
    const { token } = await world.agent('old-name', {
      files: [{ tool: 'read_text_file', mode: 'READ' }],
    });
    const caller = await connectCaller(endpoint('/s/files/mcp'), token, 'journey');
    await caller.call('read_text_file', { path: join(world.folder, 'note.txt') });
    await caller.close();
    const filter = { principalName: 'old-name', server: 'files', tool: 'read_text_file' };
    const before = await eventually(async () => {
      const found = await world.trail(filter);
      expect(found).toHaveLength(1);
      return found;
    });
    const { agents } = await world.ask<{ agents: { nodes: { id: string; name: string }[] } }>(
      `{ agents { nodes { id name } } }`,
    );
    const agentId = agents.nodes.find((agent) => agent.name === 'old-name')?.id;
    await world.ask(
      `mutation ($input: RenameAgentInput!) { renameAgent(input: $input) { agent { name } } }`,
      {
        input: { agentId, name: 'new-name' },
      },
    );
    await world.ask(
      `mutation ($input: DisableAgentInput!) { disableAgent(input: $input) { agent { active } } }`,
      {
        input: { agentId, reason: 'gone' },
      },
    );
    await world.ask(`mutation { deleteRole(input: { name: "old-name-role" }) { name } }`);
    await world.admin.suspend('files', 'gone');
    expect(await world.trail(filter)).toEqual(before);
    await world.ask(`mutation { resumeServer(input: { slug: "files" }) { server { status } } }`);
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
