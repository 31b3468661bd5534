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

/** Who came or went last, and who before. A set copied at each of ten thousand changes would cost seconds to fold. */
interface MembershipChange {
  readonly userId: string;
  readonly isIn: boolean;
  readonly before: MembershipChange | null;
}

export type Group =
  | { readonly status: 'unknown' | 'deleted' }
  | {
      readonly status: 'existing';
      readonly displayName: string;
      readonly lastChange: MembershipChange | null;
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
        if (hasMember(group.lastChange, userId)) return [];
        return [{ type: 'identity.group-member-added.v1', data: { groupId, userId } }];
      }
      case 'remove-group-member': {
        const { userId } = command;
        if (!hasMember(group.lastChange, userId)) return [];
        return [{ type: 'identity.group-member-removed.v1', data: { groupId, userId } }];
      }
    }
  },
  evolve(group, { type, data }) {
    if (type === 'identity.group-created.v1')
      return { status: 'existing', displayName: data.displayName, lastChange: null };
    if (group.status !== 'existing') return group;
    const { lastChange: before } = group;
    switch (type) {
      case 'identity.group-renamed.v1':
        return { ...group, displayName: data.displayName };
      case 'identity.group-member-added.v1':
        return { ...group, lastChange: { userId: data.userId, isIn: true, before } };
      case 'identity.group-member-removed.v1':
        return { ...group, lastChange: { userId: data.userId, isIn: false, before } };
      case 'identity.group-deleted.v1':
        return { status: 'deleted' };
    }
  },
};

function hasMember(lastChange: MembershipChange | null, userId: string): boolean {
  for (let change = lastChange; change !== null; change = change.before)
    if (change.userId === userId) return change.isIn;
  return false;
}
