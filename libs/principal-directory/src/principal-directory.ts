import { timingSafeEqual } from 'node:crypto';
import type { PrincipalRef, PrincipalState } from '@gatehouse/event-catalog';
import { classKey } from '@gatehouse/policy-engine';
import type { Authentication, CallingPrincipal } from './authentication.ts';
import { KeyRing, type HeldKey } from './key-ring.ts';
import { MembershipIndex } from './membership-index.ts';
import { principalKey } from './principal-message.ts';
import { TokenMemo } from './token-memo.ts';

type Caller = Extract<PrincipalState, { kind: 'user' | 'agent' }>;
type ChangeListener = (affected: readonly PrincipalRef[]) => void;

/** Positions are whole: the one that was known counts again, none before it does, however often this is asked. */
export const justBefore = (position: number): number => Math.ceil(position) - 0.5;

const BEARER = /^Bearer +(\S+) *$/i;

/**
 * Everybody who may call, folded from the principals state topic. Holds the newest value of each entity, whatever the
 * order and repetition in which messages come. Absence refuses: of the user, the key, the group, an agent's owner.
 */
export class PrincipalDirectory {
  readonly #entities = new Map<string, PrincipalState>();
  // Kept for tombstones too, else an older message that comes late would bring the dead back.
  readonly #positions = new Map<string, number>();
  readonly #keys = new KeyRing();
  readonly #groupMembers = new MembershipIndex();
  readonly #ownedAgents = new MembershipIndex();
  readonly #callers = new Map<string, CallingPrincipal>();
  readonly #tokens = new TokenMemo();
  readonly #listeners = new Set<ChangeListener>();

  /** Takes the value of an entity (null = gone) unless it is no newer than what is known of that entity. */
  apply(key: string, value: PrincipalState | null, position: number): void {
    if (value !== null && principalKey(value) !== key) {
      throw new Error(`the message of ${key} speaks of ${principalKey(value)}`);
    }
    if (!(position > (this.#positions.get(key) ?? Number.NEGATIVE_INFINITY))) return;
    const before = this.#entities.get(key);
    if (before !== undefined) this.#unindex(key, before);
    this.#positions.set(key, position);
    if (value === null) this.#entities.delete(key);
    else {
      this.#entities.set(key, value);
      this.#index(key, value);
    }
    this.#announce(this.#affectedBy(key, before, value));
  }

  /**
   * Takes an entity away on a word that nobody can read, unless what is known of that entity is as new: told again at the
   * same position, it comes back. A word without a position can be called neither newer nor older.
   */
  takeAway(key: string, position?: number): void {
    if (position !== undefined) return this.apply(key, null, justBefore(position));
    const known = this.#positions.get(key);
    this.apply(key, null, Number.POSITIVE_INFINITY);
    if (known === undefined) this.#positions.delete(key);
    else this.#positions.set(key, justBefore(known));
  }

  /** Who the bearer of an `Authorization` header is at this moment. */
  authenticate(authorizationHeader: string | undefined, now: Date): Authentication {
    const token = BEARER.exec(authorizationHeader ?? '')?.[1];
    if (token === undefined) return refused('authentication-required', 'no bearer token was sent');
    const known = this.#tokens.parse(token);
    if (known === undefined) return refused('token-malformed', 'the token has no valid form');
    const key = this.#keys.find(known.keyId);
    if (key === undefined) {
      const holders = this.#keys.holdersOf(known.keyId);
      const why =
        holders.length === 0
          ? 'was revoked, or never issued'
          : `is held by ${holders.join(' and ')}`;
      return refused('token-refused', `key ${known.keyId} ${why}`);
    }
    if (!sameDigest(known.digest, key.digest)) {
      return refused('token-refused', `the secret is not that of key ${known.keyId}`);
    }
    const caller = this.#admit(key, now);
    if (typeof caller === 'string') return refused('token-refused', caller);
    this.#tokens.keep(token, known);
    return { kind: 'principal', principal: this.#callingAs(key.holder, caller), keyId: key.keyId };
  }

  /** Who a caller authenticated earlier is now, to authorise a live session again; undefined when they may call no more. */
  current(ref: PrincipalRef, keyId: string, now: Date): CallingPrincipal | undefined {
    const key = this.#keys.find(keyId);
    if (key?.holder !== principalKey(ref)) return undefined;
    const caller = this.#admit(key, now);
    return typeof caller === 'string' ? undefined : this.#callingAs(key.holder, caller);
  }

  /** Everybody who is known to call, whether they may at this moment or not. */
  *callers(): Generator<PrincipalRef> {
    for (const { kind, id } of this.#entities.values()) if (kind !== 'group') yield { kind, id };
  }

  /** Calls back after a change with those whose rights or names it may touch. Returns the unsubscriber. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #index(key: string, value: PrincipalState): void {
    if (value.kind === 'group') return;
    for (const held of value.keys) this.#keys.add(key, held);
    if (value.kind === 'user') for (const id of value.groupIds) this.#groupMembers.add(id, key);
    else if (value.ownerUserId !== null) this.#ownedAgents.add(value.ownerUserId, key);
  }

  #unindex(key: string, value: PrincipalState): void {
    if (value.kind === 'group') return;
    for (const { keyId } of value.keys) this.#keys.remove(key, keyId);
    if (value.kind === 'user') for (const id of value.groupIds) this.#groupMembers.remove(id, key);
    else if (value.ownerUserId !== null) this.#ownedAgents.remove(value.ownerUserId, key);
  }

  #affectedBy(
    key: string,
    before: PrincipalState | undefined,
    after: PrincipalState | null,
  ): string[] {
    const entity = after ?? before;
    if (entity === undefined) return [];
    if (entity.kind === 'group') return [...this.#groupMembers.of(entity.id)];
    // Whoever holds a key id too that came or went here: a key of two is nobody's.
    const keyIds = new Set([...keyIdsOf(before), ...keyIdsOf(after)]);
    const affected = [key, ...[...keyIds].flatMap((keyId) => this.#keys.holdersOf(keyId))];
    if (entity.kind === 'user' && isActive(before) !== isActive(after)) {
      affected.push(...this.#ownedAgents.of(entity.id));
    }
    return [...new Set(affected)];
  }

  #announce(keys: readonly string[]): void {
    for (const key of keys) this.#callers.delete(key);
    if (keys.length === 0) return;
    const affected = keys.map(refOf);
    const failures: unknown[] = [];
    for (const listener of this.#listeners) {
      try {
        listener(affected);
      } catch (failure) {
        failures.push(failure);
      }
    }
    // One listener's failure must not keep a revocation from the others, nor be lost.
    if (failures.length > 0) throw new AggregateError(failures, 'a listener failed');
  }

  #caller(key: string): Caller | undefined {
    const entity = this.#entities.get(key);
    return entity === undefined || entity.kind === 'group' ? undefined : entity;
  }

  /** The holder of a key, if the key can still be called with; else what stands against it. */
  #admit({ keyId, holder, endsAt }: HeldKey, now: Date): Caller | string {
    if (!(now.getTime() < endsAt)) return `key ${keyId} has ended`;
    const caller = this.#caller(holder);
    if (caller?.active !== true) return `${holder} is not active`;
    if (caller.kind === 'agent' && caller.ownerUserId !== null) {
      const owner = principalKey({ kind: 'user', id: caller.ownerUserId });
      if (this.#caller(owner)?.active !== true) return `${owner}, its owner, is not active`;
    }
    return caller;
  }

  #callingAs(key: string, caller: Caller): CallingPrincipal {
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    const roles = Object.freeze([...new Set(this.#rolesOf(caller))].toSorted());
    const { kind, id, name } = caller;
    const calling = Object.freeze({ kind, id, name, roles, classKey: classKey(roles) });
    this.#callers.set(key, calling);
    return calling;
  }

  #rolesOf(caller: Caller): string[] {
    if (caller.kind === 'agent') return caller.roles;
    const groups = caller.groupIds.flatMap((id) => this.#entities.get(`group:${id}`) ?? []);
    return [...caller.roles, ...groups.flatMap((group) => group.roles)];
  }
}

function keyIdsOf(entity: PrincipalState | null | undefined): string[] {
  return entity === null || entity === undefined || entity.kind === 'group'
    ? []
    : entity.keys.map(({ keyId }) => keyId);
}

function isActive(entity: PrincipalState | null | undefined): boolean {
  return entity?.kind === 'user' && entity.active;
}

function refOf(key: string): PrincipalRef {
  return { kind: key.startsWith('user:') ? 'user' : 'agent', id: key.slice(key.indexOf(':') + 1) };
}

function refused(
  code: Extract<Authentication, { kind: 'refused' }>['code'],
  internal: string,
): Authentication {
  return { kind: 'refused', code, internal };
}

function sameDigest(given: Buffer, kept: Buffer): boolean {
  return kept.length === given.length && timingSafeEqual(kept, given);
}
