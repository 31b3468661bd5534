import type { AuditRecord } from '@gatehouse/event-catalog';

/** What the pipeline knows of a record; the spool adds its id, place and time, and seals the arguments. */
export type RecordDraft = Omit<
  AuditRecord,
  'id' | 'source' | 'sequence' | 'at' | 'argumentsSealed' | 'argumentsBytes'
> & {
  readonly arguments?: unknown;
};

/** The duty of law 3: what the gate did, on a durable medium before the answer leaves. */
export interface Evidence {
  /** Resolves once the record is durable; rejects with Refusal('evidence-unavailable') when it cannot be made so. */
  record(draft: RecordDraft): Promise<void>;
  /** Throws Refusal('evidence-unavailable') while it is known that nothing can be recorded. */
  refuseIfBroken(): void;
  /** The last attempt failed, and none has succeeded since: nothing may be forwarded on trust. */
  readonly inDoubt: boolean;
}
