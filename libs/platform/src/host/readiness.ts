/** What a process still waits for. It is ready when nothing is left; it says so at `/health/ready` and refuses work until then. */
export interface Readiness {
  /** Announces something to wait for; `done` may be called once it is there, and `again` when it is lost. */
  waitFor(name: string): { done(): void; again(): void };
  readonly pending: readonly string[];
}

/** A readiness that starts with nothing to wait for. */
export function createReadiness(): Readiness {
  const pending = new Set<string>();
  return {
    waitFor(name) {
      pending.add(name);
      return { done: () => void pending.delete(name), again: () => void pending.add(name) };
    },
    get pending() {
      return [...pending].toSorted();
    },
  };
}
