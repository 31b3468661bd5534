import { isBeat, parseCatalogueMessage, topics } from '@gatehouse/event-catalog';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import {
  HeardBeats,
  positionOf,
  type BeatLimits,
  type Clock,
  type KeptFold,
  type Logger,
} from '@gatehouse/platform';
import { parsePolicyMessage, type CompiledPolicy } from '@gatehouse/policy-engine';
import {
  justBefore,
  parsePrincipalMessage,
  PrincipalDirectory,
  principalKey,
} from '@gatehouse/principal-directory';
import { servedServer, type ServedServer } from './served-server.ts';
import { stateTopics } from './state-topics.ts';
import type { ChangeSink } from './state-change.ts';

export interface FoldDeps extends BeatLimits {
  readonly log: Logger;
  readonly clock: Clock;
}

export interface Bundle {
  readonly number: number;
  readonly policy: CompiledPolicy;
}

/** Why nothing may be decided now. */
export interface Doubt {
  readonly code: 'not-ready' | 'state-stale';
  readonly why: string;
  /** What would end it; the same words for as long as it is the same. */
  readonly waitingFor: string;
}

/**
 * What one reading of the three state topics, from their oldest message on, has come to. A message that cannot be read
 * takes away what it speaks of: nothing is granted on the strength of a value that a newer, illegible one has replaced.
 * Its owner tells it again, maybe at the same position, so it counts as just before that.
 */
export class StateFold implements KeptFold {
  readonly directory = new PrincipalDirectory();
  readonly beats: HeardBeats;
  readonly #deps: FoldDeps;
  readonly #positions = new Map<string, number>();
  readonly #servers = new Map<string, ServedServer>();
  #sink: ChangeSink | undefined;
  #bundle: Bundle | null = null;
  #catalogueVersion = 0;
  #caughtUp = false;
  #abandoned = false;
  #knew = false;

  constructor(deps: FoldDeps) {
    this.#deps = deps;
    this.beats = new HeardBeats(stateTopics, deps, deps.clock.now().getTime(), deps.log);
    this.directory.onChange((affected) => {
      for (const ref of affected) this.#sink?.principal(principalKey(ref));
    });
  }

  get bundle(): Bundle | null {
    return this.#bundle;
  }

  get servers(): ReadonlyMap<string, ServedServer> {
    return this.#servers;
  }

  get catalogueVersion(): number {
    return this.#catalogueVersion;
  }

  /** Tells changes to somebody from here on, or to nobody. */
  tell(sink: ChangeSink | undefined): void {
    this.#sink = sink;
  }

  /** Everything that was there at the start has been folded. */
  markCaughtUp(): void {
    this.#caughtUp = true;
    this.#settle();
  }

  /** Its readers have lost their place, so it may lack removals for good. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Whether it may lack removals, and must be folded anew. */
  get isOutdated(): boolean {
    return this.#abandoned || this.beats.missed;
  }

  /** Why nothing may be decided by it now; undefined where it is as good as the owners' own word. */
  doubt(): Doubt | undefined {
    const now = this.#now();
    const code = this.#knew ? 'state-stale' : 'not-ready';
    if (this.isOutdated) return { code, ...ANEW };
    if (!this.#caughtUp) return { code, ...UNREAD };
    if (!this.beats.fresh(now)) return { code, ...silenceOf(this.beats, now) };
    if (this.#bundle === null) return { code: 'not-ready', ...NO_POLICY };
    return undefined;
  }

  /** Folds one message of a state topic. */
  apply(message: IncomingMessage): void {
    const { topic, key } = message;
    if (key === null) {
      return this.#deps.log.error({ topic }, 'a state message without key is ignored');
    }
    if (isBeat(message)) {
      this.beats.take(message, this.#now());
      return this.#settle();
    }
    const position = this.#read(message, () => positionOf(message));
    if (position === undefined) this.#takeAway(message, key);
    else this.#fold(message, key, position);
    const { traceparent } = message.headers;
    // What was there at the start happened long ago.
    if (traceparent !== undefined && this.#caughtUp) this.#sink?.cause(traceparent);
  }

  #now(): number {
    return this.#deps.clock.now().getTime();
  }

  #settle(): void {
    this.#knew ||= this.doubt() === undefined;
  }

  #fold(message: IncomingMessage, key: string, position: number): void {
    if (message.topic === topics.principalsState.name) {
      const value = this.#read(message, () => parsePrincipalMessage(key, message.value));
      return value === undefined
        ? this.directory.takeAway(key, position)
        : this.directory.apply(key, value, position);
    }
    const entity = `${message.topic}/${key}`;
    if (position <= (this.#positions.get(entity) ?? -1)) return;
    const isLegible =
      message.topic === topics.policyState.name
        ? this.#applyPolicy(message)
        : this.#applyServer(key, message);
    this.#positions.set(entity, isLegible ? position : justBefore(position));
  }

  /** What has no position is no word of an owner: the entity is away until its owner tells it again. */
  #takeAway(message: IncomingMessage, key: string): void {
    if (message.topic === topics.principalsState.name) return this.directory.takeAway(key);
    const entity = `${message.topic}/${key}`;
    const known = this.#positions.get(entity);
    this.#fold({ ...message, value: null }, key, Number.POSITIVE_INFINITY);
    if (known === undefined) this.#positions.delete(entity);
    else this.#positions.set(entity, justBefore(known));
  }

  #applyPolicy(message: IncomingMessage): boolean {
    // Readiness is lost for as long as no legible policy is there.
    const bundle = this.#read(message, () => parsePolicyMessage(message.value));
    this.#bundle = bundle ?? null;
    this.#settle();
    this.#sink?.policy();
    return bundle !== undefined;
  }

  #applyServer(slug: string, message: IncomingMessage): boolean {
    const server = this.#read(message, () => parseCatalogueMessage(slug, message.value));
    if (server === undefined || server === null) this.#servers.delete(slug);
    else this.#servers.set(slug, servedServer(server));
    this.#catalogueVersion += 1;
    this.#sink?.server(slug);
    return server !== undefined;
  }

  #read<T>(message: IncomingMessage, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      const { topic, key, offset } = message;
      this.#deps.log.error(
        { topic, key, offset, err: error },
        'illegible state: the entity is taken away',
      );
      return undefined;
    }
  }
}

const ANEW = {
  why: 'the state is read anew, as removals may have been missed',
  waitingFor: 'gateway state: all of it anew',
};
const UNREAD = {
  why: 'the state topics have not been read to the end',
  waitingFor: 'gateway state: the end of its topics',
};
const NO_POLICY = {
  why: 'there is no policy that can be read',
  waitingFor: 'gateway state: a policy',
};

function silenceOf(beats: HeardBeats, now: number): Pick<Doubt, 'why' | 'waitingFor'> {
  const owners = beats.silent(now).join(', ');
  const age = beats.ageMs(now);
  const since = Number.isFinite(age) ? `for ${Math.round(age / 1000)} s` : 'so far';
  return {
    why: `no beat of ${owners} that counts was heard ${since}`,
    waitingFor: `gateway state: a beat of ${owners}`,
  };
}
