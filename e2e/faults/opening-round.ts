import { setTimeout as sleep } from 'node:timers/promises';
import type { MadeAgent } from './administrator.ts';
import type { Gate } from './caller.ts';
import type { AdminOperation, Call } from './history.ts';
import { ACKNOWLEDGED } from './invariants/revoked-stays-out.ts';
import { SHAKY, STEADY, type Stage } from './stage.ts';

const EVERY_MS = 100;

/** What the opening round needs of the load that runs beside it. */
export interface RoundHost {
  readonly isStopped: boolean;
  /** A further `worker` that calls at every gate; undefined where it could not be made. */
  recruit(): Promise<MadeAgent | undefined>;
  /** The agent is out from now on. */
  retire(agent: MadeAgent): void;
}

/** What chance may leave out: each kind of revocation comes about once, of somebody who was let in on every gate, and every gate acknowledges it. */
export class OpeningRound {
  readonly #stage: Stage;
  readonly #gates: readonly Gate[];
  readonly #host: RoundHost;

  constructor(stage: Stage, gates: readonly Gate[], host: RoundHost) {
    this.#stage = stage;
    this.#gates = gates;
    this.#host = host;
  }

  async takeKey(): Promise<void> {
    await this.#take((agent) => this.#stage.admin.revokeKey(agent), ACKNOWLEDGED.key);
  }

  async takeRole(): Promise<void> {
    const at = { server: STEADY, tool: 'look' };
    await this.#take(
      (agent) => this.#stage.admin.revokeRole(agent, 'worker', at),
      ACKNOWLEDGED.caller,
    );
  }

  /** Nobody else may suspend or resume the server meanwhile. It is let in again at the end. */
  async suspendServer(): Promise<void> {
    const { admin, steady } = this.#stage;
    const { name } = steady[0]!;
    const looks = (call: Call): boolean => call.caller === name && call.server === SHAKY;
    while (!this.#host.isStopped) {
      const since = Date.now();
      await this.#everywhere(
        (call) => looks(call) && call.invokedAt >= since && call.outcome.kind === 'ok',
      );
      const suspension = await admin.suspend(SHAKY);
      const isDone = suspension.outcome.kind === 'ok';
      if (isDone) await this.#acknowledged(suspension, looks, ACKNOWLEDGED.server);
      await this.#resume();
      if (isDone) return;
    }
  }

  async #resume(): Promise<void> {
    while (!this.#host.isStopped) {
      const { outcome } = await this.#stage.admin.resume(SHAKY);
      if (outcome.kind === 'ok') return;
      if (outcome.kind === 'refused' && outcome.code === 'server-state-wrong') return;
      await sleep(EVERY_MS);
    }
  }

  async #take(
    revoke: (agent: MadeAgent) => Promise<AdminOperation>,
    words: ReadonlySet<string>,
  ): Promise<void> {
    while (!this.#host.isStopped) {
      const agent = await this.#host.recruit();
      if (agent === undefined) {
        await sleep(EVERY_MS);
        continue;
      }
      const looks = (call: Call): boolean => call.caller === agent.name && call.server === STEADY;
      await this.#everywhere((call) => looks(call) && call.outcome.kind === 'ok');
      const revocation = await revoke(agent);
      const isDone = revocation.outcome.kind === 'ok';
      if (isDone) await this.#acknowledged(revocation, looks, words);
      this.#host.retire(agent);
      if (isDone) return;
    }
  }

  #acknowledged(
    { invokedAt }: AdminOperation,
    looks: (call: Call) => boolean,
    words: ReadonlySet<string>,
  ): Promise<void> {
    return this.#everywhere(
      (call) =>
        looks(call) &&
        call.invokedAt >= invokedAt &&
        call.outcome.kind === 'refused' &&
        words.has(call.outcome.code),
    );
  }

  /** Until every gate has answered a look so; or the load ends. */
  async #everywhere(isSo: (call: Call) => boolean): Promise<void> {
    const open = new Set(this.#gates.map(({ node }) => node));
    while (open.size > 0 && !this.#host.isStopped) {
      for (const call of this.#stage.history.calls)
        if (open.has(call.node) && call.tool === 'look' && isSo(call)) open.delete(call.node);
      if (open.size > 0) await sleep(EVERY_MS);
    }
  }
}
