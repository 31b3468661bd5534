/** How the first administrator's token reaches the operator. */
export interface TokenHandover {
  /** The token that was handed over and is still there; undefined when none is. */
  find(): Promise<string | undefined>;
  /** Resolves when the token will be there after a crash, whole, and for nobody but the operator to read. */
  deliver(token: string): Promise<void>;
}
