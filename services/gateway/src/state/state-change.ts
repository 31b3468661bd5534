import { AppliedTraces } from './applied-traces.ts';

/** What changed since the last time, so that reactors look only where they must. */
export interface StateChange {
  /** Keys of principals (`<kind>:<id>`); a group's key stands for all its members. */
  readonly principals: ReadonlySet<string>;
  readonly policy: boolean;
  /** Slugs of servers. */
  readonly servers: ReadonlySet<string>;
}

/** Reacts to changes of state; answers how much it did, where it counts. */
export type StateListener = (change: StateChange) => number | void;

/** Whoever wants to know what changes. */
export interface ChangeSink {
  principal(key: string): void;
  server(slug: string): void;
  policy(): void;
  /** Names the trace that what was just told belongs to. */
  cause(traceparent: string): void;
}

/** Gathers changes that arrive together, so that a burst of them is reacted to once. */
export class ChangeGatherer implements ChangeSink {
  readonly #listeners: { readonly name: string; readonly listener: StateListener }[] = [];
  readonly #onFailure: (failure: unknown) => void;
  #principals = new Set<string>();
  #servers = new Set<string>();
  #policy = false;
  #scheduled = false;
  #traces = new AppliedTraces();

  constructor(onFailure: (failure: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** By its name a listener is called in traces. */
  onChange(listener: StateListener, name: string): void {
    this.#listeners.push({ name, listener });
  }

  principal(key: string): void {
    this.#principals.add(key);
    this.#schedule();
  }

  server(slug: string): void {
    this.#servers.add(slug);
    this.#schedule();
  }

  policy(): void {
    this.#policy = true;
    this.#schedule();
  }

  cause(traceparent: string): void {
    // A message that changed nothing sets off nothing.
    if (this.#scheduled) this.#traces.note(traceparent);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#announce());
  }

  #announce(): void {
    const change: StateChange = {
      principals: this.#principals,
      policy: this.#policy,
      servers: this.#servers,
    };
    this.#principals = new Set();
    this.#servers = new Set();
    this.#policy = false;
    this.#scheduled = false;
    const traces = this.#traces;
    this.#traces = new AppliedTraces();
    for (const { name, listener } of this.#listeners) {
      // What one reactor fails at must not keep a revocation from the next.
      try {
        traces.react(name, () => listener(change) ?? 0);
      } catch (failure) {
        this.#onFailure(failure);
      }
    }
    traces.end();
  }
}
