import { given } from '@gatehouse/event-sourcing';
import { describe, it } from 'vitest';
import { groupDecider, type GroupEvent } from './group.decider.ts';

const groupId = 'g1';
const created: GroupEvent = {
  type: 'identity.group-created.v1',
  data: { groupId, displayName: 'Finance' },
};
const added = (userId: string): GroupEvent => ({
  type: 'identity.group-member-added.v1',
  data: { groupId, userId },
});
const removed = (userId: string): GroupEvent => ({
  type: 'identity.group-member-removed.v1',
  data: { groupId, userId },
});
const deleted: GroupEvent = { type: 'identity.group-deleted.v1', data: { groupId } };

describe('a group', () => {
  it('is created', () => {
    given(groupDecider)
      .when({ type: 'create-group', groupId, displayName: 'Finance' })
      .emits(created);
  });

  it('is renamed, but not to the name it has', () => {
    given(groupDecider, created)
      .when({ type: 'rename-group', groupId, displayName: 'Money' })
      .emits({ type: 'identity.group-renamed.v1', data: { groupId, displayName: 'Money' } });
    given(groupDecider, created)
      .when({ type: 'rename-group', groupId, displayName: 'Finance' })
      .emitsNothing();
  });

  it('takes a member once', () => {
    const add = { type: 'add-group-member', groupId, userId: 'u1' } as const;
    given(groupDecider, created).when(add).emits(added('u1'));
    given(groupDecider, created, added('u1')).when(add).emitsNothing();
    given(groupDecider, created, added('u1'), removed('u1')).when(add).emits(added('u1'));
  });

  it('lets a member go once', () => {
    const remove = { type: 'remove-group-member', groupId, userId: 'u1' } as const;
    given(groupDecider, created, added('u1')).when(remove).emits(removed('u1'));
    given(groupDecider, created, added('u2')).when(remove).emitsNothing();
  });

  it('is deleted for good', () => {
    given(groupDecider, created).when({ type: 'delete-group', groupId }).emits(deleted);
    given(groupDecider, created, deleted)
      .when({ type: 'delete-group', groupId })
      .refuses('group-unknown');
    given(groupDecider, created, deleted)
      .when({ type: 'create-group', groupId, displayName: 'Finance' })
      .emitsNothing();
  });

  it.each([
    { type: 'rename-group', groupId, displayName: 'Money' } as const,
    { type: 'add-group-member', groupId, userId: 'u1' } as const,
    { type: 'remove-group-member', groupId, userId: 'u1' } as const,
    { type: 'delete-group', groupId } as const,
  ])('that nobody created is refused: $type', (command) => {
    given(groupDecider).when(command).refuses('group-unknown');
  });
});
