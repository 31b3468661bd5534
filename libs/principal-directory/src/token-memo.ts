import { parseToken } from './key-token.ts';

const MAX_TOKENS = 10_000;

/** A token taken apart, its digest ready to be compared. */
export interface KnownToken {
  readonly keyId: string;
  readonly digest: Buffer;
}

/** Spares hashing the tokens that calls keep coming with. Only tokens that were accepted are kept, so that nobody without a key can fill it. */
export class TokenMemo {
  readonly #tokens = new Map<string, KnownToken>();
  readonly #limit: number;

  constructor(limit = MAX_TOKENS) {
    this.#limit = limit;
  }

  parse(token: string): KnownToken | undefined {
    const known = this.#tokens.get(token);
    if (known !== undefined) return known;
    const parsed = parseToken(token);
    if (parsed === undefined) return undefined;
    return { keyId: parsed.keyId, digest: Buffer.from(parsed.secretSha256, 'hex') };
  }

  keep(token: string, known: KnownToken): void {
    if (this.#tokens.has(token)) return;
    if (this.#tokens.size >= this.#limit) {
      const oldest = this.#tokens.keys().next();
      if (oldest.done !== true) this.#tokens.delete(oldest.value);
    }
    this.#tokens.set(token, known);
  }
}
