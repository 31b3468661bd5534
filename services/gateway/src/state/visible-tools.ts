import { qualify, splitQualifiedName } from '@gatehouse/mcp-protocol';
import type { CallingPrincipal } from '@gatehouse/principal-directory';
import type { Endpoint } from '../entrance/endpoint.ts';
import type { GateState } from './gate-state.ts';
import type { ServedTool } from './served-server.ts';

const MAX_ENTRIES = 1_000;

/** The tools that a class of callers sees at an endpoint. */
export interface VisibleTools {
  readonly count: number;
  /** The `result` of tools/list, as it leaves the gate. Equal texts mean equal lists. */
  readonly list: string;
}

/** Answers what is visible where, from memory: one entry for each class of callers and endpoint, for as long as the state stands. */
export class Visibility {
  readonly #state: GateState;
  readonly #entries = new Map<string, VisibleTools>();
  #version = '';

  constructor(state: GateState) {
    this.#state = state;
  }

  of(caller: CallingPrincipal, endpoint: Endpoint): VisibleTools {
    const { version } = this.#state;
    if (version !== this.#version || this.#entries.size >= MAX_ENTRIES) {
      this.#entries.clear();
      this.#version = version;
    }
    // An unknown server takes no memory, else callers could fill it with names they make up.
    if (endpoint.kind === 'server' && !this.#state.servers.has(endpoint.slug)) return NOTHING;
    const key = `${endpoint.path}\n${caller.classKey}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = this.#compute(caller, endpoint);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #compute(caller: CallingPrincipal, endpoint: Endpoint): VisibleTools {
    const definitions = this.#candidates(endpoint)
      .filter((tool) => this.#state.decide(caller, tool).allow)
      .map((tool) =>
        endpoint.kind === 'server'
          ? tool.definition
          : { ...tool.definition, name: qualify(tool.server, tool.name) },
      );
    return { count: definitions.length, list: JSON.stringify({ tools: definitions }) };
  }

  #candidates(endpoint: Endpoint): ServedTool[] {
    const servers =
      endpoint.kind === 'server'
        ? [this.#state.servers.get(endpoint.slug)]
        : [...this.#state.servers.keys()].toSorted().map((slug) => this.#state.servers.get(slug));
    return servers.flatMap((server) => (server?.inService ? [...server.tools.values()] : []));
  }
}

const NOTHING: VisibleTools = { count: 0, list: JSON.stringify({ tools: [] }) };

/** Which tool of which server a name means at an endpoint; undefined where it can mean none. */
export function meaningOf(
  name: string,
  endpoint: Endpoint,
): { readonly slug: string; readonly tool: string } | undefined {
  return endpoint.kind === 'server'
    ? { slug: endpoint.slug, tool: name }
    : splitQualifiedName(name);
}
