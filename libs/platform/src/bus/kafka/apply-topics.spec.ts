import type { TopicDefinition } from '@gatehouse/event-catalog';
import { describe, expect, it } from 'vitest';
import { settingsOf, whyLaidOutOtherwise } from './apply-topics.ts';

const topic = (name: string): TopicDefinition => ({
  name,
  partitions: 2,
  compacted: false,
  security: false,
  retentionMs: null,
});
const found = (name: string, ...replicas: number[][]) => ({
  name,
  partitions: replicas.map((each) => ({ replicas: each })),
});
const why = (replicationFactor: number, ...replicas: number[][]): string[] =>
  whyLaidOutOtherwise([topic('spec')], [found('spec', ...replicas)], { replicationFactor });

describe('what a topic is found to be', () => {
  it('is let be where it is what is asked', () => {
    expect(why(3, [1, 2, 3], [2, 3, 1])).toEqual([]);
  });

  it('is neither more replicas than are asked, nor fewer, nor uneven', () => {
    const advice =
      'set GATEHOUSE_TOPICS_REPLICATION_FACTOR (topics.replicationFactor) to what the topics have; to give them others is the business of kafka-reassign-partitions';
    expect(why(1, [1, 2, 3], [2, 3, 1])).toEqual([`spec has 3 replicas instead of 1: ${advice}`]);
    expect(why(3, [1], [2])).toEqual([`spec has 1 replica instead of 3: ${advice}`]);
    expect(why(3, [1, 2, 3], [2])).toEqual([`spec has 1 or 3 replicas instead of 3: ${advice}`]);
  });

  it('is told of every topic, of partitions and of replicas', () => {
    const layouts = [found('a', [1]), found('b', [1], [1])];
    const reasons = whyLaidOutOtherwise([topic('a'), topic('b')], layouts, {
      replicationFactor: 2,
    });
    expect(reasons.join('. ')).toContain(
      'a has 1 partitions instead of 2: a change would break the order of keys. a has 1 replica instead of 2; b has 1 replica instead of 2: set',
    );
  });
});

it.each([
  [1, '1'],
  [2, '1'],
  [3, '2'],
])('of %i replicas, %s must have a message before it counts', (replicationFactor, inSync) => {
  const settings = settingsOf(topic('spec'), { replicationFactor });
  expect(settings['min.insync.replicas']).toBe(inSync);
});
