/** The bounds of the introspection service. */
export const limits = {
  /** Questions in one batch. */
  batchQuestions: 1_000,
} as const
