import { startThrowAwayKafka, type ThrowAwayKafka } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../log/logger.ts';
import { applyKafkaTopics } from './kafka-operations.ts';
import { KafkaOffsets } from './kafka-offsets.ts';

const log = createLogger({ service: 'kafka-spec', level: 'silent' });
const topic = {
  name: 'spec.offsets',
  partitions: 1,
  compacted: false,
  security: false,
  retentionMs: null,
};

describe('the offsets of groups', () => {
  let kafka: ThrowAwayKafka;
  beforeAll(async () => {
    kafka = await startThrowAwayKafka();
  });
  afterAll(() => kafka?.stop());

  it('are known of a cluster whose groups were never used, as soon as it has chosen who keeps them', async () => {
    const connection = { brokers: [kafka.bootstrap] };
    await applyKafkaTopics({ connection, log }, [topic], { replicationFactor: 1 });
    const groups = Array.from({ length: 40 }, (_, at) => `group-${at}`);
    const readers = groups.map(() => new KafkaOffsets({ connection, log, requestMs: 10_000 }));
    const asked = readers.map((reader, at) => reader.committedBy(groups[at]!, topic.name));
    const answers = await Promise.allSettled(asked);
    await Promise.all(readers.map((reader) => reader.close()));
    expect(answers).toEqual(groups.map(() => ({ status: 'fulfilled', value: new Map() })));
  });
});
