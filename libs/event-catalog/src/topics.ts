import type { ServiceName } from './define-event.ts';

/** How a topic is laid out. Partition counts are fixed for good: a change would break the order of a key. */
export interface TopicDefinition {
  readonly name: string;
  readonly partitions: number;
  readonly compacted: boolean;
  /**
   * A security topic stops and alarms on a message it cannot apply, and each of `topics` is one. Any other parks it in the
   * dead-letter topic, and those behind it go on: only for messages whose keys need no order.
   */
  readonly security: boolean;
  /** How long a message is kept once it was handled; null for ever, so that every read model can be folded anew. */
  readonly retentionMs: number | null;
}

const DAY_MS = 86_400_000;

const topic = (name: string, options: Partial<TopicDefinition> = {}): TopicDefinition => ({
  name,
  partitions: 6,
  compacted: false,
  security: true,
  retentionMs: null,
  ...options,
});

/** Every topic there is. State topics hold the newest value of each key; a tombstone (null) means gone. */
export const topics = {
  identity: topic('gatehouse.identity.v1'),
  policy: topic('gatehouse.policy.v1'),
  registry: topic('gatehouse.registry.v1'),
  auditRaw: topic('gatehouse.audit.raw.v1', { retentionMs: 7 * DAY_MS }),
  principalsState: topic('gatehouse.state.principals.v1', { compacted: true }),
  policyState: topic('gatehouse.state.policy.v1', { compacted: true, partitions: 1 }),
  catalogueState: topic('gatehouse.state.catalogue.v1', { compacted: true }),
} as const;

/** The topic that a service's domain events go to. */
export function topicOf(owner: ServiceName): TopicDefinition {
  const found = topics[owner as keyof typeof topics];
  if (found === undefined) throw new Error(`${owner} owns no domain topic`);
  return found;
}

/** Where a message goes that a consumer could not apply after its attempts. */
export function deadLetterTopicOf(name: string): TopicDefinition {
  return topic(`${name}.dlq`, { partitions: 1, security: false });
}
