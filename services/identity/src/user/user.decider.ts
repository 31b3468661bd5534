import type { EventOf } from '@gatehouse/event-catalog';
import type { Decider } from '@gatehouse/event-sourcing';
import { Refusal } from '@gatehouse/problem-catalog';

export type UserEvent = EventOf<
  | 'identity.user-provisioned.v1'
  | 'identity.user-updated.v1'
  | 'identity.user-deactivated.v1'
  | 'identity.user-reactivated.v1'
>;

interface Profile {
  readonly userName: string;
  readonly displayName: string;
  readonly email: string | null;
}

export type User =
  | { readonly status: 'unknown' }
  | { readonly status: 'active' | 'deactivated'; readonly profile: Profile };

export type UserCommand =
  | ({ readonly type: 'provision-user'; readonly userId: string } & Profile)
  | ({ readonly type: 'update-user'; readonly userId: string } & Profile)
  | { readonly type: 'deactivate-user'; readonly userId: string; readonly reason: string }
  | { readonly type: 'reactivate-user'; readonly userId: string };

/** The stream of a person. */
export const userStream = (userId: string): string => `user-${userId}`;

/** A person in the directory: provisioned once, then active or locked out; never deleted, for evidence names them. */
export const userDecider: Decider<User, UserCommand, UserEvent> = {
  initialState: { status: 'unknown' },
  decide(command, user) {
    if (command.type === 'provision-user') return provision(command, user);
    if (user.status === 'unknown') throw new Refusal('user-unknown');
    const { userId } = command;
    switch (command.type) {
      case 'update-user':
        return update(command, user.profile);
      case 'deactivate-user':
        if (user.status === 'deactivated') return [];
        return [{ type: 'identity.user-deactivated.v1', data: { userId, reason: command.reason } }];
      case 'reactivate-user':
        if (user.status === 'active') return [];
        return [{ type: 'identity.user-reactivated.v1', data: { userId } }];
    }
  },
  evolve(user, { type, data }) {
    switch (type) {
      case 'identity.user-provisioned.v1':
        return { status: 'active', profile: profileOf(data) };
      case 'identity.user-updated.v1':
        return user.status === 'unknown' ? user : { ...user, profile: profileOf(data) };
      case 'identity.user-deactivated.v1':
        return user.status === 'unknown' ? user : { ...user, status: 'deactivated' };
      case 'identity.user-reactivated.v1':
        return user.status === 'unknown' ? user : { ...user, status: 'active' };
    }
  },
};

function provision(
  command: Extract<UserCommand, { type: 'provision-user' }>,
  user: User,
): UserEvent[] {
  if (user.status !== 'unknown') return [];
  const data = { userId: command.userId, ...profileOf(command) };
  return [{ type: 'identity.user-provisioned.v1', data }];
}

function update(command: { userId: string } & Profile, before: Profile): UserEvent[] {
  const after = profileOf(command);
  const same =
    after.userName === before.userName &&
    after.displayName === before.displayName &&
    after.email === before.email;
  if (same) return [];
  return [{ type: 'identity.user-updated.v1', data: { userId: command.userId, ...after } }];
}

function profileOf({ userName, displayName, email }: Profile): Profile {
  return { userName, displayName, email };
}
