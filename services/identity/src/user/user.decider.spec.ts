import { given } from '@gatehouse/event-sourcing';
import { describe, it } from 'vitest';
import { userDecider, type UserEvent } from './user.decider.ts';

const ada = { userId: 'u1', userName: 'ada', displayName: 'Ada Lovelace', email: null };
const provisioned: UserEvent = { type: 'identity.user-provisioned.v1', data: ada };
const deactivated: UserEvent = {
  type: 'identity.user-deactivated.v1',
  data: { userId: 'u1', reason: 'left' },
};
const reactivated: UserEvent = { type: 'identity.user-reactivated.v1', data: { userId: 'u1' } };
const deactivate = { type: 'deactivate-user', userId: 'u1', reason: 'left' } as const;

describe('a user', () => {
  it('is provisioned', () => {
    given(userDecider)
      .when({ type: 'provision-user', ...ada })
      .emits(provisioned);
  });

  it('is provisioned only once', () => {
    given(userDecider, provisioned)
      .when({ type: 'provision-user', ...ada, displayName: 'Somebody else' })
      .emitsNothing();
  });

  it('may change names and address', () => {
    const renamed = { ...ada, displayName: 'Ada King', email: 'ada@example.org' };
    given(userDecider, provisioned)
      .when({ type: 'update-user', ...renamed })
      .emits({ type: 'identity.user-updated.v1', data: renamed });
  });

  it('is not updated to what it is already', () => {
    given(userDecider, provisioned)
      .when({ type: 'update-user', ...ada })
      .emitsNothing();
  });

  it('is deactivated once, never twice', () => {
    given(userDecider, provisioned).when(deactivate).emits(deactivated);
    given(userDecider, provisioned, deactivated).when(deactivate).emitsNothing();
  });

  it('keeps its names while deactivated and may be renamed then', () => {
    given(userDecider, provisioned, deactivated)
      .when({ type: 'update-user', ...ada })
      .emitsNothing();
  });

  it('is reactivated, and may then be deactivated again', () => {
    const reactivate = { type: 'reactivate-user', userId: 'u1' } as const;
    given(userDecider, provisioned, deactivated).when(reactivate).emits(reactivated);
    given(userDecider, provisioned).when(reactivate).emitsNothing();
    given(userDecider, provisioned, deactivated, reactivated).when(deactivate).emits(deactivated);
  });

  it.each([
    deactivate,
    { type: 'reactivate-user', userId: 'u1' } as const,
    { type: 'update-user', ...ada } as const,
  ])('that nobody provisioned is refused: $type', (command) => {
    given(userDecider).when(command).refuses('user-unknown');
  });
});
