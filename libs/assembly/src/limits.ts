/** The bounds of putting a process together. */
export const limits = {
  /** Milliseconds that login waits for token-issuer. */
  tokenIssuerMs: 5_000,
  /** Milliseconds before a dependency that is down at the start is tried again: at first, and at most. */
  firstRetryMs: 100,
  lastRetryMs: 3_000,
  /** Milliseconds that requests in flight may take to finish once the process was told to stop. */
  graceMs: 10_000,
} as const
