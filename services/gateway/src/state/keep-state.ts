import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBus } from '@gatehouse/event-sourcing';
import type { Logger } from '@gatehouse/platform';
import { followState, type Following } from './follow-state.ts';
import type { GateState } from './gate-state.ts';
import type { StateFold } from './state-fold.ts';

export interface KeeperDeps {
  readonly bus: EventBus;
  readonly state: GateState;
  readonly log: Logger;
}

const RETRY_MS = 1_000;

/**
 * Keeps what the gate decides by. Where removals may have been missed, because the gate was away for too long or its
 * place in a topic is lost, it folds all of it anew beside the old, which refuses meanwhile, and then puts it in its place.
 */
export class StateKeeper {
  readonly #deps: KeeperDeps;
  readonly #stopping = new AbortController();
  readonly #ending = new Set<Promise<void>>();
  #latest: StateFold;
  #following: Promise<Following | undefined> = Promise.resolve(undefined);

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
    this.#latest = deps.state.fold;
  }

  async start(): Promise<void> {
    this.#following = this.#follow(this.#latest);
    await this.#following;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#end(this.#following);
    await Promise.all(this.#ending);
  }

  async #follow(fold: StateFold): Promise<Following> {
    const following = await followState(this.#deps.bus, fold, () => this.#consider(fold));
    void following.lost.then((why) => {
      if (fold !== this.#latest) return;
      fold.abandon();
      this.#replace(fold, why);
    });
    return following;
  }

  /** Asked after everything that was folded. */
  #consider(fold: StateFold): void {
    if (fold !== this.#latest) return;
    const { state } = this.#deps;
    if (fold.isOutdated) {
      this.#replace(fold, 'the gate, or an owner, was away for longer than is gone on with');
    } else if (fold !== state.fold && fold.doubt() === undefined) {
      state.adopt(fold);
      this.#deps.log.info('the state was read anew');
    }
  }

  #replace(fold: StateFold, why: string): void {
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

  async #followPatiently(fold: StateFold): Promise<Following | undefined> {
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
