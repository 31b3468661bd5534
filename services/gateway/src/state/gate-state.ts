import type { ToolClass } from '@gatehouse/event-catalog';
import { decide, type Decision } from '@gatehouse/policy-engine';
import {
  principalKey,
  type CallingPrincipal,
  type PrincipalDirectory,
} from '@gatehouse/principal-directory';
import type { ServedServer, ServedTool } from './served-server.ts';
import { ChangeGatherer, type StateListener } from './state-change.ts';
import { StateFold, type Doubt, type FoldDeps } from './state-fold.ts';

/** All that the gate decides by, folded from the three state topics; and whether it may decide at all. */
export class GateState {
  readonly #deps: FoldDeps;
  readonly #changes: ChangeGatherer;
  #fold: StateFold;
  #generation = 1;
  #isClosed = false;

  constructor(deps: FoldDeps) {
    this.#deps = deps;
    this.#changes = new ChangeGatherer((failure) =>
      deps.log.error({ err: failure }, 'a reactor to a change of state failed'),
    );
    this.#fold = this.newFold();
    this.#fold.tell(this.#changes);
  }

  /** What is decided by now. */
  get fold(): StateFold {
    return this.#fold;
  }

  /** One that knows nothing yet, to take the place of the present one. */
  newFold(): StateFold {
    return new StateFold(this.#deps);
  }

  /** Decides by another fold from now on, and has everything looked at again that rests on the one before. */
  adopt(fold: StateFold): void {
    const before = this.#fold;
    before.tell(undefined);
    fold.tell(this.#changes);
    this.#fold = fold;
    this.#generation += 1;
    this.#changes.policy();
    for (const { directory, servers } of [before, fold]) {
      for (const ref of directory.callers()) this.#changes.principal(principalKey(ref));
      for (const slug of servers.keys()) this.#changes.server(slug);
    }
  }

  /** From here on nothing is let in. */
  close(): void {
    this.#isClosed = true;
  }

  /** Why nothing may be decided now: a gate that cannot know refuses. Undefined while it knows. */
  doubt(): Doubt | undefined {
    const doubt = this.#fold.doubt();
    return this.#isClosed && doubt?.code !== 'state-stale' ? CLOSED : doubt;
  }

  get directory(): PrincipalDirectory {
    return this.#fold.directory;
  }

  get bundleNumber(): number | null {
    return this.#fold.bundle?.number ?? null;
  }

  /** Names the state that a list of visible tools follows from, but for the caller's class. */
  get version(): string {
    const { bundle, catalogueVersion } = this.#fold;
    return `${this.#generation}.${bundle?.number ?? 0}.${catalogueVersion}`;
  }

  get servers(): ReadonlyMap<string, ServedServer> {
    return this.#fold.servers;
  }

  tool(slug: string, name: string): ServedTool | undefined {
    return this.servers.get(slug)?.tools.get(name);
  }

  /** The one decision that listing and calling share. */
  decide(
    caller: CallingPrincipal,
    tool: { readonly server: string; readonly name: string; readonly class: ToolClass },
  ): Decision {
    const { bundle } = this.#fold;
    if (bundle === null) return NOT_LOADED;
    return decide(bundle.policy, {
      roles: caller.roles,
      server: tool.server,
      tool: tool.name,
      toolClass: tool.class,
    });
  }

  onChange(listener: StateListener, name = 'gateway.react'): void {
    this.#changes.onChange(listener, name);
  }
}

const CLOSED: Doubt = {
  code: 'not-ready',
  why: 'the gate is stopping',
  waitingFor: 'gateway state',
};

const NOT_LOADED: Decision = Object.freeze({
  allow: false,
  reason: {
    code: 'no-role',
    text: 'No policy is loaded, so nothing is granted.',
    role: null,
    connector: null,
    pattern: null,
    mode: null,
  },
} as const);
