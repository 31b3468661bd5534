import type { KeyState } from '@gatehouse/event-catalog';

/** A key in somebody's hands, made ready to be compared. */
export interface HeldKey {
  readonly holder: string;
  readonly keyId: string;
  readonly digest: Buffer;
  /** Milliseconds; not a number, which no moment is before, when the kept text is no date. */
  readonly endsAt: number;
}

/** All keys by id. An id that is held more than once tells nothing of who calls, so it is as good as unknown. */
export class KeyRing {
  readonly #keys = new Map<string, readonly HeldKey[]>();

  add(holder: string, { keyId, secretSha256, notAfter }: KeyState): void {
    const held: HeldKey = {
      holder,
      keyId,
      digest: Buffer.from(secretSha256, 'hex'),
      endsAt: notAfter === null ? Number.POSITIVE_INFINITY : Date.parse(notAfter),
    };
    this.#keys.set(keyId, [...this.#heldAs(keyId), held]);
  }

  remove(holder: string, keyId: string): void {
    const left = this.#heldAs(keyId).filter((held) => held.holder !== holder);
    if (left.length === 0) this.#keys.delete(keyId);
    else this.#keys.set(keyId, left);
  }

  find(keyId: string): HeldKey | undefined {
    const held = this.#keys.get(keyId);
    return held?.length === 1 ? held[0] : undefined;
  }

  holdersOf(keyId: string): string[] {
    return this.#heldAs(keyId).map(({ holder }) => holder);
  }

  #heldAs(keyId: string): readonly HeldKey[] {
    return this.#keys.get(keyId) ?? [];
  }
}
