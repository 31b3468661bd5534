import { topics } from '@gatehouse/event-catalog';
import { toMessage } from '@gatehouse/platform';
import { eventually } from '@gatehouse/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  startIdentity,
  type IdentityOptions,
  type RunningIdentity,
} from '../test/start-identity.ts';

let identity: RunningIdentity;
afterEach(() => identity?.stop());

async function start(options?: IdentityOptions): Promise<void> {
  identity = await startIdentity(options);
}

async function user(userName: string): Promise<string> {
  const answer = await identity.send('provision-user', {
    userName,
    displayName: userName,
    email: null,
  });
  return answer.result.userId;
}

async function administrator(userName: string): Promise<string> {
  const id = await user(userName);
  await assign({ kind: 'user', id }, 'admin');
  return id;
}

const assign = (assignee: { kind: 'user' | 'group' | 'agent'; id: string }, role: string) =>
  identity.send('assign-role', { assignee, role });
const revokeAdmin = (assignee: { kind: 'user' | 'group' | 'agent'; id: string }) =>
  identity.send('revoke-role', { assignee, role: 'admin' });
const deactivate = (userId: string) => identity.send('deactivate-user', { userId, reason: 'left' });
const refusal = (code: string) => expect.objectContaining({ code });

/** What policy would publish. */
async function policySays(position: number, event: { type: string; data: unknown }): Promise<void> {
  const message = toMessage({
    id: '00000000-0000-7000-8000-000000000001',
    stream: 'bundle',
    version: position,
    position,
    occurredAt: '2026-01-01T00:00:00.000Z',
    actor: { kind: 'user', id: 'ada', name: 'Ada' },
    correlationId: 'test',
    ...event,
  } as Parameters<typeof toMessage>[0]);
  await identity.platform.bus.publish(topics.policy, [message]);
}

const editor = { name: 'editor', description: '', management: 'none', connectors: [] };

describe('assigning a role', () => {
  it('is refused for an assignee who is not there', async () => {
    await start();
    await expect(assign({ kind: 'user', id: 'nobody' }, 'viewer')).rejects.toEqual(
      refusal('user-unknown'),
    );
    await expect(assign({ kind: 'agent', id: 'nobody' }, 'viewer')).rejects.toEqual(
      refusal('agent-unknown'),
    );
    await expect(assign({ kind: 'group', id: 'nobody' }, 'viewer')).rejects.toEqual(
      refusal('group-unknown'),
    );
  });

  it('is refused for a role that policy does not have, or no longer has', async () => {
    await start();
    const assignee = { kind: 'user', id: await user('ada') } as const;
    await expect(assign(assignee, 'editor')).rejects.toEqual(refusal('role-unknown'));
    await policySays(1, { type: 'policy.role-defined.v1', data: { role: editor } });
    await eventually(() => assign(assignee, 'editor'));
    await policySays(2, { type: 'policy.role-deleted.v1', data: { name: 'editor' } });
    await eventually(() =>
      expect(assign(assignee, 'editor')).rejects.toEqual(refusal('role-unknown')),
    );
    await identity.send('revoke-role', { assignee, role: 'editor' });
    await eventually(() =>
      expect(identity.state(`user:${assignee.id}`)).toMatchObject({ roles: [] }),
    );
  });

  it('waits for a role that policy made a moment ago', async () => {
    await start({ newRolePatienceMs: 10_000 });
    const id = await user('ada');
    const assigned = assign({ kind: 'user', id }, 'editor');
    await policySays(1, { type: 'policy.role-defined.v1', data: { role: editor } });
    await assigned;
    await eventually(() =>
      expect(identity.state(`user:${id}`)).toMatchObject({ roles: ['editor'] }),
    );
  });
});

describe('the last administrator', () => {
  it('can neither lose the role nor be deactivated', async () => {
    await start();
    const id = await administrator('ada');
    await expect(revokeAdmin({ kind: 'user', id })).rejects.toEqual(refusal('last-administrator'));
    await expect(deactivate(id)).rejects.toEqual(refusal('last-administrator'));
    await administrator('grace');
    await deactivate(id);
    await eventually(() => expect(identity.state(`user:${id}`)).toMatchObject({ active: false }));
  });

  it('is not somebody who is deactivated', async () => {
    await start();
    const [ada, grace] = [await administrator('ada'), await administrator('grace')];
    await deactivate(grace);
    await expect(deactivate(ada)).rejects.toEqual(refusal('last-administrator'));
    await revokeAdmin({ kind: 'user', id: grace });
  });

  it('may be the member of a group, who cannot leave it nor the group be deleted', async () => {
    await start();
    const userId = await user('ada');
    const { groupId } = (await identity.send('create-group', { displayName: 'Admins' })).result;
    await assign({ kind: 'group', id: groupId }, 'admin');
    const grace = await administrator('grace');
    await expect(deactivate(grace)).rejects.toEqual(refusal('last-administrator'));
    await identity.send('add-group-member', { groupId, userId });
    await deactivate(grace);
    for (const attempt of [
      () => identity.send('remove-group-member', { groupId, userId }),
      () => identity.send('delete-group', { groupId }),
      () => revokeAdmin({ kind: 'group', id: groupId }),
      () => deactivate(userId),
    ]) {
      await expect(attempt()).rejects.toEqual(refusal('last-administrator'));
    }
    await expect(
      identity.send('add-group-member', { groupId, userId: grace }),
    ).resolves.toMatchObject({ version: 3 });
  });

  it('may be an agent, as long as its owner may call', async () => {
    await start();
    const owner = await user('ada');
    const { agentId } = (
      await identity.send('register-agent', { name: 'ops', description: '', ownerUserId: owner })
    ).result;
    await assign({ kind: 'agent', id: agentId }, 'admin');
    const disable = () => identity.send('disable-agent', { agentId, reason: 'odd' });
    await expect(disable()).rejects.toEqual(refusal('last-administrator'));
    await expect(deactivate(owner)).rejects.toEqual(refusal('last-administrator'));
    await administrator('grace');
    await disable();
  });

  it('survives two who lock each other out at the same moment', async () => {
    await start();
    const ids = [];
    for (const name of ['a', 'b', 'c', 'd']) ids.push(await administrator(name));
    const outcomes = await Promise.allSettled(ids.map((id) => deactivate(id)));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toEqual([{ status: 'rejected', reason: refusal('last-administrator') }]);
  });

  it('does not keep anybody from going while there is none', async () => {
    await start();
    const id = await user('ada');
    await expect(deactivate(id)).resolves.toMatchObject({ version: 2 });
  });
});
