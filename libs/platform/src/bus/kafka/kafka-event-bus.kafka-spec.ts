import { connect as connectSocket } from 'node:net';
import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus } from '@gatehouse/event-sourcing';
import { startTcpProxy, startThrowAwayKafka } from '@gatehouse/testing';
import type { Admin, ISocketFactory } from 'kafkajs';
import { createLogger } from '../../log/logger.ts';
import {
  describeEventBusContract,
  type BusHarness,
  type BusUnderTest,
  type MemberProcess,
} from '../bus.contract.ts';
import { startMemberProcess } from '../start-member.contract.ts';
import { applyTopics } from './apply-topics.ts';
import { KafkaClient } from './kafka-client.ts';
import { KafkaEventBus } from './kafka-event-bus.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import type { KafkaTiming } from './kafka-timing.ts';
import { replayDeadLetters } from './replay-dead-letters.ts';

const level = (process.env['KAFKA_SPEC_LOG'] ?? 'silent') as 'silent';
const log = createLogger({ service: 'contract', level });
const timing: Partial<KafkaTiming> = {
  pollMs: 100,
  heartbeatMs: 200,
  leaseMs: 1_500,
  retryFirstMs: 10,
  retryCapMs: 200,
  stallRetryMs: 100,
  rebalanceMs: 10_000,
  requestMs: 2_000,
  joinPatienceMs: 1_000,
  stuckMs: 6_000,
};

const PRODUCE = 0;
const KEY_OF_REQUEST = 4;
/** Longer than a producer tries again by itself. */
const CUT_MS = 2_500;
const NOWHERE = 1;

/** Topics are applied before anything runs; the suite makes its own as it goes, so here they are applied at first use. */
function applyingTopics(
  bus: EventBus,
  admin: Admin,
  applied: Map<string, Promise<void>>,
): EventBus {
  const ready = async (topics: readonly TopicDefinition[]): Promise<void> => {
    const all = topics.flatMap((topic) => [topic, deadLetterTopicOf(topic.name)]);
    for (const topic of all) {
      const applying =
        applied.get(topic.name) ??
        applyTopics(admin, [topic], { replicationFactor: 1 }).then(() => undefined);
      applied.set(topic.name, applying);
      await applying;
    }
  };
  return {
    publish: (topic, messages) => ready([topic]).then(() => bus.publish(topic, messages)),
    subscribe: (options) => ready(options.topics).then(() => bus.subscribe(options)),
    readAll: (topic, handle) => ready([topic]).then(() => bus.readAll(topic, handle)),
    partitionOf: (topic, key) => bus.partitionOf(topic, key),
    health: () => bus.health(),
    close: () => bus.close(),
  };
}

/** A bus whose every connection goes through a wire of its own: Kafka tells clients where to go, so the socket decides. */
async function connectTo(
  port: number,
  applying: (bus: EventBus) => EventBus,
  leaseMs = timing.leaseMs!,
): Promise<BusUnderTest> {
  const proxy = await startTcpProxy(port);
  let isCut = false;
  const socketFactory: ISocketFactory = ({ onConnect }) =>
    connectSocket(
      { port: isCut ? NOWHERE : proxy.port, host: '127.0.0.1', noDelay: true },
      onConnect,
    );
  const alarms: string[] = [];
  const bus = new KafkaEventBus({
    connection: { brokers: [`127.0.0.1:${port}`], socketFactory },
    log,
    timing: { ...timing, leaseMs },
    onAlarm: (alarm) => alarms.push(alarm),
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await bus.close();
    await proxy.stop();
  };
  return {
    bus: applying(bus),
    alarms,
    isolate: () => proxy.freeze(),
    reconnect: () => proxy.thaw(),
    // kafkajs would hear of it on its next try; so the wire stays cut until it has given up.
    loseNextAck: () =>
      proxy.loseNextAnswer((request) => {
        if (request.readInt16BE(KEY_OF_REQUEST) !== PRODUCE) return false;
        isCut = true;
        setTimeout(() => (isCut = false), CUT_MS);
        return true;
      }),
    close: () => (closing ??= close()),
  };
}

async function makeHarness(): Promise<BusHarness> {
  const kafka = await startThrowAwayKafka();
  const connection = { brokers: [kafka.bootstrap] };
  const client = new KafkaClient({ connection, log, requestMs: 2_000 });
  const admin = client.kafka.admin();
  await admin.connect();
  const offsets = new KafkaOffsets({ connection, log, requestMs: 2_000 });
  const members: MemberProcess[] = [];
  const applied = new Map<string, Promise<void>>();
  return {
    deadAfterMs: timing.leaseMs!,
    connect: (deadAfterMs) =>
      connectTo(kafka.port, (bus) => applyingTopics(bus, admin, applied), deadAfterMs),
    async startMember(group, topic) {
      await applyTopics(admin, [topic], { replicationFactor: 1 });
      const script = new URL('member-process.contract.ts', import.meta.url);
      const args = [kafka.bootstrap, group, JSON.stringify(topic), JSON.stringify(timing)];
      const member = await startMemberProcess(script, ...args);
      members.push(member);
      return member;
    },
    restartBroker: () => kafka.restart(),
    async discardBefore({ name }, partition, offset) {
      const partitions = [{ partition, offset: String(offset) }];
      await admin.deleteTopicRecords({ topic: name, partitions });
    },
    replayDeadLetters: (bus, topic) => replayDeadLetters(bus, offsets, topic),
    async close() {
      await Promise.all(members.map((member) => member.kill()));
      await offsets.close();
      await client.end(() => admin.disconnect());
      await kafka.stop();
    },
  };
}

describeEventBusContract('Apache Kafka', makeHarness);
