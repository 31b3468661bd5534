import type { PartitionEnd } from './message-log.ts';

/** How far every partition reaches, as far as this process knows; whoever reads waits here for more. */
export class HighMarks {
  readonly #marks = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  of(topic: string, partition: number): number {
    return this.#marks.get(`${topic}/${partition}`) ?? 0;
  }

  raise(ends: readonly PartitionEnd[]): void {
    for (const { topic, partition, next } of ends) {
      const place = `${topic}/${partition}`;
      if (next <= (this.#marks.get(place) ?? 0)) continue;
      this.#marks.set(place, next);
      this.wake(topic);
    }
  }

  /** Lets whoever waits for the topic look again. */
  wake(topic: string): void {
    for (const wake of this.#waiting.get(topic) ?? []) wake();
  }

  /** After the connection was lost the server may be another one, restored to an earlier time. */
  forget(): void {
    this.#marks.clear();
  }

  /** Resolves when `ready` says so; it is asked again whenever the topic has grown. Rejects never: an abort resolves too. */
  async until(topic: string, signal: AbortSignal, ready: () => boolean): Promise<void> {
    while (!ready() && !signal.aborted) await this.#nextChange(topic, signal);
  }

  async #nextChange(topic: string, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(topic) ?? new Set();
    this.#waiting.set(topic, waiting);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
