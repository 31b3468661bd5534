import { randomUUID } from 'node:crypto';
import { deadLetterTopicOf, topics, type TopicDefinition } from '@gatehouse/event-catalog';
import type { IncomingMessage, OutgoingMessage } from '@gatehouse/event-sourcing';
import { eventually } from '@gatehouse/testing';
import kafkajs, { type Admin } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../log/logger.ts';
import { settingsOf } from './apply-topics.ts';
import { KafkaClient } from './kafka-client.ts';
import { KafkaEventBus } from './kafka-event-bus.ts';
import { applyKafkaTopics, parkKafkaMessage, replayKafkaDeadLetters } from './kafka-operations.ts';

const connection = { brokers: [process.env['GATEHOUSE_TEST_KAFKA']!] };
const log = createLogger({ service: 'kafka-spec', level: 'silent' });
const one = { replicationFactor: 1 };

const newTopic = (options: Partial<TopicDefinition> = {}): TopicDefinition => ({
  name: `spec.${randomUUID()}`,
  partitions: 1,
  compacted: false,
  security: false,
  retentionMs: null,
  ...options,
});
const message = (value: string): OutgoingMessage => ({
  key: 'k',
  value: Buffer.from(value),
  headers: {},
});

describe('who looks after Apache Kafka', () => {
  let admin: Admin;
  let bus: KafkaEventBus;
  let endAdmin: () => Promise<void>;

  beforeEach(async () => {
    const client = new KafkaClient({ connection, log, requestMs: 2_000 });
    admin = client.kafka.admin();
    endAdmin = () => client.end(() => admin.disconnect());
    await admin.connect();
    bus = new KafkaEventBus({ connection, log, timing: { pollMs: 100, requestMs: 2_000 } });
  });
  afterEach(async () => {
    await bus.close();
    await endAdmin();
  });

  const apply = (topic: TopicDefinition): Promise<string[]> =>
    applyKafkaTopics({ connection, log }, [topic, deadLetterTopicOf(topic.name)], one);

  it('has every topic of the catalogue exactly as defined, and is told so once', async () => {
    const all = Object.values(topics).flatMap((topic) => [topic, deadLetterTopicOf(topic.name)]);
    const created = await applyKafkaTopics({ connection, log }, all, one);
    expect(created.length).toBe(all.length);
    expect(await applyKafkaTopics({ connection, log }, all, one)).toEqual([]);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: all.map(({ name }) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    });
    for (const topic of all) {
      const found = resources.find(({ resourceName }) => resourceName === topic.name)!;
      const settings = found.configEntries.map((each) => [each.configName, each.configValue]);
      expect(Object.fromEntries(settings)).toMatchObject(settingsOf(topic, one));
    }
  });

  // In the words of the broker, so that no line of what makes a topic can go unseen.
  const ofEveryTopic = {
    'compression.type': 'uncompressed',
    'max.message.bytes': '2097152',
    'message.timestamp.type': 'CreateTime',
    'min.insync.replicas': '1',
    'unclean.leader.election.enable': 'false',
  };
  it.each<[string, TopicDefinition, Record<string, string>]>([
    [
      'of events',
      topics.auditRaw,
      { 'cleanup.policy': 'delete', 'retention.ms': '604800000', 'retention.bytes': '-1' },
    ],
    [
      'of dead letters',
      deadLetterTopicOf(topics.identity.name),
      { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
    ],
    [
      'of state',
      topics.policyState,
      {
        'cleanup.policy': 'compact',
        'delete.retention.ms': '604800000',
        'max.compaction.lag.ms': '9223372036854775807',
        'min.cleanable.dirty.ratio': '0.1',
        'min.compaction.lag.ms': '0',
        'segment.ms': '600000',
      },
    ],
  ])('has set on a topic %s exactly what it hangs on', async (_, topic, ofThisKind) => {
    await applyKafkaTopics({ connection, log }, [topic], one);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic.name }],
    });
    const set = resources[0]!.configEntries.filter(
      ({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG,
    );
    expect(Object.fromEntries(set.map((each) => [each.configName, each.configValue]))).toEqual({
      ...ofEveryTopic,
      ...ofThisKind,
    });
  });

  it('puts a setting right that somebody has changed, and leaves alone what they have added', async () => {
    const topic = newTopic({ retentionMs: 60_000 });
    await apply(topic);
    const configEntries = Object.entries({
      ...settingsOf(topic, one),
      'retention.ms': '1000',
      'segment.bytes': '1048576',
    }).map(([name, value]) => ({ name, value }));
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    const resource = { type, name: topic.name, configEntries };
    await admin.alterConfigs({ validateOnly: false, resources: [resource] });
    const said = `${topic.name}: retention.ms 1000 → 60000`;
    await eventually(async () => expect(await apply(topic)).toEqual([said]));
    await eventually(async () => expect(await apply(topic)).toEqual([]));
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type, name: topic.name, configNames: ['segment.bytes'] }],
    });
    expect(resources[0]!.configEntries[0]!.configValue).toBe('1048576');
  });

  it('refuses to change a number of partitions', async () => {
    const topic = newTopic({ partitions: 2 });
    await apply(topic);
    await expect(apply({ ...topic, partitions: 3 })).rejects.toThrow(
      `${topic.name} has 2 partitions instead of 3`,
    );
  });

  it('refuses another number of replicas than a topic has, before anything is changed', async () => {
    const [topic, missing] = [newTopic({ retentionMs: 60_000 }), newTopic()];
    await apply(topic);
    const asked = [{ ...topic, retentionMs: 1_000 }, missing];
    await expect(
      applyKafkaTopics({ connection, log }, asked, { replicationFactor: 3 }),
    ).rejects.toThrow(
      `nothing was changed: ${topic.name} has 1 replica instead of 3: set GATEHOUSE_TOPICS_REPLICATION_FACTOR`,
    );
    expect(await admin.listTopics()).not.toContain(missing.name);
    await bus.publish(topic, [message('goes through')]);
    // Asked again as it was, there is nothing to put right.
    expect(await apply(topic)).toEqual([]);
  });

  it('replays dead letters by its command, once', async () => {
    const topic = newTopic();
    await apply(topic);
    const parked = {
      ...message('p'),
      headers: { dlq_topic: topic.name, dlq_partition: '0', dlq_offset: '7' },
    };
    await bus.publish(deadLetterTopicOf(topic.name), [parked, parked]);
    expect(await replayKafkaDeadLetters({ connection, log }, topic)).toBe(2);
    expect(await replayKafkaDeadLetters({ connection, log }, topic)).toBe(0);
    const [range] = await admin.fetchTopicOffsets(topic.name);
    expect(range!.high).toBe('2');
  });

  it('parks a message by its command, and refuses where none lies', async () => {
    const topic = newTopic({ security: true, partitions: 2 });
    await apply(topic);
    await bus.publish(topic, [message('a'), message('b')]);
    const partition = bus.partitionOf(topic, 'k');
    await parkKafkaMessage({ connection, log }, { topic, partition, offset: 1 });
    const letters: IncomingMessage[] = [];
    await bus.readAll(deadLetterTopicOf(topic.name), (letter) => void letters.push(letter));
    await eventually(() => expect(letters.length).toBe(1));
    expect(letters[0]).toMatchObject({
      key: 'k',
      value: Buffer.from('b'),
      headers: { dlq_topic: topic.name, dlq_partition: String(partition), dlq_offset: '1' },
    });
    await expect(
      parkKafkaMessage({ connection, log }, { topic, partition, offset: 2 }),
    ).rejects.toThrow(`no message lies at ${topic.name}/${partition}@2`);
  });
});
