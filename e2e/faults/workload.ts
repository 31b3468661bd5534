import { setTimeout as sleep } from 'node:timers/promises';
import type { MadePrincipal } from './administrator.ts';
import type { Gate } from './caller.ts';
import {
  ALWAYS_WORKERS,
  narrowWorkers,
  OpeningRound,
  widenWorkers,
  type RoundHost,
} from './opening-round.ts';
import { seeded, type Random } from './random.ts';
import { SHAKY, STEADY, type Stage } from './stage.ts';

const MOST_CALLERS = 16;
const AT_A_TIME = 4;
/** How long the end of the load waits for its opening round, where a fault has held that up. */
const ROUND_MS = 60_000;

/** Calls on every gate and an administrator's changes, both by chance from the seed, until it is stopped; and, whatever chance picks, one revocation of each kind. */
export interface Workload {
  /** Everybody who ever called. */
  readonly callers: readonly MadePrincipal[];
  /** From now on everybody calls at this gate too, and, whatever chance picks, one revocation of each kind comes about on it. */
  add(gate: Gate): void;
  /** Resolves when everything under way has ended. */
  stop(): Promise<void>;
}

/** Starts the load on the gates named; on all of the stage where none are. */
export function startWorkload(stage: Stage, gates: readonly Gate[] = stage.gates): Workload {
  const load = new Load(stage, gates);
  for (const principal of stage.steady) load.join(principal);
  load.open();
  load.run(load.administer());
  return load;
}

function isPerson({ kind }: MadePrincipal): boolean {
  return kind === 'USER';
}

class Load implements Workload, RoundHost {
  readonly callers: MadePrincipal[] = [];
  readonly #stage: Stage;
  readonly #gates: Gate[];
  readonly #random: Random;
  readonly #running = new Set<Promise<unknown>>();
  /** Whose rights may still be taken. */
  readonly #mortal: MadePrincipal[] = [];
  readonly #ended = new Set<MadePrincipal>();
  #opening: Promise<unknown> = Promise.resolve();
  /** For whom an opening round is still to begin. */
  #unopened: readonly Gate[] | undefined;
  #isServerFree = false;
  #isRoleFree = false;
  #isSuspended = false;
  #isNarrow = false;
  #stopped = false;

  constructor(stage: Stage, gates: readonly Gate[]) {
    this.#stage = stage;
    this.#gates = [...gates];
    this.#random = stage.random;
  }

  /** From now on they call at every gate. */
  join(caller: MadePrincipal): void {
    this.callers.push(caller);
    for (const gate of this.#gates) this.run(this.#callAt(gate, caller));
  }

  run(loop: Promise<unknown>): void {
    this.#running.add(loop);
  }

  add(gate: Gate): void {
    this.#gates.push(gate);
    for (const caller of this.callers) this.run(this.#callAt(gate, caller));
    this.#unopened = [gate];
  }

  open(gates: readonly Gate[] = this.#gates): void {
    const round = new OpeningRound(this.#stage, gates, this);
    this.#isServerFree = false;
    this.#isRoleFree = false;
    this.#opening = Promise.all([
      round.suspendServer().then(() => (this.#isServerFree = true)),
      round.narrowRole().then(() => (this.#isRoleFree = true)),
      round.takeKey(),
      round.takeRole(),
      round.deactivate(),
    ]);
    this.run(this.#opening);
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  async recruit(kind: MadePrincipal['kind']): Promise<MadePrincipal | undefined> {
    const name = `mortal-${this.#random.next()}`;
    const principal = await this.#stage.admin.create(kind, name, 'worker');
    if (principal !== undefined) this.join(principal);
    return principal;
  }

  retire(principal: MadePrincipal): void {
    this.#ended.add(principal);
  }

  async stop(): Promise<void> {
    while (this.#unopened !== undefined) await sleep(50);
    await Promise.race([this.#opening, sleep(ROUND_MS, undefined, { ref: false })]);
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async administer(): Promise<void> {
    while (!this.#stopped) {
      if (this.#unopened === undefined) await this.#changeSomething();
      else await this.#openLate(this.#unopened);
      await this.#pause(200, 600);
    }
  }

  /** What chance has taken is given back first. */
  async #openLate(gates: readonly Gate[]): Promise<void> {
    while (this.#isSuspended && !this.#stopped) await this.#toggleServer();
    while (this.#isNarrow && !this.#stopped) await this.#toggleRole();
    this.open(gates);
    this.#unopened = undefined;
  }

  async #changeSomething(): Promise<void> {
    const { admin } = this.#stage;
    const changes: (() => Promise<unknown>)[] = [];
    if (this.#isRoleFree) changes.push(() => this.#toggleRole());
    if (this.#isServerFree) changes.push(() => this.#toggleServer());
    if (this.#mortal.length < AT_A_TIME && this.callers.length < MOST_CALLERS)
      changes.push(
        () => this.#create('AGENT'),
        () => this.#create('AGENT'),
        () => this.#create('USER'),
      );
    if (this.#mortal.length > 1)
      changes.push(
        () =>
          this.#take(
            () => true,
            (principal) => admin.revokeKey(principal),
          ),
        () =>
          this.#take(
            () => true,
            (principal) => admin.revokeRole(principal, ALWAYS_WORKERS),
          ),
      );
    if (this.#mortal.some(isPerson))
      changes.push(() => this.#take(isPerson, (person) => admin.deactivate(person)));
    if (changes.length > 0) await this.#random.pick(changes)();
  }

  async #create(kind: MadePrincipal['kind']): Promise<void> {
    const principal = await this.recruit(kind);
    if (principal !== undefined) this.#mortal.push(principal);
  }

  async #take(
    isMeant: (principal: MadePrincipal) => boolean,
    revoke: (principal: MadePrincipal) => Promise<unknown>,
  ): Promise<void> {
    const principal = this.#random.pick(this.#mortal.filter(isMeant));
    this.#mortal.splice(this.#mortal.indexOf(principal), 1);
    await revoke(principal);
    this.retire(principal);
  }

  async #toggleRole(): Promise<void> {
    const { admin } = this.#stage;
    const { outcome } = await (this.#isNarrow ? widenWorkers(admin) : narrowWorkers(admin));
    if (outcome.kind !== 'refused') this.#isNarrow = !this.#isNarrow;
  }

  async #toggleServer(): Promise<void> {
    const { admin } = this.#stage;
    const asked = this.#isSuspended ? admin.resume(SHAKY) : admin.suspend(SHAKY);
    const { outcome } = await asked;
    // Of an unknown outcome the other way is tried next: refused where it did not happen, it does no harm.
    if (outcome.kind !== 'refused' || outcome.code === 'server-state-wrong')
      this.#isSuspended = !this.#isSuspended;
  }

  async #callAt(gate: Gate, principal: MadePrincipal): Promise<void> {
    const random = seeded(this.#random.below(1_000_000_000));
    const caller = this.#stage.caller(principal, gate);
    while (!this.#stopped) {
      const server = random.pick([STEADY, STEADY, SHAKY]);
      if (random.below(20) === 0) await caller.tools();
      else if (random.below(2) === 0) await caller.call(server, 'put', 'write');
      else await caller.call(server, 'look', 'read');
      // Who is out stays and asks now and then: it must not come back.
      const isOut = this.#ended.has(principal);
      await this.#pause(isOut ? 300 : 20, isOut ? 600 : 100, random);
    }
    caller.close();
  }

  async #pause(from: number, to: number, random = this.#random): Promise<void> {
    await sleep(from + random.below(to - from));
  }
}
