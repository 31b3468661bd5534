import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBus, IncomingMessage } from '@gatehouse/event-sourcing';
import type { StateTopic } from './heard-beats.ts';
import type { Logger } from '../log/logger.ts';
import { followState, type Following, type ReadingProgress } from './follow-state.ts';

/** What one reading of state topics, from their oldest message on, comes to. */
export interface KeptFold {
  apply(message: IncomingMessage): void;
  /** Everything that was there at the start has been folded. */
  markCaughtUp(): void;
  /** Its readers have lost their place, so it may lack removals for good. */
  abandon(): void;
  /** Whether it may lack removals, and must be folded anew. */
  readonly isOutdated: boolean;
  /** Why nothing may be decided by it now; undefined where it is as good as the owners' own word. */
  doubt(): unknown;
}

/** Who decides by a fold. */
export interface FoldHolder<F extends KeptFold> {
  readonly fold: F;
  newFold(): F;
  adopt(fold: F): void;
}

/** What a keeper of state works with. */
export interface KeeperDeps<F extends KeptFold> {
  readonly bus: EventBus;
  readonly topics: readonly StateTopic[];
  readonly state: FoldHolder<F>;
  readonly log: Logger;
  /** Asked anew for each reading. */
  readonly progress?: () => ReadingProgress;
}

const RETRY_MS = 1_000;

/**
 * Keeps what is decided by. Where removals may have been missed, because the process was away for too long or its
 * place in a topic is lost, it folds all of it anew beside the old, which refuses meanwhile, and then puts it in its place.
 */
export class StateKeeper<F extends KeptFold> {
  readonly #deps: KeeperDeps<F>;
  readonly #stopping = new AbortController();
  readonly #ending = new Set<Promise<void>>();
  #latest: F;
  #following: Promise<Following | undefined> = Promise.resolve(undefined);

  constructor(deps: KeeperDeps<F>) {
    this.#deps = deps;
    this.#latest = deps.state.fold;
  }

  /** Resolves once it reads. Where it fails it can be called again: nothing of the attempt is left. */
  async start(): Promise<void> {
    this.#following = this.#follow(this.#latest);
    await this.#following;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#end(this.#following);
    await Promise.all(this.#ending);
  }

  async #follow(fold: F): Promise<Following> {
    const { bus, topics, progress } = this.#deps;
    const take = (message: IncomingMessage): void => {
      fold.apply(message);
      this.#consider(fold);
    };
    const following = await followState(bus, topics, take, progress?.());
    void following.caughtUp.then(() => {
      fold.markCaughtUp();
      this.#consider(fold);
    });
    void following.lost.then((why) => {
      if (fold !== this.#latest) return;
      fold.abandon();
      this.#replace(fold, why);
    });
    return following;
  }

  /** Asked after everything that was folded. */
  #consider(fold: F): void {
    if (fold !== this.#latest) return;
    const { state } = this.#deps;
    if (fold.isOutdated) {
      this.#replace(fold, 'this process, or an owner, was away for longer than is gone on with');
    } else if (fold !== state.fold && fold.doubt() === undefined) {
      state.adopt(fold);
      this.#deps.log.info('the state was read anew');
    }
  }

  #replace(fold: F, why: string): void {
    if (this.#stopping.signal.aborted) return;
    const { state, log } = this.#deps;
    log.warn({ why, knew: state.fold === fold }, 'the state is read anew');
    const before = this.#following;
    const next = state.newFold();
    this.#latest = next;
    this.#following = this.#followPatiently(next);
    const ended = this.#end(before).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  async #followPatiently(fold: F): Promise<Following | undefined> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return await this.#follow(fold);
      } catch (error) {
        this.#deps.log.warn({ err: error }, 'the state cannot be read yet');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  async #end(following: Promise<Following | undefined>): Promise<void> {
    try {
      await (await following)?.stop();
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'a reading of the state did not end well');
    }
  }
}
