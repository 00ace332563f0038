/** The bounds of a verifier, unless told otherwise. */
export const limits = {
  /** Milliseconds for which an answer may be given again without proof that it still holds. */
  maxStalenessMs: 1_000,
  /** Least and most of that; less would only ask for ever, and 0 always asks. */
  staleness: { leastMs: 80, mostMs: 600_000 },
  /** Milliseconds that a question may take, asking again included. */
  deadlineMs: 2_000,
  longestDeadlineMs: 600_000,
  /** Times that a question is put, the first included: another replica may answer where one has gone. */
  attempts: 3,
  /** Milliseconds before a question is put again, doubling; the wait is random below it. */
  againMs: 20,
  /** Questions put again: what each question earns, and what is saved up at most: as many as one lost stream may leave. */
  againsPerQuestion: 0.2,
  mostAgains: 1_000,
  /** Questions in one message. */
  questionsPerMessage: 200,
  /** Questions not answered yet; further ones fail at once. */
  openQuestions: 10_000,
  /** Characters of a token: longer ones are not asked about. */
  tokenCharacters: 4_096,
  /** Milliseconds between attempts to watch: the first, and the longest after doubling; random below them. */
  watchAgainMs: 100,
  longestWatchAgainMs: 5_000,
  /** Milliseconds, and probes at least, without an answer, after which a stream is given up: its replica may hang. */
  watchSilenceMs: 10_000,
  watchSilentProbes: 4,
  /** Milliseconds for which acknowledgements of facts are gathered: from this to twice as long, not all caches at once. */
  acknowledgeMs: 25,
  /** Bytes of what is kept of a token, by measurement. */
  knownTokenBytes: 279,
  /** Answers kept, and bytes for each of them: more than most take, so that long tokens are what it bounds. */
  cacheEntries: 100_000,
  mostCacheEntries: 10_000_000,
  bytesPerEntry: 640,
} as const
