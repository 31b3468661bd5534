/** What changed since the last time, so that reactors look only where they must. */
export interface StateChange {
  /** Keys of principals (`<kind>:<id>`); a group's key stands for all its members. */
  readonly principals: ReadonlySet<string>;
  readonly policy: boolean;
  /** Slugs of servers. */
  readonly servers: ReadonlySet<string>;
}

/** Reacts to changes of state. */
export type StateListener = (change: StateChange) => void;

/** Whoever wants to know what changes. */
export interface ChangeSink {
  principal(key: string): void;
  server(slug: string): void;
  policy(): void;
}

/** Gathers changes that arrive together, so that a burst of them is reacted to once. */
export class ChangeGatherer implements ChangeSink {
  readonly #listeners: StateListener[] = [];
  readonly #onFailure: (failure: unknown) => void;
  #principals = new Set<string>();
  #servers = new Set<string>();
  #policy = false;
  #scheduled = false;

  constructor(onFailure: (failure: unknown) => void) {
    this.#onFailure = onFailure;
  }

  onChange(listener: StateListener): void {
    this.#listeners.push(listener);
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
    for (const listener of this.#listeners) {
      // What one reactor fails at must not keep a revocation from the next.
      try {
        listener(change);
      } catch (failure) {
        this.#onFailure(failure);
      }
    }
  }
}
