import { randomUUID } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { OutgoingMessage } from '@gatehouse/event-sourcing';
import { startTcpProxy, type TcpProxy } from '@gatehouse/testing';
import type { Admin } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../log/logger.ts';
import { applyTopics } from './apply-topics.ts';
import { KafkaClient } from './kafka-client.ts';
import { OutgoingChain } from './outgoing-chain.ts';

const brokers = [process.env['GATEHOUSE_TEST_KAFKA']!];
const log = createLogger({ service: 'kafka-spec', level: 'silent' });
const requestMs = 5_000;

const PRODUCE = 0;
const ALL_REPLICAS = -1;

const message = (value: string): OutgoingMessage => ({
  key: 'k',
  value: Buffer.from(value),
  headers: {},
});

const isProduce = (request: Buffer): boolean => request.readInt16BE(4) === PRODUCE;

/** How many acknowledgements a Produce request of version 3 or later asks for: behind its header and the name of a transaction. */
function acksOf(request: Buffer): number {
  expect(request.readInt16BE(6)).toBeGreaterThanOrEqual(3);
  const afterText = (at: number): number => at + 2 + Math.max(0, request.readInt16BE(at));
  return request.readInt16BE(afterText(afterText(12)));
}

describe('what is published to Apache Kafka', () => {
  let client: KafkaClient;
  let admin: Admin;
  let proxy: TcpProxy;
  let chain: OutgoingChain;
  let topic: TopicDefinition;

  beforeEach(async () => {
    client = new KafkaClient({ connection: { brokers }, log, requestMs });
    admin = client.kafka.admin();
    await admin.connect();
    const name = `spec.${randomUUID()}`;
    topic = { name, partitions: 1, compacted: false, security: false, retentionMs: null };
    await applyTopics(admin, [topic], { replicationFactor: 1 });
    proxy = await startTcpProxy(Number(brokers[0]!.split(':')[1]));
    chain = new OutgoingChain({
      connection: {
        brokers,
        socketFactory: ({ onConnect }) =>
          connectSocket({ port: proxy.port, host: '127.0.0.1', noDelay: true }, onConnect),
      },
      log,
      requestMs,
    });
  });
  afterEach(async () => {
    await chain.close();
    await proxy.stop();
    await client.end(() => admin.disconnect());
  });

  it('lies there once where an acknowledgement was lost and nobody was told', async () => {
    await chain.publish(topic, [message('a')]);
    let lost = 0;
    proxy.loseNextAnswer((request) => {
      const isLost = isProduce(request);
      if (isLost) lost += 1;
      return isLost;
    });
    // The wire heals while kafkajs still tries by itself, and the broker takes the second try for what it is.
    await chain.publish(topic, [message('b')]);
    await chain.publish(topic, [message('c')]);
    expect(lost).toBe(1);
    const [range] = await admin.fetchTopicOffsets(topic.name);
    expect(range!.high).toBe('3');
  });

  it('is not taken for stored before every replica has it', async () => {
    const asked: number[] = [];
    // One broker alone answers alike whatever it is asked for, so the wire must tell.
    proxy.loseNextAnswer((request) => {
      if (isProduce(request)) asked.push(acksOf(request));
      return false;
    });
    await chain.publish(topic, [message('a')]);
    await chain.publish(topic, [message('b')]);
    expect(asked).toEqual([ALL_REPLICAS, ALL_REPLICAS]);
  });
});
