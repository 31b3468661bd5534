import type { AuditRecord } from '@gatehouse/event-catalog';
import type { Entry } from './history.ts';
import type { ForwardedCall } from './recording-server.ts';

/** A record as the trail has it. */
export interface TrailRow {
  readonly index: number;
  readonly record: AuditRecord;
}

/** A message as it lies in a topic. */
export interface TopicMessage {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  /** Of the event, or of the state. */
  readonly position: number;
  /** Of the event or the record; null for a state. */
  readonly id: string | null;
  /** A digest of the value, or `null` for a tombstone. */
  readonly value: string | null;
}

/** An event as its owner's log has it. */
export interface LoggedEvent {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly id: string;
  readonly type: string;
  /** As JSON. */
  readonly data: string;
}

/** The rows of tables, each as one text, sorted. */
export type Tables = Readonly<Record<string, readonly string[]>>;

/** The read tables of a service as they were, and as a fold of the whole log makes them. */
export interface Folding {
  readonly service: string;
  readonly kept: Tables;
  readonly folded: Tables;
}

/** What a gate showed a caller at the end, and what policy says. Undefined where it lets the caller in no further. */
export interface Sight {
  readonly node: string;
  readonly caller: string;
  readonly shown: readonly string[] | undefined;
  readonly due: readonly string[] | undefined;
}

/** How long things may take before the checker calls it a violation. */
export interface Bounds {
  /** From the answer to a change until it holds on every gate that hears of it. */
  readonly revocationMs: number;
  /** From the end of a fault until all is as if it had not been. */
  readonly healingMs: number;
  /** How long a gate may go on without hearing of the bus; undefined where gates go on for ever. */
  readonly blindMs?: number;
}

/** Everything that the checker judges by. It is gathered once nothing moves any more. */
export interface Evidence {
  readonly entries: readonly Entry[];
  readonly nodes: readonly string[];
  readonly forwarded: readonly ForwardedCall[];
  readonly trail: readonly TrailRow[];
  /** Numbers of a gate's spool that the trail found missing. */
  readonly gaps: number;
  /** The topic that gates publish their records to. */
  readonly raw: readonly TopicMessage[];
  /** By owner: its log, and its domain topic. */
  readonly logs: Readonly<Record<string, readonly LoggedEvent[]>>;
  readonly topics: Readonly<Record<string, readonly TopicMessage[]>>;
  readonly states: Readonly<Record<string, readonly TopicMessage[]>>;
  readonly foldings: readonly Folding[];
  readonly sights: readonly Sight[];
  readonly bounds: Bounds;
}

/** A broken promise, with the operations that show it. */
export interface Violation {
  readonly invariant: string;
  readonly what: string;
  readonly shownBy: readonly unknown[];
}
