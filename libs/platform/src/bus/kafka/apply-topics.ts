import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicDefinition } from '@gatehouse/event-catalog';
import kafkajs, { type Admin, type IResourceConfigEntry } from 'kafkajs';

export interface ApplyTopicsOptions {
  /** On how many brokers each message lies: 3 in a cluster that may lose one without losing anything. */
  readonly replicationFactor: number;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const LEADER_ATTEMPTS = 50;
const LEADER_WAIT_MS = 100;

/** A value of 1 MiB, its key and headers, and the batch around them. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

/** The longest that Kafka knows. */
const NEVER_MS = '9223372036854775807';

/** What makes a topic as its definition says; all of it explicit, as the defaults of a cluster are somebody else's. */
export function settingsOf(
  topic: TopicDefinition,
  { replicationFactor }: ApplyTopicsOptions,
): Record<string, string> {
  const common = {
    // Codecs that kafkajs does not have would stop a consumer for good (a foreign producer may bring them).
    'compression.type': 'uncompressed',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    'min.insync.replicas': String(Math.max(1, replicationFactor - 1)),
    'unclean.leader.election.enable': 'false',
    'message.timestamp.type': 'CreateTime',
  };
  if (!topic.compacted) {
    return {
      ...common,
      'cleanup.policy': 'delete',
      'retention.ms': String(topic.retentionMs ?? -1),
      'retention.bytes': '-1',
    };
  }
  return {
    ...common,
    'cleanup.policy': 'compact',
    // How long a gate may have been away and still learn from the topic alone what is gone.
    'delete.retention.ms': String(7 * DAY_MS),
    'min.cleanable.dirty.ratio': '0.1',
    // A segment is cleaned once it is closed, and what beats every second shall not lie there for long.
    'segment.ms': String(10 * MINUTE_MS),
    // Nor longer than that; but never so urgently that the newest record goes: readers wait until they have seen it.
    'min.compaction.lag.ms': '0',
    'max.compaction.lag.ms': NEVER_MS,
  };
}

/** Makes the topics be as defined, and says what it changed: nothing when asked twice. Refuses before any change where a topic has another number of partitions or replicas. */
export async function applyTopics(
  admin: Admin,
  topics: readonly TopicDefinition[],
  options: ApplyTopicsOptions,
): Promise<string[]> {
  const there = new Set(await admin.listTopics());
  const present = topics.filter(({ name }) => there.has(name));
  await refuseOtherLayout(admin, present, options);
  const changes = await correctSettings(admin, present, options);
  const missing = topics.filter(({ name }) => !there.has(name));
  if (missing.length === 0) return changes;
  await admin.createTopics({
    waitForLeaders: false,
    topics: missing.map((topic) => ({
      topic: topic.name,
      numPartitions: topic.partitions,
      replicationFactor: options.replicationFactor,
      configEntries: entriesOf(settingsOf(topic, options)),
    })),
  });
  await leadersOf(admin, missing);
  return [
    ...changes,
    ...missing.map(({ name, partitions }) => `${name}: created with ${partitions} partitions`),
  ];
}

/** kafkajs would wait too, but fails where the broker that it asks has not heard of the topic yet. */
async function leadersOf(admin: Admin, topics: readonly TopicDefinition[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const { name } of topics) await admin.fetchTopicOffsets(name);
      return;
    } catch (error) {
      if (attempt === LEADER_ATTEMPTS) throw error;
      await sleep(LEADER_WAIT_MS);
    }
  }
}

async function refuseOtherLayout(
  admin: Admin,
  topics: readonly TopicDefinition[],
  options: ApplyTopicsOptions,
): Promise<void> {
  if (topics.length === 0) return;
  const { topics: found } = await admin.fetchTopicMetadata({
    topics: topics.map(({ name }) => name),
  });
  const reasons = whyLaidOutOtherwise(topics, found, options);
  if (reasons.length > 0) throw new Error(`nothing was changed: ${reasons.join('. ')}`);
}

/** What topics are found to be, as Kafka's metadata say it. */
interface FoundLayout {
  readonly name: string;
  readonly partitions: readonly { readonly replicas: readonly number[] }[];
}

/**
 * In what topics differ from what is asked that no setting can put right, in sentences; none where they do not. The number of
 * replicas is asked of the topics too, as what must be in sync hangs on it: too many, and nothing can be published.
 */
export function whyLaidOutOtherwise(
  topics: readonly TopicDefinition[],
  found: readonly FoundLayout[],
  { replicationFactor }: ApplyTopicsOptions,
): string[] {
  const layouts = topics.map((topic) => ({
    ...topic,
    found: found.find(({ name }) => name === topic.name)?.partitions ?? [],
  }));
  const partitions = layouts.flatMap(({ name, partitions: asked, found: { length } }) =>
    length === asked ? [] : [`${name} has ${length} partitions instead of ${asked}`],
  );
  const replicas = layouts.flatMap((topic) => {
    const counts = [...new Set(topic.found.map((partition) => partition.replicas.length))];
    const isOther = counts.some((count) => count !== replicationFactor);
    const has = counts.toSorted((a, b) => a - b).join(' or ');
    const noun = has === '1' ? 'replica' : 'replicas';
    return isOther ? [`${topic.name} has ${has} ${noun} instead of ${replicationFactor}`] : [];
  });
  return [
    ...(partitions.length === 0
      ? []
      : [`${partitions.join('; ')}: a change would break the order of keys`]),
    ...(replicas.length === 0
      ? []
      : [
          `${replicas.join('; ')}: set GATEHOUSE_TOPICS_REPLICATION_FACTOR (topics.replicationFactor) to what the topics have; to give them others is the business of kafka-reassign-partitions`,
        ]),
  ];
}

async function correctSettings(
  admin: Admin,
  topics: readonly TopicDefinition[],
  options: ApplyTopicsOptions,
): Promise<string[]> {
  if (topics.length === 0) return [];
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type, name })),
  });
  const wrong = topics.flatMap((topic) => {
    const found = resources.find(({ resourceName }) => resourceName === topic.name);
    const current = new Map(
      found?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
    const wanted = settingsOf(topic, options);
    const changes = Object.entries(wanted).filter(([key, value]) => current.get(key) !== value);
    if (changes.length === 0) return [];
    const said = changes.map(
      ([key, value]) => `${topic.name}: ${key} ${current.get(key)} → ${value}`,
    );
    // Settings are altered as a whole: what an operator has set beside ours is kept.
    const others = (found?.configEntries ?? []).filter(
      ({ configName, configSource }) =>
        configSource === kafkajs.ConfigSource.TOPIC_CONFIG && !(configName in wanted),
    );
    const kept = others.map(({ configName, configValue }) => [configName, configValue]);
    return [{ name: topic.name, settings: { ...Object.fromEntries(kept), ...wanted }, said }];
  });
  if (wrong.length === 0) return [];
  await admin.alterConfigs({
    validateOnly: false,
    resources: wrong.map(({ name, settings }) => ({
      type,
      name,
      configEntries: entriesOf(settings),
    })),
  });
  return wrong.flatMap(({ said }) => said);
}

function entriesOf(settings: Record<string, string>): IResourceConfigEntry[] {
  return Object.entries(settings).map(([name, value]) => ({ name, value }));
}
