import type { Actor, Assignee } from '@gatehouse/event-catalog';
import { ConcurrencyError, fold, type EventStore } from '@gatehouse/event-sourcing';
import {
  Pulse,
  type Clock,
  type Logger,
  type ServiceDatabase,
  type Worker,
} from '@gatehouse/platform';
import {
  roleAssignmentDecider,
  rolesStream,
  type RoleAssignmentEvent,
} from './role-assignment.decider.ts';

const POLL_MS = 100;
const ACTOR: Actor = { kind: 'service', id: 'identity', name: 'identity' };

interface RoleDeletion {
  readonly role: string;
  readonly position: number;
  readonly event_id: string;
  readonly correlation_id: string;
  readonly assigned_until: number;
}

/**
 * Takes a role that policy deleted from all who held it, so that a new role of the same name starts with nobody. The
 * deletion was noted in the transaction that moved the cursor over it, with the place where identity's log stood: what
 * was assigned after that place belongs to the new role. It is noted as handled last, so a crash repeats and harms nothing.
 */
export class RevokeAssignmentsWhenRoleDeleted implements Worker {
  readonly name = 'revoke-assignments-when-role-deleted';
  readonly #database: ServiceDatabase;
  readonly #store: EventStore;
  readonly #clock: Clock;
  readonly #pulse: Pulse;

  constructor(deps: { database: ServiceDatabase; store: EventStore; clock: Clock; log: Logger }) {
    this.#database = deps.database;
    this.#store = deps.store;
    this.#clock = deps.clock;
    const log = deps.log.child({ worker: this.name });
    this.#pulse = new Pulse(() => this.#handleNext(), POLL_MS, log);
  }

  async start(): Promise<void> {
    this.#pulse.start();
  }

  async stop(): Promise<void> {
    await this.#pulse.stop();
  }

  async #handleNext(): Promise<boolean> {
    const { rows } = await this.#database.pool.query<RoleDeletion>(
      `select role, position, event_id, correlation_id, assigned_until from role_deletions
       where not handled order by position limit 1`,
    );
    const [deletion] = rows;
    if (deletion === undefined) return false;
    for (const assignee of await this.#holdersOf(deletion)) await this.#revoke(assignee, deletion);
    await this.#database.pool.query(
      'update role_deletions set handled = true where role = $1 and position = $2',
      [deletion.role, deletion.position],
    );
    return true;
  }

  async #holdersOf({ role, assigned_until }: RoleDeletion): Promise<readonly Assignee[]> {
    const { rows } = await this.#database.pool.query<Assignee>(
      `select assignee_kind as kind, assignee_id as id from role_assignments
       where role = $1 and position <= $2`,
      [role, assigned_until],
    );
    return rows;
  }

  async #revoke(assignee: Assignee, deletion: RoleDeletion): Promise<void> {
    const { role, assigned_until, event_id: causationId } = deletion;
    for (;;) {
      // No later than the deletion knows: if it was revoked and assigned anew meanwhile, that is not ours to take.
      const history = await this.#store.readStream(rolesStream(assignee));
      const touched = history as readonly unknown[] as readonly RoleAssignmentEvent[];
      const newest = history[touched.findLastIndex(({ data }) => data.role === role)];
      if (newest === undefined || newest.position > assigned_until) return;
      const context = {
        actor: ACTOR,
        now: this.#clock.now(),
        correlationId: deletion.correlation_id,
      };
      const revoke = { type: 'revoke-role', assignee, role } as const;
      const events = roleAssignmentDecider.decide(
        revoke,
        fold(roleAssignmentDecider, touched),
        context,
      );
      if (events.length === 0) return;
      const { actor, correlationId } = context;
      const stamp = { actor, occurredAt: context.now.toISOString(), correlationId, causationId };
      try {
        const stamped = events.map((event) => ({ ...event, ...stamp }));
        await this.#store.append(rolesStream(assignee), history.length, stamped);
        return;
      } catch (error) {
        // Somebody else appended first: look again.
        if (!(error instanceof ConcurrencyError)) throw error;
      }
    }
  }
}
