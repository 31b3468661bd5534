import { topics } from '@gatehouse/event-catalog';
import { openServiceDatabase, toMessage } from '@gatehouse/platform';
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

const eventIdAt = (position: number) =>
  `00000000-0000-7000-8000-${String(position).padStart(12, '0')}`;

/** What policy would publish. */
async function policySays(position: number, event: { type: string; data: unknown }): Promise<void> {
  const message = toMessage({
    id: eventIdAt(position),
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

/** As after it was deleted and made anew. */
async function emptyPolicyTopic(): Promise<void> {
  const owner = openServiceDatabase('identity', identity.test.ownerUrl, identity.platform.log);
  await owner.pool.query('delete from bus.message where topic = $1', [topics.policy.name]);
  await owner.close();
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

describe('the deletion of a role in policy', () => {
  const defined = { type: 'policy.role-defined.v1', data: { role: editor } };
  const deleted = { type: 'policy.role-deleted.v1', data: { name: 'editor' } };
  const rolesOf = (id: string) => {
    const state = identity.state(`user:${id}`);
    return state?.kind === 'user' ? state.roles : undefined;
  };
  const revocations = async () => {
    const { rows } = await identity.platform
      .database('identity')
      .pool.query<{ holder: string; actor: unknown; cause: string }>(
        `select data->'assignee'->>'id' as holder, actor, causation_id as cause from event
         where type = 'identity.role-revoked.v1' order by position`,
      );
    return rows;
  };
  const handled = () =>
    eventually(async () => {
      const { rows } = await identity.platform
        .database('identity')
        .pool.query('select handled from role_deletions');
      expect(rows).toEqual([{ handled: true }]);
    });

  /** Ada had a role that was deleted, Grace has the new one of its name. */
  const roleMadeAnew = async (): Promise<readonly [string, string]> => {
    await start({ newRolePatienceMs: 5_000 });
    const [ada, grace] = [await user('ada'), await user('grace')];
    await policySays(1, defined);
    await assign({ kind: 'user', id: ada }, 'editor');
    await policySays(2, deleted);
    await policySays(3, defined);
    await handled();
    await assign({ kind: 'user', id: grace }, 'editor');
    return [ada, grace];
  };

  it('takes the role from all who held it, and tells why', async () => {
    await start({ newRolePatienceMs: 5_000 });
    const [ada, grace, other] = [await user('ada'), await user('grace'), await user('other')];
    await policySays(1, defined);
    for (const id of [ada, grace]) await assign({ kind: 'user', id }, 'editor');
    await assign({ kind: 'user', id: ada }, 'viewer');
    await assign({ kind: 'user', id: other }, 'viewer');
    await policySays(2, deleted);
    await eventually(() =>
      expect([ada, grace, other].map(rolesOf)).toEqual([['viewer'], [], ['viewer']]),
    );
    const actor = { kind: 'service', id: 'identity', name: 'identity' };
    expect(await revocations()).toEqual(
      expect.arrayContaining(
        [ada, grace].map((holder) => ({ holder, actor, cause: eventIdAt(2) })),
      ),
    );
    expect(await revocations()).toHaveLength(2);
  });

  it('that is followed by a new role of the name at once gives it back to nobody', async () => {
    const [ada, grace] = await roleMadeAnew();
    await eventually(() => expect([ada, grace].map(rolesOf)).toEqual([[], ['editor']]));
  });

  it('spares who was assigned the new role while the old was still being taken away', async () => {
    const [ada, grace] = await roleMadeAnew();
    // The process died before it had noted the deletion as handled.
    await identity.platform
      .database('identity')
      .pool.query('update role_deletions set handled = false');
    await handled();
    await eventually(() => expect([ada, grace].map(rolesOf)).toEqual([[], ['editor']]));
    expect(await revocations()).toHaveLength(1);
  });

  it.each([
    ['by the relay', async () => {}],
    [
      'from the beginning of the topic',
      () => identity.platform.database('identity').pool.query('delete from projection_cursor'),
    ],
  ])('that is delivered again %s takes nothing assigned since', async (_how, forget) => {
    const [ada, grace] = await roleMadeAnew();
    await forget();
    await policySays(1, defined);
    await policySays(2, deleted);
    // Once a later event is known, all before it was heard.
    await policySays(4, {
      type: 'policy.role-defined.v1',
      data: { role: { ...editor, name: 'marker' } },
    });
    await assign({ kind: 'user', id: ada }, 'marker');
    await assign({ kind: 'user', id: ada }, 'editor');
    await handled();
    await eventually(() =>
      expect([ada, grace].map(rolesOf)).toEqual([['editor', 'marker'], ['editor']]),
    );
    expect(await revocations()).toHaveLength(1);
  });

  it('that is folded anew by a rebuild takes nothing assigned since', async () => {
    const [, grace] = await roleMadeAnew();
    await identity.rebuild();
    await handled();
    await assign({ kind: 'user', id: grace }, 'editor');
    expect(await revocations()).toHaveLength(1);
  });

  it('is forgotten by a rebuild where policy, set back, does not tell of it, and its place in the log is of another', async () => {
    await start();
    const ada = await user('ada');
    const other = (name: string) => ({
      type: 'policy.role-defined.v1',
      data: { role: { ...editor, name } },
    });
    await policySays(1, defined);
    await policySays(2, deleted);
    await policySays(3, other('lost'));
    await eventually(() => assign({ kind: 'user', id: ada }, 'lost'));
    await identity.platform
      .database('identity')
      .pool.query(`update projection_cursor set next_offset = 1000, position = 1000`);
    await emptyPolicyTopic();
    await policySays(1, defined);
    await policySays(2, other('second'));
    await identity.rebuild();
    for (const role of ['editor', 'second']) await assign({ kind: 'user', id: ada }, role);
    await expect(assign({ kind: 'user', id: ada }, 'lost')).rejects.toEqual(
      refusal('role-unknown'),
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
