import { connectCaller, type McpCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formOfThisLane } from './harness/gatehouse.ts';
import { startWorld, type World } from './harness/world.ts';

let world: World;
beforeAll(async () => {
  // Two gateways where there can be: what ends at one ends at the other.
  world = await startWorld({}, formOfThisLane(2));
});
afterAll(() => world.dispose());

const LONG_TOOL = 'everything__trigger-long-running-operation';
const LONG_CALL_S = 30;
// Far below how long the call would take, far above what a cut takes: this is about whether, not how fast.
const CUT_WITHIN_MS = 5_000;

interface Person {
  readonly userId: string;
  readonly keyId: string;
  readonly token: string;
}

async function person(userName: string): Promise<Person> {
  const { provisionUser } = await world.ask<{ provisionUser: { user: { id: string } } }>(
    `mutation ($input: ProvisionUserInput!) { provisionUser(input: $input) { user { id } } }`,
    { input: { userName, displayName: userName } },
  );
  const { id } = provisionUser.user;
  const { issueKey } = await world.ask<{ issueKey: { token: string; key: { id: string } } }>(
    `mutation ($input: IssueKeyInput!) { issueKey(input: $input) { token key { id } } }`,
    { input: { principal: { kind: 'USER', id }, label: 'laptop' } },
  );
  return { userId: id, keyId: issueKey.key.id, token: issueKey.token };
}

async function assign(kind: 'USER' | 'GROUP' | 'AGENT', id: string, role: string): Promise<void> {
  await world.ask(
    `mutation ($input: AssignRoleInput!) { assignRole(input: $input) { assignment { role } } }`,
    {
      input: { assignee: { kind, id }, role },
    },
  );
}

const connect = (token: string, gate = world.gatehouse.url): Promise<McpCaller> =>
  connectCaller(`${gate}/mcp`, token, 'journey');

/** A session whose holder may already call what the journey is about. */
async function connectWith(token: string, tool: string, gate?: string): Promise<McpCaller> {
  const caller = await eventually(() => connect(token, gate));
  await eventually(async () => expect(await caller.listTools()).toContain(tool));
  return caller;
}

/** A session at each of the other gateways; none where there is one alone. */
function connectElsewhere(token: string, tool: string): Promise<McpCaller[]> {
  const others = world.gatehouse.gateUrls.filter((gate) => gate !== world.gatehouse.url);
  return Promise.all(others.map((gate) => connectWith(token, tool, gate)));
}

const close = (callers: readonly McpCaller[]): Promise<unknown> =>
  Promise.all(callers.map((caller) => caller.close()));

/** Every one of these sessions comes to be refused what it could do. */
async function expectRefused(callers: readonly McpCaller[], tool: string): Promise<void> {
  for (const caller of callers)
    await eventually(async () =>
      expect((await caller.call(tool, { message: 'x' })).failed).toBe(true),
    );
}

/** Every one of these sessions comes to see these tools, and no other. */
async function expectTools(callers: readonly McpCaller[], tools: readonly string[]): Promise<void> {
  for (const caller of callers)
    await eventually(async () => expect(await caller.listTools()).toEqual(tools));
}

/** Starts a call that would take half a minute, lets it get to the server, takes the right away, and answers how it ended. */
async function cutWhile(
  caller: McpCaller,
  takeAway: () => Promise<unknown>,
): Promise<{ text: string; failed: boolean }> {
  const call = caller.call(LONG_TOOL, {
    duration: LONG_CALL_S,
    steps: 5,
  });
  await eventually(async () => {
    const intents = await world.trail({
      tool: 'trigger-long-running-operation',
      outcome: 'UNKNOWN',
    });
    expect(intents.length).toBeGreaterThan(0);
  });
  await takeAway();
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error('the call was not cut')), CUT_WITHIN_MS).unref();
  });
  return Promise.race([call, late]);
}

describe('a right that ends while it is being used', () => {
  it('a deactivated person: the call under way is cut, the session ends, the key is refused, and the trail says why', async () => {
    const ada = await person('ada');
    await assign('USER', ada.userId, 'developer');
    const caller = await connectWith(ada.token, LONG_TOOL);
    const elsewhere = await connectElsewhere(ada.token, LONG_TOOL);
    const cut = await cutWhile(caller, () =>
      world.ask(
        `mutation ($input: DeactivateUserInput!) { deactivateUser(input: $input) { user { active } } }`,
        {
          input: { userId: ada.userId, reason: 'left the company' },
        },
      ),
    );
    expect(cut.failed).toBe(true);
    expect((await caller.call('everything__echo', { message: 'x' })).failed).toBe(true);
    await expectRefused(elsewhere, 'everything__echo');
    for (const gate of world.gatehouse.gateUrls)
      await expect(connect(ada.token, gate)).rejects.toThrow(/token|401|nauthorized/i);
    await eventually(async () => {
      const ended = await world.trail({ principalId: ada.userId, outcome: 'CANCELLED' });
      expect(ended.map((record) => record.reason.code)).toEqual(['call-cut']);
    });
    await close([caller, ...elsewhere]);
  });

  it('a revoked role: the call under way is cut and its tools vanish from the open session', async () => {
    const { token } = await world.agent('long', { everything: [{ tool: '*', mode: 'WRITE' }] });
    const caller = await connect(token);
    const elsewhere = await connectElsewhere(token, LONG_TOOL);
    const heard = caller.announcements;
    const cut = await cutWhile(caller, () =>
      world.admin.defineRole('long-role', '', { everything: [{ tool: 'echo', mode: 'READ' }] }),
    );
    expect(cut.failed).toBe(true);
    await eventually(() => expect(caller.announcements).toBeGreaterThan(heard));
    expect(await caller.listTools()).toEqual(['everything__echo']);
    expect((await caller.call('everything__echo', { message: 'still' })).text).toContain('still');
    await expectTools(elsewhere, ['everything__echo']);
    await close([caller, ...elsewhere]);
  });

  it('a revoked key: its session ends, another key of the same agent goes on', async () => {
    const { token, keyId } = await world.agent('two-keys', {
      everything: [{ tool: 'echo', mode: 'READ' }],
    });
    const caller = await connect(token);
    const elsewhere = await connectElsewhere(token, 'everything__echo');
    const { rotateKey } = await world.ask<{ rotateKey: { token: string } }>(
      `mutation ($input: RotateKeyInput!) { rotateKey(input: $input) { token } }`,
      { input: { keyId, overlapSeconds: 3600 } },
    );
    const successor = await connectWith(rotateKey.token, 'everything__echo');
    expect((await caller.call('everything__echo', { message: 'overlap' })).failed).toBe(false);
    await world.admin.revokeKey(keyId, 'rotated');
    await expectRefused([caller, ...elsewhere], 'everything__echo');
    expect((await successor.call('everything__echo', { message: 'mine' })).text).toContain('mine');
    await close([successor, caller, ...elsewhere]);
  });

  it("a person who leaves a group loses the group's roles, and gains them again on return", async () => {
    const bea = await person('bea');
    const { createGroup } = await world.ask<{ createGroup: { group: { id: string } } }>(
      `mutation ($input: CreateGroupInput!) { createGroup(input: $input) { group { id } } }`,
      { input: { displayName: 'engineers' } },
    );
    const membership = { groupId: createGroup.group.id, userId: bea.userId };
    await assign('GROUP', membership.groupId, 'viewer');
    const join = `mutation ($input: AddGroupMemberInput!) { addGroupMember(input: $input) { group { id } } }`;
    const leave = `mutation ($input: RemoveGroupMemberInput!) { removeGroupMember(input: $input) { group { id } } }`;
    await world.ask(join, { input: membership });
    const caller = await connectWith(bea.token, 'files__read_text_file');
    const elsewhere = await connectElsewhere(bea.token, 'files__read_text_file');
    expect(await caller.listTools()).not.toContain('files__write_file');
    await world.ask(leave, { input: membership });
    await expectTools([caller, ...elsewhere], []);
    await world.ask(join, { input: membership });
    await eventually(async () =>
      expect(await caller.listTools()).toContain('files__read_text_file'),
    );
    await close([caller, ...elsewhere]);
  });

  it('a suspended server: the call under way is cut; resumed, it serves the same session again', async () => {
    const { token } = await world.agent('patient', { everything: [{ tool: '*', mode: 'WRITE' }] });
    const caller = await connect(token);
    const elsewhere = await connectElsewhere(token, 'everything__echo');
    const cut = await cutWhile(caller, () => world.admin.suspend('everything', 'test'));
    expect(cut.failed).toBe(true);
    expect(await caller.listTools()).toEqual([]);
    await expectTools(elsewhere, []);
    await world.ask(
      `mutation { resumeServer(input: { slug: "everything" }) { server { status } } }`,
    );
    await eventually(async () => expect(await caller.listTools()).toContain('everything__echo'));
    expect((await caller.call('everything__echo', { message: 'back' })).text).toContain('back');
    for (const other of elsewhere)
      await eventually(async () => expect(await other.listTools()).toContain('everything__echo'));
    await close([caller, ...elsewhere]);
  });
});
