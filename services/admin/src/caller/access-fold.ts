import { isBeat, topics } from '@gatehouse/event-catalog';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import {
  HeardBeats,
  positionOf,
  type BeatLimits,
  type KeptFold,
  type Platform,
} from '@gatehouse/platform';
import { parsePolicyMessage, type CompiledPolicy } from '@gatehouse/policy-engine';
import {
  justBefore,
  parsePrincipalMessage,
  PrincipalDirectory,
} from '@gatehouse/principal-directory';

interface Policy {
  readonly position: number;
  readonly compiled: CompiledPolicy | undefined;
}

/** The topics that admin decides by, and whose word they are. */
export const stateTopics = [
  { topic: topics.principalsState, owner: 'identity' },
  { topic: topics.policyState, owner: 'policy' },
];

/**
 * Who may do what to the gate, as one reading of the state topics has it. What cannot be read takes away what it speaks
 * of: nobody is let in on a value that a newer one has replaced. Told again at the same position, it comes back.
 */
export class AccessFold implements KeptFold {
  readonly directory = new PrincipalDirectory();
  readonly #platform: Pick<Platform, 'clock' | 'log'>;
  readonly #beats: HeardBeats;
  #policy: Policy = { position: -1, compiled: undefined };
  #caughtUp = false;
  #abandoned = false;

  constructor(platform: Pick<Platform, 'clock' | 'log'>, limits: BeatLimits) {
    this.#platform = platform;
    this.#beats = new HeardBeats(stateTopics, limits, this.#now(), platform.log);
  }

  /** Undefined while there is none that can be read. */
  get policy(): CompiledPolicy | undefined {
    return this.#policy.compiled;
  }

  get isOutdated(): boolean {
    return this.#abandoned || this.#beats.missed;
  }

  /** Whose beats are missing now. */
  get silent(): readonly string[] {
    return this.#beats.silent(this.#now());
  }

  markCaughtUp(): void {
    this.#caughtUp = true;
  }

  abandon(): void {
    this.#abandoned = true;
  }

  doubt(): 'not-ready' | 'state-stale' | undefined {
    if (!this.#caughtUp || this.isOutdated || this.policy === undefined) return 'not-ready';
    return this.#beats.fresh(this.#now()) ? undefined : 'state-stale';
  }

  apply(message: IncomingMessage): void {
    if (isBeat(message)) this.#beats.take(message, this.#now());
    else if (message.topic === topics.policyState.name) this.#applyPolicy(message);
    else this.#applyPrincipal(message);
  }

  #now(): number {
    return this.#platform.clock.now().getTime();
  }

  #applyPrincipal(message: IncomingMessage): void {
    const key = message.key ?? '';
    const position = this.#read(message, () => positionOf(message));
    const value = this.#read(message, () => parsePrincipalMessage(message.key, message.value));
    if (position === undefined || value === undefined) this.directory.takeAway(key, position);
    else this.directory.apply(key, value, position);
  }

  #applyPolicy(message: IncomingMessage): void {
    const known = this.#policy.position;
    const position = this.#read(message, () => positionOf(message));
    // What has no position is no word of the owner: there is no policy until it is told again.
    if (position === undefined) {
      this.#policy = { position: justBefore(known), compiled: undefined };
      return;
    }
    if (position <= known) return;
    const compiled = this.#read(message, () => parsePolicyMessage(message.value).policy);
    this.#policy = { position: compiled ? position : justBefore(position), compiled };
  }

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
