import type { EventOf } from '@gatehouse/event-catalog';
import type { Decider } from '@gatehouse/event-sourcing';
import { Refusal } from '@gatehouse/problem-catalog';

export type GroupEvent = EventOf<
  | 'identity.group-created.v1'
  | 'identity.group-renamed.v1'
  | 'identity.group-member-added.v1'
  | 'identity.group-member-removed.v1'
  | 'identity.group-deleted.v1'
>;

/** A deleted group still knows who was in it at the end: they are who loses its roles. */
export type Group =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'existing' | 'deleted';
      readonly displayName: string;
      readonly members: ReadonlySet<string>;
    };

export type GroupCommand =
  | { readonly type: 'create-group'; readonly groupId: string; readonly displayName: string }
  | { readonly type: 'rename-group'; readonly groupId: string; readonly displayName: string }
  | { readonly type: 'delete-group'; readonly groupId: string }
  | { readonly type: 'add-group-member'; readonly groupId: string; readonly userId: string }
  | { readonly type: 'remove-group-member'; readonly groupId: string; readonly userId: string };

/** The stream of a group. */
export const groupStream = (groupId: string): string => `group-${groupId}`;

/** A group of people: created, renamed, filled, deleted for good. */
export const groupDecider: Decider<Group, GroupCommand, GroupEvent> = {
  initialState: { status: 'unknown' },
  decide(command, group) {
    const { groupId } = command;
    if (command.type === 'create-group') {
      if (group.status !== 'unknown') return [];
      const { displayName } = command;
      return [{ type: 'identity.group-created.v1', data: { groupId, displayName } }];
    }
    if (group.status !== 'existing') throw new Refusal('group-unknown');
    switch (command.type) {
      case 'rename-group': {
        const { displayName } = command;
        if (displayName === group.displayName) return [];
        return [{ type: 'identity.group-renamed.v1', data: { groupId, displayName } }];
      }
      case 'delete-group':
        return [{ type: 'identity.group-deleted.v1', data: { groupId } }];
      case 'add-group-member': {
        const { userId } = command;
        if (group.members.has(userId)) return [];
        return [{ type: 'identity.group-member-added.v1', data: { groupId, userId } }];
      }
      case 'remove-group-member': {
        const { userId } = command;
        if (!group.members.has(userId)) return [];
        return [{ type: 'identity.group-member-removed.v1', data: { groupId, userId } }];
      }
    }
  },
  evolve(group, { type, data }) {
    if (type === 'identity.group-created.v1')
      return { status: 'existing', displayName: data.displayName, members: new Set() };
    if (group.status === 'unknown') return group;
    switch (type) {
      case 'identity.group-renamed.v1':
        return { ...group, displayName: data.displayName };
      case 'identity.group-member-added.v1':
        return { ...group, members: new Set([...group.members, data.userId]) };
      case 'identity.group-member-removed.v1':
        return { ...group, members: new Set([...group.members].filter((m) => m !== data.userId)) };
      case 'identity.group-deleted.v1':
        return { ...group, status: 'deleted' };
    }
  },
};
