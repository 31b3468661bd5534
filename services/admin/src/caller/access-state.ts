import { StateKeeper, type BeatLimits, type Platform, type Worker } from '@gatehouse/platform';
import { managementOf } from '@gatehouse/policy-engine';
import { Refusal } from '@gatehouse/problem-catalog';
import { AccessFold, stateTopics } from './access-fold.ts';
import type { Caller } from './caller.ts';

/**
 * Who may do what to the gate, folded from the state topics of principals and policy. Refuses everybody until both are
 * here, and while their owners have not said for too long that all is told: who cannot know lets nobody in.
 */
export class AccessState implements Worker {
  readonly name = 'admin access state';
  readonly #platform: Pick<Platform, 'clock' | 'log'>;
  readonly #limits: BeatLimits;
  readonly #keeper: StateKeeper<AccessFold>;
  #fold: AccessFold;

  constructor(
    { bus, clock, log, readiness }: Pick<Platform, 'bus' | 'clock' | 'log' | 'readiness'>,
    limits: BeatLimits,
  ) {
    this.#platform = { clock, log };
    this.#limits = limits;
    this.#fold = this.newFold();
    this.#keeper = new StateKeeper({ bus, topics: stateTopics, state: this, log });
    readiness.waitWhile(() => this.#waitingFor());
  }

  get fold(): AccessFold {
    return this.#fold;
  }

  newFold(): AccessFold {
    return new AccessFold(this.#platform, this.#limits);
  }

  /** Decides by another fold from now on. */
  adopt(fold: AccessFold): void {
    this.#fold = fold;
  }

  /** Resolves once it reads; readiness and `authenticate` wait for all of it. */
  start(): Promise<void> {
    return this.#keeper.start();
  }

  stop(): Promise<void> {
    return this.#keeper.stop();
  }

  /** Who the bearer of an `Authorization` header is now; a Refusal for everybody else. */
  authenticate(authorization: string | undefined): Caller {
    const { directory, policy } = this.#fold;
    const doubt = this.#fold.doubt();
    if (doubt !== undefined || policy === undefined) throw new Refusal(doubt ?? 'not-ready');
    const outcome = directory.authenticate(authorization, this.#platform.clock.now());
    if (outcome.kind === 'refused') throw new Refusal(outcome.code, { internal: outcome.internal });
    const { kind, id, name, roles } = outcome.principal;
    return { actor: { kind, id, name }, roles, management: managementOf(policy, roles) };
  }

  #waitingFor(): string | undefined {
    switch (this.#fold.doubt()) {
      case undefined:
        return undefined;
      case 'not-ready':
        return this.name;
      case 'state-stale':
        return `${this.name}: a beat of ${this.#fold.silent.join(', ')}`;
    }
  }
}
