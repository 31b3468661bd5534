/** What changed since the last time, so that reactors look only where they must. */
export interface StateChange {
  /** Keys of principals (`<kind>:<id>`); a group's key stands for all its members. */
  readonly principals: ReadonlySet<string>;
  readonly policy: boolean;
  /** Slugs of servers. */
  readonly servers: ReadonlySet<string>;
}

/** Reacts to changes of state; must not throw. */
export type StateListener = (change: StateChange) => void;

/** Gathers changes that arrive together, so that a burst of them is reacted to once. */
export class ChangeGatherer {
  readonly #listeners: StateListener[] = [];
  #principals = new Set<string>();
  #servers = new Set<string>();
  #policy = false;
  #scheduled = false;

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
    for (const listener of this.#listeners) listener(change);
  }
}
