import { z } from 'zod';

/** Who caused an event: a user, an agent, or a service acting on its own behalf. The name is copied in, for evidence outlives what it names. */
export const actorSchema = z.strictObject({
  kind: z.enum(['user', 'agent', 'service']),
  id: z.string().min(1),
  name: z.string().min(1),
});

/** Who made something happen: a user, an agent, or a service by itself. */
export type Actor = z.infer<typeof actorSchema>;

/** What every event carries beside its data. `position` is gapless within the owner's log and is in commit order; `version` counts within the stream from 1. */
export interface EventEnvelope {
  readonly id: string;
  readonly stream: string;
  readonly version: number;
  readonly position: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly occurredAt: string;
  readonly actor: Actor;
  readonly correlationId: string;
  readonly causationId?: string;
  readonly traceparent?: string;
  /** As what it was written, where that is an older version: whoever passes the event on passes that on, for a reader of the release before knows no newer. */
  readonly storedAs?: { readonly type: string; readonly data: unknown };
}
