import { classKey } from './class-key.ts';
import type { CompiledLine, CompiledRole } from './compile.ts';
import type { Decision } from './decision.ts';
import { matchesGlob } from './glob.ts';

const MAX_ENTRIES = 100_000;
// Longer names than a catalogue can hold come from callers, who shall not fill the memo with them.
const MAX_NAME_LENGTH = 128;

/** Both decisions of one tool, for either class it may have. */
export interface ToolDecisions {
  readonly read: Decision;
  readonly write: Decision;
}

/** What the roles of one class say of one server: lines in winning order, role by role, roles by name. */
export interface ServerView {
  readonly roles: readonly CompiledRole[];
  readonly lines: readonly (readonly CompiledLine[])[];
  readonly tools: Map<string, ToolDecisions>;
}

interface ClassView {
  readonly roles: readonly CompiledRole[];
  readonly servers: Map<string, ServerView>;
}

/** Decisions already made, by principal class, server and tool. Bounded; holds nothing that cannot be computed again. */
export class DecisionMemo {
  readonly #roles: ReadonlyMap<string, CompiledRole>;
  #classes = new Map<string, ClassView>();
  // A frozen list cannot change its meaning, so it is known by identity: no sorting on the path of a call.
  #lists = new WeakMap<readonly string[], ClassView>();
  #entries = 0;

  constructor(roles: ReadonlyMap<string, CompiledRole>) {
    this.#roles = roles;
  }

  viewOf(roles: readonly string[], server: string): ServerView {
    const ofClass = this.#lists.get(roles) ?? this.#classOf(roles);
    const known = ofClass.servers.get(server);
    if (known !== undefined) return known;
    const view: ServerView = {
      roles: ofClass.roles,
      lines: ofClass.roles.map((role) =>
        role.lines.filter((line) => matchesGlob(line.connector, server)),
      ),
      tools: new Map(),
    };
    if (server.length <= MAX_NAME_LENGTH) {
      ofClass.servers.set(server, view);
      this.#count();
    }
    return view;
  }

  remember(view: ServerView, tool: string, decisions: ToolDecisions): void {
    if (tool.length > MAX_NAME_LENGTH) return;
    view.tools.set(tool, decisions);
    this.#count();
  }

  #classOf(roles: readonly string[]): ClassView {
    const key = classKey(roles);
    let ofClass = this.#classes.get(key);
    if (ofClass === undefined) {
      const known = [...new Set(roles)].toSorted().flatMap((name) => this.#roles.get(name) ?? []);
      ofClass = { roles: known, servers: new Map() };
      this.#classes.set(key, ofClass);
      this.#count();
    }
    if (Object.isFrozen(roles)) this.#lists.set(roles, ofClass);
    return ofClass;
  }

  #count(): void {
    this.#entries += 1;
    if (this.#entries <= MAX_ENTRIES) return;
    this.#classes = new Map();
    this.#lists = new WeakMap();
    this.#entries = 0;
  }
}
