import type { PrincipalRef } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { principalKey } from '@gatehouse/principal-directory';
import type { Session } from './session.ts';

export interface SessionLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
}

/** The sessions of this node, found by id and by principal. */
export class InMemorySessionStore {
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, Session>();
  readonly #byPrincipal = new Map<string, Set<Session>>();

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /** Throws `overloaded` when the principal, or everybody together, holds as many sessions as may be. */
  assertRoomFor(principal: PrincipalRef): void {
    const held = this.of(principalKey(principal)).size;
    if (held >= this.#limits.maxSessionsPerPrincipal) {
      throw new Refusal('overloaded', { internal: `the principal holds ${held} sessions` });
    }
    if (this.#sessions.size >= this.#limits.maxSessions) {
      throw new Refusal('overloaded', { internal: `there are ${this.#sessions.size} sessions` });
    }
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** In how many of them the client listens. */
  get streams(): number {
    let count = 0;
    for (const { stream } of this.#sessions.values()) if (stream !== null) count += 1;
    return count;
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    const key = principalKey(session.principal);
    const held = this.#byPrincipal.get(key);
    if (held === undefined) this.#byPrincipal.set(key, new Set([session]));
    else held.add(session);
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  of(principal: string): ReadonlySet<Session> {
    return this.#byPrincipal.get(principal) ?? NONE;
  }

  all(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** False where it had left already. */
  remove(session: Session): boolean {
    if (!this.#sessions.delete(session.id)) return false;
    const key = principalKey(session.principal);
    const held = this.#byPrincipal.get(key);
    held?.delete(session);
    if (held?.size === 0) this.#byPrincipal.delete(key);
    return true;
  }
}

const NONE: ReadonlySet<Session> = new Set();
