/** The bounds of the signing keys as they are read. */
export const limits = {
  /** Milliseconds for which the keys are used without reading them again; they are published for longer before use. */
  refreshMs: 10_000,
  /** Milliseconds between two readings whatever is asked: a flood of unknown key ids costs one reading in this time. */
  leastRefreshMs: 1_000,
  /** Characters of a JWS that is verified; none of ours is as long. */
  jwsCharacters: 16_384,
} as const
