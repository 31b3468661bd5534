import { setTimeout as sleep } from 'node:timers/promises';
import type { MadePrincipal, RecordedAdministrator } from './administrator.ts';
import type { Gate } from './caller.ts';
import type { AdminOperation, Call, Restriction } from './history.ts';
import { ACKNOWLEDGED } from './invariants/revoked-stays-out.ts';
import { ROLES, SHAKY, STEADY, type Stage } from './stage.ts';

const EVERY_MS = 100;
/** What `worker` permits whatever else changes. */
export const ALWAYS_WORKERS = { server: STEADY, tool: 'look' } as const;
const WRITES_OF_WORKERS = { server: STEADY, tool: 'put' } as const;

/** Lets those who hold `worker` only read. */
export function narrowWorkers(admin: RecordedAdministrator): Promise<AdminOperation> {
  const modes = { ...ROLES.worker, [STEADY]: 'READ' } as const;
  const restricts = { subject: 'role', of: 'worker', at: WRITES_OF_WORKERS } as const;
  return admin.defineRole('worker', modes, { restricts });
}

/** Lets those who hold `worker` write again. */
export function widenWorkers(admin: RecordedAdministrator): Promise<AdminOperation> {
  return admin.defineRole('worker', ROLES.worker, {
    restores: { subject: 'role', of: 'worker' },
  });
}

/** What the opening round needs of the load that runs beside it. */
export interface RoundHost {
  readonly isStopped: boolean;
  /** A further `worker` that calls at every gate; undefined where it could not be made. */
  recruit(kind: MadePrincipal['kind']): Promise<MadePrincipal | undefined>;
  /** The principal is out from now on. */
  retire(principal: MadePrincipal): void;
}

/** Something that is taken from many, and given back. */
interface Taking {
  /** Whether the call is one that shows it. */
  readonly isOfIt: (call: Call) => boolean;
  readonly take: () => Promise<AdminOperation>;
  readonly giveBack: () => Promise<AdminOperation>;
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
    await this.#take('AGENT', 'key', (principal) => this.#stage.admin.revokeKey(principal));
  }

  async takeRole(): Promise<void> {
    await this.#take('AGENT', 'assignment', (principal) =>
      this.#stage.admin.revokeRole(principal, ALWAYS_WORKERS),
    );
  }

  async deactivate(): Promise<void> {
    await this.#take('USER', 'principal', (person) => this.#stage.admin.deactivate(person));
  }

  /** Nobody else may suspend or resume the server meanwhile. It is let in again at the end. */
  suspendServer(): Promise<void> {
    const { admin, steady } = this.#stage;
    return this.#takeForAWhile('server', {
      isOfIt: isBy(steady[0]!, SHAKY, 'look'),
      take: () => admin.suspend(SHAKY),
      giveBack: () => admin.resume(SHAKY),
    });
  }

  /** Nobody else may change what the role `worker` permits meanwhile. It permits all again at the end. */
  narrowRole(): Promise<void> {
    const { admin, steady } = this.#stage;
    const worker = steady.find(({ role }) => role === 'worker')!;
    return this.#takeForAWhile('role', {
      isOfIt: isBy(worker, STEADY, 'put'),
      take: () => narrowWorkers(admin),
      giveBack: () => widenWorkers(admin),
    });
  }

  async #takeForAWhile(
    subject: Restriction['subject'],
    { isOfIt, take, giveBack }: Taking,
  ): Promise<void> {
    while (!this.#host.isStopped) {
      const since = Date.now();
      await this.#everywhere(
        (call) => isOfIt(call) && call.invokedAt >= since && call.outcome.kind === 'ok',
      );
      const taken = await take();
      const isDone = taken.outcome.kind === 'ok';
      if (isDone) await this.#acknowledged(taken, isOfIt, ACKNOWLEDGED[subject]);
      await this.#untilDone(giveBack);
      if (isDone) return;
    }
  }

  async #untilDone(giveBack: () => Promise<AdminOperation>): Promise<void> {
    while (!this.#host.isStopped) {
      const { outcome } = await giveBack();
      if (outcome.kind === 'ok') return;
      if (outcome.kind === 'refused' && outcome.code === 'server-state-wrong') return;
      await sleep(EVERY_MS);
    }
  }

  async #take(
    kind: MadePrincipal['kind'],
    subject: Restriction['subject'],
    revoke: (principal: MadePrincipal) => Promise<AdminOperation>,
  ): Promise<void> {
    while (!this.#host.isStopped) {
      const principal = await this.#host.recruit(kind);
      if (principal === undefined) {
        await sleep(EVERY_MS);
        continue;
      }
      const looks = isBy(principal, STEADY, 'look');
      await this.#everywhere((call) => looks(call) && call.outcome.kind === 'ok');
      const revocation = await revoke(principal);
      const isDone = revocation.outcome.kind === 'ok';
      if (isDone) await this.#acknowledged(revocation, looks, ACKNOWLEDGED[subject]);
      this.#host.retire(principal);
      if (isDone) return;
    }
  }

  #acknowledged(
    { invokedAt }: AdminOperation,
    isOfIt: (call: Call) => boolean,
    words: ReadonlySet<string>,
  ): Promise<void> {
    return this.#everywhere(
      (call) =>
        isOfIt(call) &&
        call.invokedAt >= invokedAt &&
        call.outcome.kind === 'refused' &&
        words.has(call.outcome.code),
    );
  }

  /** Until every gate has answered a call so; or the load ends. */
  async #everywhere(isSo: (call: Call) => boolean): Promise<void> {
    const open = new Set(this.#gates.map(({ node }) => node));
    while (open.size > 0 && !this.#host.isStopped) {
      for (const call of this.#stage.history.calls)
        if (open.has(call.node) && isSo(call)) open.delete(call.node);
      if (open.size > 0) await sleep(EVERY_MS);
    }
  }
}

function isBy({ name }: MadePrincipal, server: string, tool: string): (call: Call) => boolean {
  return (call) => call.caller === name && call.server === server && call.tool === tool;
}
