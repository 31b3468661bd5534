// What people and agents did before a release was captured: every kind of event happens at least once.
import { askGraphQL, connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import type { ChangeableServer, OfferedTool } from '../journeys/harness/changeable-server.ts';

/** A Gatehouse as those outside reach it. */
export interface Doors {
  readonly apiUrl: string;
  readonly gateUrl: string;
  readonly token: string;
}

/** The tokens that still open the gate afterwards. They open nothing but what is captured. */
export interface Tokens {
  readonly administrator: string;
  readonly reader: string;
  readonly revoked: string;
}

const tool = (name: string, description: string, readOnlyHint: boolean): OfferedTool => ({
  name,
  description,
  inputSchema: { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] },
  annotations: { readOnlyHint },
});

export const OFFERED = [
  tool('read_note', 'Reads a note.', true),
  tool('write_note', 'Writes a note.', false),
];

type Ask = <Data = unknown>(mutation: string, input: object) => Promise<Data>;

/** Lives a short life at the doors, and answers the tokens that it leaves behind. */
export async function liveThrough(doors: Doors, upstream: ChangeableServer): Promise<Tokens> {
  const ask: Ask = async (mutation, input) => {
    const [, name = '', answer = ''] = /^(\w+)\s*(\{.*\})$/s.exec(mutation) ?? [];
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { ${name}(input: $input) ${answer} }`;
    const data = await askGraphQL<Record<string, unknown>>(doors.apiUrl, doors.token, query, {
      input,
    });
    return data[name] as never;
  };
  await admitServers(ask, upstream);
  await writeRoles(ask);
  await hirePeople(ask);
  const tokens = await engageAgents(ask);
  await callTools(doors.gateUrl, tokens);
  await ask('suspendServer { server { slug } }', { slug: 'archive', reason: 'moved away' });
  return tokens;
}

async function admitServers(ask: Ask, upstream: ChangeableServer): Promise<void> {
  const submit = (slug: string, url: string): Promise<unknown> =>
    ask('submitServer { server { slug } }', {
      slug,
      name: `The ${slug}`,
      transport: { streamableHttp: { url } },
    });
  for (const slug of ['notes', 'archive']) {
    await submit(slug, upstream.url);
    const { server } = await ask<{ server: { catalogueDigest: string } }>(
      'fetchCatalogue { server { catalogueDigest } }',
      { slug },
    );
    let catalogueDigest = server.catalogueDigest;
    if (slug === 'notes') {
      const classified = await ask<{ server: { catalogueDigest: string } }>(
        'classifyTool { server { catalogueDigest } }',
        { slug, tool: 'read_note', class: 'READ' },
      );
      catalogueDigest = classified.server.catalogueDigest;
    }
    await ask('approveServer { server { slug } }', { slug, catalogueDigest });
  }
  await ask('suspendServer { server { slug } }', { slug: 'notes', reason: 'a first look' });
  await ask('resumeServer { server { slug } }', { slug: 'notes' });
  await submit('nowhere', 'http://127.0.0.1:9/mcp');
  await ask('fetchCatalogue { server { slug } }', { slug: 'nowhere' }).catch(() => undefined);
  await ask('rejectServer { server { slug } }', { slug: 'nowhere', reason: 'nobody answers' });
}

async function writeRoles(ask: Ask): Promise<void> {
  const define = (name: string, description: string, mode: string): Promise<unknown> =>
    ask('defineRole { bundleNumber }', {
      name,
      description,
      connectors: [{ slug: 'notes', tools: [{ tool: '*', mode }] }],
    });
  await define('reader', 'May look.', 'READ');
  await define('writer', 'May write.', 'READ');
  await define('writer', 'May write, indeed.', 'WRITE');
  await define('passing', 'Will go.', 'READ');
  await ask('deleteRole { name }', { name: 'passing' });
}

async function hirePeople(ask: Ask): Promise<void> {
  const hire = async (userName: string, displayName: string): Promise<string> => {
    const { user } = await ask<{ user: { id: string } }>('provisionUser { user { id } }', {
      userName,
      displayName,
      email: `${userName}@example.org`,
    });
    return user.id;
  };
  const [ada, bob] = [await hire('ada', 'Ada'), await hire('bob', 'Bob')];
  await ask('updateUser { user { id } }', {
    userId: ada,
    userName: 'ada',
    displayName: 'Ada L.',
    email: null,
  });
  await ask('deactivateUser { user { id } }', { userId: ada, reason: 'on leave' });
  await ask('reactivateUser { user { id } }', { userId: ada });
  await ask('deactivateUser { user { id } }', { userId: bob, reason: 'left' });
  const groups: string[] = [];
  for (const displayName of ['Writers', 'Nobody']) {
    const { group } = await ask<{ group: { id: string } }>('createGroup { group { id } }', {
      displayName,
    });
    groups.push(group.id);
  }
  const [writers = '', nobody = ''] = groups;
  await ask('renameGroup { group { id } }', { groupId: writers, displayName: 'Authors' });
  await ask('deleteGroup { groupId }', { groupId: nobody });
  for (const userId of [ada, bob])
    await ask('addGroupMember { group { id } }', { groupId: writers, userId });
  await ask('removeGroupMember { group { id } }', { groupId: writers, userId: bob });
  const assignee = { kind: 'GROUP', id: writers };
  await ask('assignRole { assignment { role } }', { assignee, role: 'writer' });
  await ask('assignRole { assignment { role } }', { assignee, role: 'viewer' });
  await ask('revokeRole { role }', { assignee, role: 'viewer' });
}

async function engageAgents(ask: Ask): Promise<Tokens> {
  const engage = async (name: string, role: string): Promise<string> => {
    const { agent } = await ask<{ agent: { id: string } }>('registerAgent { agent { id } }', {
      name,
    });
    const assignee = { kind: 'AGENT', id: agent.id };
    await ask('assignRole { assignment { role } }', { assignee, role });
    return agent.id;
  };
  const issue = (id: string, label: string): Promise<{ keyId: string; token: string }> =>
    ask('issueKey { keyId token }', { principal: { kind: 'AGENT', id }, label });
  const [keeper, reader] = [await engage('keeper', 'admin'), await engage('scout', 'reader')];
  await ask('renameAgent { agent { id } }', { agentId: reader, name: 'reader' });
  await ask('disableAgent { agent { id } }', { agentId: reader, reason: 'a pause' });
  await ask('enableAgent { agent { id } }', { agentId: reader });
  const first = await issue(reader, 'first');
  const second = await ask<{ token: string }>('rotateKey { keyId token }', {
    keyId: first.keyId,
    overlapSeconds: 0,
  });
  const lost = await issue(reader, 'lost');
  await ask('revokeKey { key { id } }', { keyId: lost.keyId, reason: 'lost on a train' });
  const administrator = await issue(keeper, 'administration');
  return { administrator: administrator.token, reader: second.token, revoked: lost.token };
}

async function callTools(gateUrl: string, tokens: Tokens): Promise<void> {
  const caller = await eventually(() => connectCaller(`${gateUrl}/mcp`, tokens.reader, 'journey'));
  try {
    await eventually(async () => {
      if ((await caller.listTools()).length === 0) throw new Error('nothing is served yet');
    });
    await caller.call('notes__read_note', { title: 'hello' });
    await caller.call('notes__write_note', { title: 'hello' });
  } finally {
    await caller.close();
  }
  await connectCaller(`${gateUrl}/mcp`, tokens.revoked, 'journey').then(
    (refused) => refused.close(),
    () => undefined,
  );
}
