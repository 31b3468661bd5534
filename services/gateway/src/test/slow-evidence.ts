import { eventually } from '@gatehouse/testing';
import type { Evidence, RecordDraft } from '../evidence/evidence.ts';

/** Real evidence behind a gate that time stands still at: what is recorded waits until it is let go. */
export class SlowEvidence implements Evidence {
  readonly #evidence: Evidence;
  #held: (() => void)[] | undefined;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  get inDoubt(): boolean {
    return this.#evidence.inDoubt;
  }

  refuseIfBroken(): void {
    this.#evidence.refuseIfBroken();
  }

  async record(draft: RecordDraft): Promise<void> {
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    await this.#evidence.record(draft);
  }

  hold(): void {
    this.#held = [];
  }

  /** Resolves when so many records wait. */
  waiting(count: number): Promise<void> {
    return eventually(() => {
      if (this.#held?.length !== count) throw new Error(`${this.#held?.length} records wait`);
    });
  }

  release(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const go of held ?? []) go();
  }
}
