import { setTimeout as sleep } from 'node:timers/promises';
import type { MadeAgent } from './administrator.ts';
import type { Gate } from './caller.ts';
import { OpeningRound, type RoundHost } from './opening-round.ts';
import { seeded, type Random } from './random.ts';
import { ROLES, SHAKY, STEADY, type Stage } from './stage.ts';

const MOST_AGENTS = 14;
const AT_A_TIME = 4;
/** How long the end of the load waits for its opening round, where a fault has held that up. */
const ROUND_MS = 60_000;
/** What `worker` permits whatever else changes. */
const ALWAYS_WORKERS = { server: STEADY, tool: 'look' } as const;

/** Calls on every gate and an administrator's changes, both by chance from the seed, until it is stopped; and, whatever chance picks, one revocation of each kind. */
export interface Workload {
  /** Everybody who ever called. */
  readonly agents: readonly MadeAgent[];
  /** Resolves when everything under way has ended. */
  stop(): Promise<void>;
}

/** Starts the load on the gates named; on all of the stage where none are. */
export function startWorkload(stage: Stage, gates: readonly Gate[] = stage.gates): Workload {
  const load = new Load(stage, gates);
  for (const agent of stage.steady) load.join(agent);
  load.open();
  load.run(load.administer());
  return load;
}

class Load implements Workload, RoundHost {
  readonly agents: MadeAgent[] = [];
  readonly #stage: Stage;
  readonly #gates: readonly Gate[];
  readonly #random: Random;
  readonly #running = new Set<Promise<unknown>>();
  /** Whose rights may still be taken. */
  readonly #mortal: MadeAgent[] = [];
  readonly #ended = new Set<MadeAgent>();
  #opening: Promise<unknown> = Promise.resolve();
  #isServerFree = false;
  #isSuspended = false;
  #isWorkerReading = false;
  #stopped = false;

  constructor(stage: Stage, gates: readonly Gate[]) {
    this.#stage = stage;
    this.#gates = gates;
    this.#random = stage.random;
  }

  /** From now on the agent calls at every gate. */
  join(agent: MadeAgent): void {
    this.agents.push(agent);
    for (const gate of this.#gates) this.run(this.#callAt(gate, agent));
  }

  run(loop: Promise<unknown>): void {
    this.#running.add(loop);
  }

  open(): void {
    const round = new OpeningRound(this.#stage, this.#gates, this);
    const suspension = round.suspendServer().then(() => (this.#isServerFree = true));
    this.#opening = Promise.all([suspension, round.takeKey(), round.takeRole()]);
    this.run(this.#opening);
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  async recruit(): Promise<MadeAgent | undefined> {
    const agent = await this.#stage.admin.createAgent(`mortal-${this.#random.next()}`, 'worker');
    if (agent !== undefined) this.join(agent);
    return agent;
  }

  retire(agent: MadeAgent): void {
    this.#ended.add(agent);
  }

  async stop(): Promise<void> {
    await Promise.race([this.#opening, sleep(ROUND_MS, undefined, { ref: false })]);
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async administer(): Promise<void> {
    while (!this.#stopped) {
      await this.#changeSomething();
      await this.#pause(200, 600);
    }
  }

  async #changeSomething(): Promise<void> {
    const { admin } = this.#stage;
    const changes: (() => Promise<unknown>)[] = [
      () => {
        this.#isWorkerReading = !this.#isWorkerReading;
        const mode = this.#isWorkerReading ? 'READ' : 'WRITE';
        return admin.defineRole('worker', { ...ROLES.worker, [STEADY]: mode });
      },
    ];
    if (this.#isServerFree) changes.push(() => this.#toggleServer());
    if (this.#mortal.length < AT_A_TIME && this.agents.length < MOST_AGENTS)
      changes.push(...Array.from({ length: 3 }, () => () => this.#createAgent()));
    if (this.#mortal.length > 1) {
      changes.push(
        () => this.#take((agent) => admin.revokeKey(agent)),
        () => this.#take((agent) => admin.revokeRole(agent, 'worker', ALWAYS_WORKERS)),
      );
    }
    await this.#random.pick(changes)();
  }

  async #createAgent(): Promise<void> {
    const agent = await this.recruit();
    if (agent !== undefined) this.#mortal.push(agent);
  }

  async #take(revoke: (agent: MadeAgent) => Promise<unknown>): Promise<void> {
    const agent = this.#random.pick(this.#mortal);
    this.#mortal.splice(this.#mortal.indexOf(agent), 1);
    await revoke(agent);
    this.retire(agent);
  }

  async #toggleServer(): Promise<void> {
    const { admin } = this.#stage;
    const asked = this.#isSuspended ? admin.resume(SHAKY) : admin.suspend(SHAKY);
    const { outcome } = await asked;
    // Of an unknown outcome the other way is tried next: refused where it did not happen, it does no harm.
    if (outcome.kind !== 'refused' || outcome.code === 'server-state-wrong')
      this.#isSuspended = !this.#isSuspended;
  }

  async #callAt(gate: Gate, agent: MadeAgent): Promise<void> {
    const random = seeded(this.#random.below(1_000_000_000));
    const caller = this.#stage.caller(agent, gate);
    while (!this.#stopped) {
      const server = random.pick([STEADY, STEADY, SHAKY]);
      if (random.below(20) === 0) await caller.tools();
      else if (random.below(2) === 0) await caller.call(server, 'put', 'write');
      else await caller.call(server, 'look', 'read');
      // Who is out stays and asks now and then: it must not come back.
      const isOut = this.#ended.has(agent);
      await this.#pause(isOut ? 300 : 20, isOut ? 600 : 100, random);
    }
    caller.close();
  }

  async #pause(from: number, to: number, random = this.#random): Promise<void> {
    await sleep(from + random.below(to - from));
  }
}
