import { setTimeout as sleep } from 'node:timers/promises';
import { isBeat, policyStateSchema, topics } from '@gatehouse/event-catalog';
import type { IncomingMessage, StateReader } from '@gatehouse/event-sourcing';
import {
  HeardBeats,
  positionOf,
  type BeatLimits,
  type Platform,
  type Worker,
} from '@gatehouse/platform';
import { compile, managementOf, type CompiledPolicy } from '@gatehouse/policy-engine';
import { Refusal } from '@gatehouse/problem-catalog';
import {
  justBefore,
  parsePrincipalMessage,
  PrincipalDirectory,
} from '@gatehouse/principal-directory';
import type { Caller } from './caller.ts';

interface Policy {
  readonly position: number;
  readonly compiled: CompiledPolicy | undefined;
}

const stateTopics = [
  { topic: topics.principalsState, owner: 'identity' },
  { topic: topics.policyState, owner: 'policy' },
];
const NO_POLICY: Policy = { position: -1, compiled: undefined };
const RETRY_MS = 500;

/**
 * Who may do what to the gate, folded from the state topics of principals and policy. Refuses everybody until both are
 * here, and while their owners have not said for too long that all is told: who cannot know lets nobody in.
 */
export class AccessState implements Worker {
  readonly name = 'admin access state';
  readonly #platform: Pick<Platform, 'bus' | 'clock' | 'log'>;
  readonly #ready: ReturnType<Platform['readiness']['waitFor']>;
  readonly #limits: BeatLimits;
  #directory = new PrincipalDirectory();
  #beats: HeardBeats;
  #readers: StateReader[] = [];
  #policy: Policy = NO_POLICY;
  #caughtUp = false;
  #isStopped = false;
  #isBeginningAnew = false;
  #readingAnew: Promise<void> | undefined;

  constructor(platform: Pick<Platform, 'bus' | 'clock' | 'log' | 'readiness'>, limits: BeatLimits) {
    this.#platform = platform;
    this.#limits = limits;
    this.#beats = this.#newBeats();
    this.#ready = platform.readiness.waitFor(this.name);
    platform.readiness.waitWhile(() => {
      const silent = this.#caughtUp ? this.#beats.silent(this.#now()) : [];
      return silent.length === 0 ? undefined : `${this.name}: a beat of ${silent.join(', ')}`;
    });
  }

  /** Resolves once it reads; readiness and `authenticate` wait for all of it. */
  async start(): Promise<void> {
    const { bus } = this.#platform;
    const readers: StateReader[] = [];
    this.#readers = readers;
    for (const { topic } of stateTopics)
      readers.push(await bus.readAll(topic, (message) => this.#apply(message)));
    void Promise.all(readers.map((reader) => reader.caughtUp)).then(
      () => this.#readers === readers && this.#markCaughtUp(),
      (error: unknown) =>
        this.#platform.log.error({ err: error }, 'the state of access could not be read'),
    );
    void Promise.race(readers.map((reader) => reader.lost)).then(
      () => this.#readers === readers && this.#beginAnew(),
    );
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#readingAnew;
    await this.#stopReaders();
  }

  /** Who the bearer of an `Authorization` header is now; a Refusal for everybody else. */
  authenticate(authorization: string | undefined): Caller {
    const { compiled } = this.#policy;
    if (!this.#caughtUp || compiled === undefined) throw new Refusal('not-ready');
    if (!this.#beats.fresh(this.#now())) throw new Refusal('state-stale');
    const outcome = this.#directory.authenticate(authorization, this.#platform.clock.now());
    if (outcome.kind === 'refused') throw new Refusal(outcome.code, { internal: outcome.internal });
    const { kind, id, name, roles } = outcome.principal;
    return { actor: { kind, id, name }, roles, management: managementOf(compiled, roles) };
  }

  /** Where a place in a topic is gone, or the silence was long, removals may have been missed: nothing of what was known is gone on with. */
  #beginAnew(): void {
    if (this.#isBeginningAnew || this.#isStopped) return;
    this.#isBeginningAnew = true;
    this.#caughtUp = false;
    this.#ready.again();
    this.#readingAnew = this.#readAnew();
  }

  async #readAnew(): Promise<void> {
    await this.#stopReaders();
    this.#directory = new PrincipalDirectory();
    this.#beats = this.#newBeats();
    this.#policy = NO_POLICY;
    while (!this.#isStopped) {
      try {
        this.#isBeginningAnew = false;
        return await this.start();
      } catch (error) {
        this.#isBeginningAnew = true;
        this.#platform.log.warn({ err: error }, 'the state of access cannot be read yet');
        await this.#stopReaders();
        await sleep(RETRY_MS);
      }
    }
  }

  async #stopReaders(): Promise<void> {
    await Promise.all(this.#readers.splice(0).map((reader) => reader.stop()));
  }

  #markCaughtUp(): void {
    this.#caughtUp = true;
    this.#ready.done();
  }

  #apply(message: IncomingMessage): void {
    if (isBeat(message)) this.#hear(message);
    else if (message.topic === topics.policyState.name) this.#applyPolicy(message);
    else this.#applyPrincipal(message);
  }

  #hear(message: IncomingMessage): void {
    this.#beats.take(message, this.#now());
    if (this.#beats.missed) this.#beginAnew();
  }

  #newBeats(): HeardBeats {
    return new HeardBeats(stateTopics, this.#limits, this.#now(), this.#platform.log);
  }

  #now(): number {
    return this.#platform.clock.now().getTime();
  }

  #applyPrincipal(message: IncomingMessage): void {
    const key = message.key ?? '';
    const position = this.#read(message, () => positionOf(message));
    if (position === undefined) return this.#directory.takeAway(key);
    const value = this.#read(message, () => parsePrincipalMessage(message.key, message.value));
    this.#directory.apply(key, value ?? null, position);
  }

  #applyPolicy(message: IncomingMessage): void {
    const position = this.#read(message, () => positionOf(message));
    // What has no position is no word of the owner: there is no policy until it is told again.
    if (position === undefined)
      this.#policy = { position: justBefore(this.#policy.position), compiled: undefined };
    else if (position > this.#policy.position)
      this.#policy = { position, compiled: this.#read(message, () => compilePolicy(message)) };
  }

  // What cannot be read takes away what it speaks of: nobody is let in on a value that a newer one has replaced.
  #read<T>(message: IncomingMessage, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      const { topic, key, offset } = message;
      this.#platform.log.error({ topic, key, offset, err: error }, 'illegible state');
      return undefined;
    }
  }
}

function compilePolicy({ value }: IncomingMessage): CompiledPolicy {
  return compile(policyStateSchema.parse(JSON.parse(value?.toString('utf8') ?? 'null')).roles);
}
