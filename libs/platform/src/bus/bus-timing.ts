/** How patient the bus is; tests make it less so. */
export interface BusTiming {
  /** How often it looks for messages that no notification told of. */
  readonly pollMs: number;
  /** How often a member shows that it lives, and after which silence it is taken for dead. */
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  /** Waiting after a failed attempt: doubles from the first up to the cap. */
  readonly retryFirstMs: number;
  readonly retryCapMs: number;
  /** How often a partition that stands still tries again, in case the cause has been mended. */
  readonly stallRetryMs: number;
}

export const defaultTiming: BusTiming = {
  pollMs: 250,
  heartbeatMs: 2_000,
  leaseMs: 10_000,
  retryFirstMs: 50,
  retryCapMs: 5_000,
  stallRetryMs: 5_000,
};
