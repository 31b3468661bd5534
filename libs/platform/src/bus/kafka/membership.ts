import type { TopicDefinition } from '@gatehouse/event-catalog';
import kafkajs, { type Consumer, type EachBatchPayload, type PartitionAssigner } from 'kafkajs';
import type { Logger } from '../../log/logger.ts';
import { KafkaClient, type KafkaConnection } from './kafka-client.ts';
import type { KafkaTiming } from './kafka-timing.ts';
import { PartitionClaim, type PartitionWork } from './partition-claim.ts';

export interface MembershipDeps {
  readonly connection: KafkaConnection;
  readonly group: string;
  readonly topics: readonly TopicDefinition[];
  readonly work: PartitionWork;
  readonly timing: KafkaTiming;
  readonly log: Logger;
  /** Our share has settled where it begins. */
  readonly onSettled: () => void;
  /** It has ended without being asked to. */
  readonly onLost: (why: string) => void;
}

const BROKEN_ENDS_MS = 500;

/**
 * One life of a consumer in its group, from joining to the first crash. A batch that takes long is carried on beside
 * kafkajs, which fetches for all partitions together and would stand still with it.
 */
export class Membership {
  readonly #deps: MembershipDeps;
  readonly #client: KafkaClient;
  readonly #consumer: Consumer;
  readonly #claims = new Map<string, PartitionClaim>();
  #settling: Promise<unknown> = Promise.resolve();
  #heartbeat: (() => Promise<void>) | undefined;
  #pump: NodeJS.Timeout | undefined;
  #lastSign = performance.now();
  #isLeaving = false;
  #isDraining = false;

  constructor(deps: MembershipDeps) {
    const { connection, group, timing, log } = deps;
    this.#deps = deps;
    this.#client = new KafkaClient({ connection, log, requestMs: timing.requestMs });
    this.#consumer = this.#client.kafka.consumer({
      groupId: group,
      sessionTimeout: timing.leaseMs,
      heartbeatInterval: timing.heartbeatMs,
      rebalanceTimeout: timing.rebalanceMs,
      maxWaitTimeInMs: timing.pollMs,
      allowAutoTopicCreation: false,
      partitionAssigners: [this.#roundRobinAfterDraining()],
      retry: {
        retries: 3,
        initialRetryTime: 100,
        maxRetryTime: 1_000,
        restartOnFailure: async () => false,
      },
    });
  }

  get claims(): readonly PartitionClaim[] {
    return [...this.#claims.values()];
  }

  /** How long ago the broker last answered; nothing while a handler is being waited for. */
  get silentForMs(): number {
    return this.#isDraining ? 0 : performance.now() - this.#lastSign;
  }

  /** Joins the group. Rejects where the cluster or a topic is not there. */
  async start(): Promise<void> {
    const { topics, timing } = this.#deps;
    const { events } = this.#consumer;
    const sign = (): void => {
      this.#lastSign = performance.now();
    };
    this.#consumer.on(events.HEARTBEAT, sign);
    this.#consumer.on(events.FETCH, sign);
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      sign();
      this.#assigned(payload.memberAssignment);
    });
    this.#consumer.on(events.CRASH, ({ payload }) => this.#lost(payload.error.message));
    this.#consumer.on(events.STOP, () => this.#lost('it stopped'));
    this.#pump = setInterval(() => this.#beat(), timing.heartbeatMs);
    await this.#consumer.connect();
    // Where to begin is settled by ourselves; should kafkajs ever have to choose, nothing is skipped.
    await this.#consumer.subscribe({ topics: topics.map(({ name }) => name), fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: topics.reduce((sum, topic) => sum + topic.partitions, 0),
      eachBatch: (payload) => this.#take(payload),
    });
  }

  /** Finishes what is in hand, commits, leaves the group; for that, one that is broken gets no time. Never rejects. */
  async end(isBroken: boolean): Promise<void> {
    this.#isLeaving = true;
    this.#pauseAll();
    await this.#drain();
    clearInterval(this.#pump);
    const patience = isBroken ? BROKEN_ENDS_MS : this.#deps.timing.requestMs;
    await this.#client.end(() => this.#consumer.disconnect(), patience);
  }

  /**
   * kafkajs rejoins a group at once when it changes, whatever our handlers are doing. Assigners are handed the cluster;
   * joining begins with its look-up of the coordinator, so there we wait until nothing is in hand any more.
   */
  #roundRobinAfterDraining(): PartitionAssigner {
    return (config) => {
      const { cluster } = config;
      const find = cluster.findGroupCoordinator.bind(cluster);
      cluster.findGroupCoordinator = async (question) => {
        await this.#drain();
        this.#claims.clear();
        return find(question);
      };
      return kafkajs.PartitionAssigners.roundRobin(config);
    };
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    await Promise.all([...this.#claims.values()].map((claim) => claim.giveUp()));
    await this.#settling;
    this.#lastSign = performance.now();
    this.#isDraining = false;
  }

  #assigned(share: Readonly<Record<string, readonly number[]>>): void {
    const { work, onSettled } = this.#deps;
    this.#claims.clear();
    for (const [topic, partitions] of Object.entries(share)) {
      for (const partition of partitions) {
        const claim = new PartitionClaim({ topic, partition }, work, this.#deps);
        this.#claims.set(`${topic}/${partition}`, claim);
      }
    }
    this.#pauseAll();
    const claims = this.claims;
    this.#settling = Promise.all(claims.map((claim) => this.#settle(claim))).then(() => {
      if (claims.every((claim) => claim.next !== undefined)) onSettled();
    });
  }

  async #settle(claim: PartitionClaim): Promise<void> {
    const { topic, partition } = claim;
    await claim.settle(
      (next) => this.#consumer.commitOffsets([{ topic, partition, offset: String(next) }]),
      (next) => {
        this.#consumer.seek({ topic, partition, offset: String(next) });
        if (!this.#isLeaving) this.#consumer.resume([{ topic, partitions: [partition] }]);
      },
    );
  }

  async #take(payload: EachBatchPayload): Promise<void> {
    this.#heartbeat = () => payload.heartbeat();
    await this.#claims.get(`${payload.batch.topic}/${payload.batch.partition}`)?.take(payload);
  }

  #pauseAll(): void {
    const places = this.claims.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
    try {
      this.#consumer.pause(places);
    } catch {
      // It has crashed, or never ran: nothing is fetched then.
    }
  }

  /** Handlers may take longer than a session. kafkajs itself tells of rebalances; here they are no news. */
  #beat(): void {
    if (this.claims.some((claim) => claim.isBusy)) this.#heartbeat?.().catch(() => undefined);
  }

  #lost(why: string): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#deps.onLost(why);
  }
}
