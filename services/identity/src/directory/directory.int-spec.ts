import { commandReceiptSchema } from '@gatehouse/event-catalog';
import { PostgresEventStore } from '@gatehouse/platform';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentity, type RunningIdentity } from '../test/start-identity.ts';
import { directoryTables } from './guarded-directory.ts';

let identity: RunningIdentity;
beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity?.stop());

let count = 0;
async function user(userName = `user-${(count += 1)}`): Promise<string> {
  const { result } = await identity.send('provision-user', {
    userName,
    displayName: 'Somebody',
    email: null,
  });
  return result.userId;
}

async function group(...members: string[]): Promise<string> {
  const { result } = await identity.send('create-group', { displayName: 'Finance' });
  for (const userId of members)
    await identity.send('add-group-member', { groupId: result.groupId, userId });
  return result.groupId;
}

async function agent(ownerUserId: string | null = null): Promise<string> {
  const name = `agent-${(count += 1)}`;
  const { result } = await identity.send('register-agent', { name, description: '', ownerUserId });
  return result.agentId;
}

const refusal = (code: string) => expect.objectContaining({ code });
const noSuchId = '00000000-0000-4000-8000-000000000000';

describe('the internal door', () => {
  it('tells whoever lacks the service token that there is nothing here', async () => {
    const answer = await fetch(`${identity.url}/internal/identity/create-group`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer guess' },
      body: JSON.stringify({}),
    });
    expect(answer.status).toBe(404);
  });

  it('refuses a command that has not its shape', async () => {
    await expect(
      identity.send('provision-user', { userName: ' ', displayName: 'x', email: 'no address' }),
    ).rejects.toEqual(refusal('request-invalid'));
  });

  it('answers where the event lies', async () => {
    const answer = await identity.send('create-group', { displayName: 'Ops' });
    expect(commandReceiptSchema.parse(answer)).toMatchObject({
      stream: `group-${answer.result.groupId}`,
      version: 1,
    });
  });
});

describe('users', () => {
  it('reach the gateways with names, groups and roles', async () => {
    const id = await user('Grace.Hopper');
    const groupId = await group(id);
    await identity.send('assign-role', { assignee: { kind: 'user', id }, role: 'viewer' });
    await eventually(() =>
      expect(identity.state(`user:${id}`)).toEqual({
        kind: 'user',
        id,
        name: 'Grace.Hopper',
        displayName: 'Somebody',
        active: true,
        groupIds: [groupId],
        roles: ['viewer'],
        keys: [],
      }),
    );
  });

  it('never share a user name, whatever its letter case and form', async () => {
    const id = await user('Anna');
    await expect(user('ANNA')).rejects.toEqual(refusal('user-name-taken'));
    await expect(user('ａｎｎａ')).rejects.toEqual(refusal('user-name-taken'));
    const other = await user();
    await expect(
      identity.send('update-user', {
        userId: other,
        userName: 'aNNa',
        displayName: 'x',
        email: null,
      }),
    ).rejects.toEqual(refusal('user-name-taken'));
    await identity.send('update-user', {
      userId: id,
      userName: 'ANNA',
      displayName: 'Anna',
      email: null,
    });
    await eventually(() =>
      expect(identity.state(`user:${id}`)).toMatchObject({ name: 'ANNA', displayName: 'Anna' }),
    );
  });

  it('of one name at the same moment become one', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 6 }, () => user('race')));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('are deactivated and reactivated, each once', async () => {
    const userId = await user();
    const first = await identity.send('deactivate-user', { userId, reason: 'left' });
    const second = await identity.send('deactivate-user', { userId, reason: 'left' });
    expect(second).toEqual(first);
    await eventually(() =>
      expect(identity.state(`user:${userId}`)).toMatchObject({ active: false }),
    );
    await identity.send('reactivate-user', { userId });
    await eventually(() =>
      expect(identity.state(`user:${userId}`)).toMatchObject({ active: true }),
    );
  });

  it('that are not there are refused', async () => {
    await expect(
      identity.send('deactivate-user', { userId: noSuchId, reason: 'x' }),
    ).rejects.toEqual(refusal('user-unknown'));
  });
});

describe('groups', () => {
  it('take known users only', async () => {
    const groupId = await group();
    await expect(identity.send('add-group-member', { groupId, userId: noSuchId })).rejects.toEqual(
      refusal('user-unknown'),
    );
  });

  it('leave a tombstone, and members who are no longer in them', async () => {
    const [stays, leaves] = [await user(), await user()];
    const groupId = await group(stays, leaves);
    await identity.send('assign-role', {
      assignee: { kind: 'group', id: groupId },
      role: 'developer',
    });
    await identity.send('remove-group-member', { groupId, userId: leaves });
    await eventually(() => {
      expect(identity.state(`group:${groupId}`)).toEqual({
        kind: 'group',
        id: groupId,
        name: 'Finance',
        roles: ['developer'],
      });
      expect(identity.state(`user:${stays}`)).toMatchObject({ groupIds: [groupId] });
      expect(identity.state(`user:${leaves}`)).toMatchObject({ groupIds: [] });
    });
    await identity.send('delete-group', { groupId });
    await eventually(() => {
      expect(identity.state(`group:${groupId}`)).toBeNull();
      expect(identity.state(`user:${stays}`)).toMatchObject({ groupIds: [] });
    });
    await expect(
      identity.send('assign-role', { assignee: { kind: 'group', id: groupId }, role: 'viewer' }),
    ).rejects.toEqual(refusal('group-unknown'));
  });
});

describe('agents', () => {
  it('reach the gateways with owner and roles', async () => {
    const owner = await user();
    const id = await agent(owner);
    await identity.send('assign-role', { assignee: { kind: 'agent', id }, role: 'viewer' });
    await identity.send('rename-agent', { agentId: id, name: 'Nightly', description: 'x' });
    await eventually(() =>
      expect(identity.state(`agent:${id}`)).toEqual({
        kind: 'agent',
        id,
        name: 'Nightly',
        active: true,
        ownerUserId: owner,
        roles: ['viewer'],
        keys: [],
      }),
    );
    await expect(
      identity.send('register-agent', { name: 'nightly', description: '', ownerUserId: null }),
    ).rejects.toEqual(refusal('agent-name-taken'));
    await identity.send('disable-agent', { agentId: id, reason: 'odd' });
    await eventually(() => expect(identity.state(`agent:${id}`)).toMatchObject({ active: false }));
  });

  it('belong to nobody who is not there or locked out', async () => {
    await expect(agent(noSuchId)).rejects.toEqual(refusal('user-unknown'));
    const userId = await user();
    await identity.send('deactivate-user', { userId, reason: 'left' });
    await expect(agent(userId)).rejects.toEqual(refusal('user-deactivated'));
  });
});

describe('the read tables', () => {
  it('are the same after a rebuild from the log', async () => {
    const tables = directoryTables.flatMap(({ tables }) => tables);
    const { pool } = identity.platform.database('identity');
    const snapshot = async (): Promise<unknown> =>
      Promise.all(
        tables.map(
          async (table) =>
            (await pool.query(`select to_jsonb(t) as row from ${table} as t order by 1`)).rows,
        ),
      );
    const before = await snapshot();
    expect(JSON.stringify(before)).toContain('Grace.Hopper');
    await new PostgresEventStore(
      identity.platform.database('identity'),
      directoryTables,
    ).rebuildProjections();
    expect(await snapshot()).toEqual(before);
  });
});
