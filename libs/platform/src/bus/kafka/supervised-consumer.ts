import { countRestart } from '../bus-metrics.ts';
import type { KafkaOffsets } from './kafka-offsets.ts';
import { Membership, type MembershipDeps } from './membership.ts';
import { sleepUnless } from '../patience.ts';

export interface SupervisedDeps extends Omit<MembershipDeps, 'onSettled' | 'onLost'> {
  readonly offsets: KafkaOffsets;
}

const LOOKS_BEFORE_STUCK = 3;

/** Keeps a consumer in its group whatever happens to it: a crashed or stuck one is replaced by a new one. */
export class SupervisedConsumer {
  readonly #deps: SupervisedDeps;
  readonly #stopping = new AbortController();
  readonly #finished: Promise<void>;
  readonly #settled: Promise<void>;
  #onSettled!: () => void;
  #isWell = false;
  #membership: Membership | undefined;
  #stood = new Map<string, { next: number; since: number }>();

  constructor(deps: SupervisedDeps) {
    this.#deps = deps;
    this.#settled = new Promise((resolve) => {
      this.#onSettled = resolve;
    });
    this.#finished = this.#run();
  }

  /** It has its share, and fetches. */
  get isWell(): boolean {
    return this.#isWell;
  }

  /** What waits on each partition that is ours. */
  get lags(): readonly (readonly [topic: string, lag: number | undefined])[] {
    return (this.#membership?.claims ?? []).map(({ topic, lag }) => [topic, lag]);
  }

  /** Resolves when the first share has settled, or when others have taken too long to let us in. */
  async started(): Promise<void> {
    await Promise.race([
      this.#settled,
      sleepUnless(this.#stopping.signal, this.#deps.timing.joinPatienceMs),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { timing, log, group } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      const why = await this.#live();
      this.#isWell = false;
      if (this.#stopping.signal.aborted) return;
      countRestart(group);
      log.warn({ group, why }, 'a consumer was lost; a new one follows');
      await sleepUnless(this.#stopping.signal, timing.restartMs);
    }
  }

  /** One membership from start to end; answers why it ended. */
  async #live(): Promise<string> {
    const ending = new AbortController();
    let why = 'it was stopped';
    const end = (reason: string): void => {
      if (!ending.signal.aborted) why = reason;
      ending.abort();
    };
    const membership = new Membership({
      ...this.#deps,
      onSettled: () => {
        this.#isWell = true;
        this.#onSettled();
      },
      onLost: end,
    });
    this.#membership = membership;
    const onStop = (): void => end('it was stopped');
    this.#stopping.signal.addEventListener('abort', onStop);
    if (this.#stopping.signal.aborted) onStop();
    this.#stood.clear();
    const watching = this.#watch(membership, ending.signal, end);
    membership.start().catch((error: unknown) => end((error as Error).message));
    await sleepUnless(ending.signal, 2 ** 31 - 1);
    await membership.end(!this.#stopping.signal.aborted);
    await watching;
    this.#membership = undefined;
    this.#stopping.signal.removeEventListener('abort', onStop);
    return why;
  }

  /** kafkajs may hold a partition and yet not fetch it, or hang on a dead connection (tulios/kafkajs#1456, #659). */
  async #watch(
    membership: Membership,
    signal: AbortSignal,
    end: (why: string) => void,
  ): Promise<void> {
    const { timing, log, group } = this.#deps;
    while (await sleepUnless(signal, timing.stuckMs / LOOKS_BEFORE_STUCK)) {
      try {
        if (membership.silentForMs > timing.stuckMs + timing.rebalanceMs)
          end('the broker was silent for too long');
        const stuck = await this.#stuck(membership);
        if (stuck !== undefined) end(`${stuck} has messages waiting and does not move`);
      } catch (error) {
        log.debug({ err: error, group }, 'the lag cannot be looked at');
      }
    }
  }

  async #stuck(membership: Membership): Promise<string | undefined> {
    for (const topic of new Set(membership.claims.map((claim) => claim.topic))) {
      const ranges = await this.#deps.offsets.rangesOf(topic);
      for (const claim of membership.claims.filter((each) => each.topic === topic)) {
        const place = `${topic}/${claim.partition}`;
        const end = ranges.find(({ partition }) => partition === claim.partition)?.next ?? 0;
        claim.sawEnd(end);
        const stood = this.#stood.get(place);
        if (claim.next === undefined || claim.isBusy || claim.next >= end) {
          this.#stood.delete(place);
        } else if (stood?.next !== claim.next) {
          this.#stood.set(place, { next: claim.next, since: performance.now() });
        } else if (performance.now() - stood.since >= this.#deps.timing.stuckMs) return place;
      }
    }
    return undefined;
  }
}
