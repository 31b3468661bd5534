import type { EventData, EventOf, PrincipalRef } from '@gatehouse/event-catalog';
import type { Decider } from '@gatehouse/event-sourcing';
import { Refusal } from '@gatehouse/problem-catalog';

export type KeyEvent = EventOf<
  'identity.key-issued.v1' | 'identity.key-retiring.v1' | 'identity.key-revoked.v1'
>;

export type Key =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'live' | 'retiring' | 'revoked';
      readonly principal: PrincipalRef;
      readonly label: string;
      readonly expiresAt: string | null;
    };

export type KeyCommand =
  | ({ readonly type: 'issue-key' } & EventData<'identity.key-issued.v1'>)
  | {
      readonly type: 'retire-key';
      readonly keyId: string;
      readonly replacedBy: string;
      readonly overlapSeconds: number;
    }
  | { readonly type: 'revoke-key'; readonly keyId: string; readonly reason: string };

/** The stream of a key. */
export const keyStream = (keyId: string): string => `key-${keyId}`;

/** A bearer key: live until it expires, is retired by a successor and its overlap ends, or is revoked. */
export const keyDecider: Decider<Key, KeyCommand, KeyEvent> = {
  initialState: { status: 'unknown' },
  decide(command, key, { now }) {
    if (command.type === 'issue-key') {
      // Ids come from 96 random bits; one that exists already is no coincidence to shrug off.
      if (key.status !== 'unknown') throw new Error(`key ${command.keyId} exists already`);
      return issue(command, now);
    }
    if (key.status === 'unknown') throw new Refusal('key-unknown');
    switch (command.type) {
      case 'retire-key': {
        if (key.status !== 'live' || isPast(key.expiresAt, now)) throw new Refusal('key-ended');
        const { keyId, replacedBy, overlapSeconds } = command;
        const overlapUntil = new Date(now.getTime() + overlapSeconds * 1_000).toISOString();
        return [{ type: 'identity.key-retiring.v1', data: { keyId, replacedBy, overlapUntil } }];
      }
      case 'revoke-key': {
        if (key.status === 'revoked') return [];
        const { keyId, reason } = command;
        return [{ type: 'identity.key-revoked.v1', data: { keyId, reason } }];
      }
    }
  },
  evolve(key, { type, data }) {
    if (type === 'identity.key-issued.v1') {
      const { principal, label, expiresAt } = data;
      return { status: 'live', principal, label, expiresAt };
    }
    if (key.status === 'unknown') return key;
    switch (type) {
      case 'identity.key-retiring.v1':
        return { ...key, status: 'retiring' };
      case 'identity.key-revoked.v1':
        return { ...key, status: 'revoked' };
    }
  },
};

function issue(command: Extract<KeyCommand, { type: 'issue-key' }>, now: Date): KeyEvent[] {
  if (isPast(command.expiresAt, now)) throw new Refusal('key-expiry-past');
  const { type: _type, ...data } = command;
  return [{ type: 'identity.key-issued.v1', data }];
}

function isPast(time: string | null, now: Date): boolean {
  return time !== null && Date.parse(time) <= now.getTime();
}
