/** What a process still waits for. It is ready when nothing is left; it says so at `/health/ready` and refuses work until then. */
export interface Readiness {
  /** Announces something to wait for; `done` may be called once it is there, and `again` when it is lost. */
  waitFor(name: string): { done(): void; again(): void };
  /** Asks, whenever somebody looks, what is waited for; nothing while the answer is undefined. For what may be lost with time alone. */
  waitWhile(missing: () => string | undefined): void;
  readonly pending: readonly string[];
}

/** A readiness that starts with nothing to wait for. */
export function createReadiness(): Readiness {
  const pending = new Set<string>();
  const questions: (() => string | undefined)[] = [];
  return {
    waitFor(name) {
      pending.add(name);
      return { done: () => void pending.delete(name), again: () => void pending.add(name) };
    },
    waitWhile(missing) {
      questions.push(missing);
    },
    get pending() {
      return [...pending, ...questions.flatMap((missing) => missing() ?? [])].toSorted();
    },
  };
}
