import {
  catalogueStateSchema,
  isBeat,
  policyStateSchema,
  topics,
  type ToolClass,
} from '@gatehouse/event-catalog';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import { positionOf, type Logger } from '@gatehouse/platform';
import { compile, decide, type CompiledPolicy, type Decision } from '@gatehouse/policy-engine';
import {
  parsePrincipalMessage,
  PrincipalDirectory,
  principalKey,
  type CallingPrincipal,
} from '@gatehouse/principal-directory';
import { servedServer, type ServedServer, type ServedTool } from './served-server.ts';
import { ChangeGatherer, type StateListener } from './state-change.ts';

interface Bundle {
  readonly number: number;
  readonly policy: CompiledPolicy;
}

/**
 * All that the gate decides by, folded from the three state topics. A message that cannot be read takes away what it
 * speaks of: nothing is granted on the strength of a value that a newer, illegible one has replaced.
 */
export class GateState {
  readonly directory = new PrincipalDirectory();
  readonly #log: Logger;
  readonly #changes: ChangeGatherer;
  readonly #positions = new Map<string, number>();
  readonly #servers = new Map<string, ServedServer>();
  #bundle: Bundle | null = null;
  #catalogueVersion = 0;
  #caughtUp = false;

  constructor(log: Logger) {
    this.#log = log;
    this.#changes = new ChangeGatherer((failure) =>
      log.error({ err: failure }, 'a reactor to a change of state failed'),
    );
    this.directory.onChange((affected) => {
      for (const ref of affected) this.#changes.principal(principalKey(ref));
    });
  }

  /** Everything that was there at the start has been folded. */
  markCaughtUp(): void {
    this.#caughtUp = true;
  }

  /** From here on nothing is let in. */
  close(): void {
    this.#caughtUp = false;
  }

  get ready(): boolean {
    return this.#caughtUp && this.#bundle !== null;
  }

  get bundleNumber(): number | null {
    return this.#bundle?.number ?? null;
  }

  /** Names the state that a list of visible tools follows from, but for the caller's class. */
  get version(): string {
    return `${this.#bundle?.number ?? 0}.${this.#catalogueVersion}`;
  }

  get servers(): ReadonlyMap<string, ServedServer> {
    return this.#servers;
  }

  tool(slug: string, name: string): ServedTool | undefined {
    return this.#servers.get(slug)?.tools.get(name);
  }

  /** The one decision that listing and calling share. */
  decide(
    caller: CallingPrincipal,
    tool: { readonly server: string; readonly name: string; readonly class: ToolClass },
  ): Decision {
    if (this.#bundle === null) return NOT_LOADED;
    return decide(this.#bundle.policy, {
      roles: caller.roles,
      server: tool.server,
      tool: tool.name,
      toolClass: tool.class,
    });
  }

  onChange(listener: StateListener): void {
    this.#changes.onChange(listener);
  }

  /** Folds one message of a state topic. */
  apply(message: IncomingMessage): void {
    const { topic, key } = message;
    if (isBeat(message)) return;
    if (key === null) return this.#log.error({ topic }, 'a state message without key is ignored');
    const position = this.#read(message, () => positionOf(message));
    // Without a position nothing can be called newer: the entity stays away until a restart reads better.
    if (position === undefined)
      this.#fold({ ...message, value: null }, key, Number.POSITIVE_INFINITY);
    else this.#fold(message, key, position);
  }

  #fold(message: IncomingMessage, key: string, position: number): void {
    if (message.topic === topics.principalsState.name) {
      const value = this.#read(message, () => parsePrincipalMessage(key, message.value));
      return this.directory.apply(key, value ?? null, position);
    }
    const entity = `${message.topic}/${key}`;
    if (position <= (this.#positions.get(entity) ?? -1)) return;
    this.#positions.set(entity, position);
    if (message.topic === topics.policyState.name) this.#applyPolicy(message);
    else if (message.topic === topics.catalogueState.name) this.#applyServer(key, message);
  }

  #applyPolicy(message: IncomingMessage): void {
    // Readiness is lost for as long as no legible policy is there.
    const bundle = this.#read(message, () => {
      const state = policyStateSchema.parse(json(message));
      return { number: state.number, policy: compile(state.roles) };
    });
    this.#bundle = bundle ?? null;
    this.#changes.policy();
  }

  #applyServer(slug: string, message: IncomingMessage): void {
    const server =
      message.value === null
        ? undefined
        : this.#read(message, () => {
            const state = catalogueStateSchema.parse(json(message));
            if (state.slug !== slug) throw new Error(`it speaks of ${state.slug}`);
            return servedServer(state);
          });
    if (server === undefined) this.#servers.delete(slug);
    else this.#servers.set(slug, server);
    this.#catalogueVersion += 1;
    this.#changes.server(slug);
  }

  #read<T>(message: IncomingMessage, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      const { topic, key, offset } = message;
      this.#log.error(
        { topic, key, offset, err: error },
        'illegible state: the entity is taken away',
      );
      return undefined;
    }
  }
}

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

function json(message: IncomingMessage): unknown {
  return JSON.parse(message.value?.toString('utf8') ?? 'null');
}
