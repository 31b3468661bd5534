import { beatSchema, type TopicDefinition } from '@gatehouse/event-catalog';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import type { Logger } from '../log/logger.ts';

/** A topic of state, and the service whose word it is. */
export interface StateTopic {
  readonly topic: TopicDefinition;
  readonly owner: string;
}

/** How long a silence of the owners is borne, in milliseconds. */
export interface BeatLimits {
  /** How old the oldest of the newest beats may be. */
  readonly stateMaxAgeMs: number;
  /** After how long a silence what was folded before is not gone on with. */
  readonly stateResyncAfterMs: number;
}

interface Place {
  readonly owner: string;
  at: number;
}

/** Further apart than this the clocks of owner and reader cannot be compared any more. */
const AHEAD_MS = 5_000;
const NEVER = Number.NEGATIVE_INFINITY;

/** The newest beat of every partition of some state topics: how old what was folded from them may be. */
export class HeardBeats {
  readonly #limits: BeatLimits;
  readonly #log: Logger;
  readonly #since: number;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #distrusted = new Set<string>();
  #oldest = NEVER;
  #newest = NEVER;
  #missed = false;

  /** `since` is when the topics began to be read from their oldest message on. */
  constructor(stateTopics: readonly StateTopic[], limits: BeatLimits, since: number, log: Logger) {
    this.#limits = limits;
    this.#since = since;
    this.#log = log;
    this.#places = new Map(
      stateTopics.flatMap(({ topic, owner }) =>
        Array.from(
          { length: topic.partitions },
          (_, partition) => [`${topic.name}/${partition}`, { owner, at: NEVER }] as const,
        ),
      ),
    );
  }

  /**
   * Whether there was a silence in which removals may have been told and forgotten again. Where nothing was missed, beat
   * follows on beat: the topics forget the beats of a time before they forget its tombstones.
   */
  get missed(): boolean {
    return this.#missed;
  }

  take(message: IncomingMessage, now: number): void {
    const place = this.#places.get(`${message.topic}/${message.partition}`);
    const at = this.#read(message);
    if (place === undefined || at === undefined) return;
    if (at > now + AHEAD_MS) return this.#distrust(place.owner, at, now);
    this.#distrusted.delete(place.owner);
    if (at <= place.at) return;
    if (at - Math.max(place.at, this.#since) > this.#limits.stateResyncAfterMs) this.#missed = true;
    place.at = at;
    const heard = [...this.#places.values()].map((each) => each.at);
    this.#oldest = Math.min(...heard);
    this.#newest = Math.max(...heard);
  }

  /** Whether all of it is told up to a moment that is not too long ago. */
  fresh(now: number): boolean {
    return now - this.#oldest <= this.#limits.stateMaxAgeMs && this.#newest - now <= AHEAD_MS;
  }

  /** How long ago it was that all of it was known to be told; Infinity where it never was. */
  ageMs(now: number): number {
    return now - this.#oldest;
  }

  /** Whose beats are missing now. */
  silent(now: number): string[] {
    const { stateMaxAgeMs } = this.#limits;
    const isSilent = ({ at }: Place) => now - at > stateMaxAgeMs || at - now > AHEAD_MS;
    return [
      ...new Set([...this.#places.values()].filter(isSilent).map(({ owner }) => owner)),
    ].toSorted();
  }

  #read(message: IncomingMessage): number | undefined {
    try {
      return Date.parse(beatSchema.parse(JSON.parse(message.value?.toString('utf8') ?? '')).at);
    } catch (error) {
      const { topic, key, offset } = message;
      this.#log.error({ topic, key, offset, err: error }, 'a beat cannot be read');
      return undefined;
    }
  }

  /** It may not count: the next that could be told late would be believed to be current. */
  #distrust(owner: string, at: number, now: number): void {
    if (this.#distrusted.has(owner)) return;
    this.#distrusted.add(owner);
    this.#log.error(
      { alarm: true, owner, aheadMs: at - now },
      'a beat is from the future: the clocks of this process and of its owner disagree, and it is not believed',
    );
  }
}
