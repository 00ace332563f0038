/** The bounds of the benchmark room. */
export const limits = {
  /** Seconds of one round. */
  seconds: { least: 1, most: 3_600, usual: 10 },
  /** Connections, or calls at once. */
  concurrency: { least: 1, most: 10_000 },
  rounds: { least: 1, most: 100, usual: 3 },
  /** Tokens that `memory-per-token` fills in. */
  tokens: { least: 10_000, most: 20_000_000, usual: 1_000_000 },
  /** Connections of the HTTP generator unless told otherwise: what `docs/benchmarks.md` reports. */
  httpConnections: 32,
  /** Unary gRPC calls at once unless told otherwise. */
  grpcCalls: 50,
  /** Batches at once unless told otherwise. */
  grpcBatches: 8,
  /** gRPC generator processes: with more, they take the processor from the server on a small machine. */
  grpcGenerators: 1,
  /** Tokens in a batch. */
  batchTokens: 100,
  /** Questions on one stream that are not answered yet. */
  streamWindow: 256,
  /** Answers that the SDK keeps in `sdk-cached`: all of them. */
  cacheEntries: 100_000,
  /** JWT verifications at once: with more, WebCrypto's threads have enough to do. */
  joseAtOnce: 32,
  cacheMemory: {
    entries: 100_000,
    scannedTokens: 1_000_000,
    /** What an answer may take. */
    bytesPerEntry: 600,
    /** What a million unknown tokens may leave behind, beyond what the first 20,000 did. */
    scanBytes: 4 * 1_048_576,
  },
  lag: {
    /** Caches that watch, in turn. */
    caches: [1, 100, 1_000],
    /** Processes that they are in: a machine of two processors runs no thousand. */
    processes: 2,
    revocations: 50,
    warmUp: 10,
    revocationsWithoutNats: 10,
    /** Milliseconds before each revocation, so that it comes at any time between two probes. */
    pauseMs: 37,
    /** Milliseconds that all caches have to answer one question. */
    answerMs: 60_000,
    /** Milliseconds for which readings of the store are counted, and between two probes at the usual `max_staleness`. */
    readingsMs: 5_000,
    probeIntervalMs: 250,
    /** Part by which timers may make it more. */
    readingsTolerance: 0.06,
    p99BoundsMs: { 100: 5, 1_000: 25 },
    /** The usual `max_staleness`. */
    boundMs: 1_000,
  },
  /** Refresh tokens that each person has, used in turn: some thousand families at the usual concurrency. */
  familiesEach: 32,
  /** Different tokens that introspection rotates over: more than any one cache line, fewer than a cache could refuse. */
  rotatedTokens: 10_000,
  /** Of a million tokens, this many are asked about, evenly spread. */
  sampledTokens: 100_000,
  /** Seconds of load before the first round that count for nothing: time for the compilers. */
  warmUpSeconds: 4,
  /** Milliseconds that a child has to announce itself. */
  childReadyMs: 20_000,
  /** Milliseconds that a child has to announce itself when it gets its refresh tokens first. */
  familiesReadyMs: 60_000,
  /** Milliseconds that a child has to end by itself before it is killed. */
  childEndMs: 3_000,
  /** Milliseconds in which a signal to all of us reaches each. */
  signalMs: 100,
  /** Milliseconds beyond the time asked for after which a generator counts as hung. */
  generatorGraceMs: 30_000,
  /** Milliseconds that one verified answer may take. */
  answerMs: 10_000,
  /** Milliseconds that the journal has to catch up between rounds. */
  settleMs: 300_000,
  /** Milliseconds between two looks at what has to be quiet. */
  settleEveryMs: 50,
  /** Milliseconds between two looks at the outbox. */
  backlogEveryMs: 500,
  /** Processors kept busy by others above which figures are worth little. */
  othersCores: 0.2,
  /** Part of what was issued that the outbox may hold more at the end of a round than at its middle. */
  backlogGrowth: 0.02,
  /** Part by which bytes per answer may differ from the verified answer: what is in flight at the end. */
  answerBytesDrift: 0.01,
  /** The same for a revocation's answer, whose revision has more digits as the log grows. */
  revisionDrift: 0.05,
  /** Commits at once while filling: enough for Redis to share fsyncs among. */
  fillAtOnce: 64,
  /** Milliseconds that one of them may take: filling is in a hurry, and so is every other part of it. */
  fillCommitMs: 30_000,
  /** Tokens made ready for a round that uses each once, as a multiple of what the last round used. */
  onceReserve: 1.6,
  /** Tokens per second to be ready for when nothing was measured yet. */
  onceFirstGuess: 25_000,
  /** Of the tokens revoked in a round, this many are asked about afterwards. */
  revokedSample: 50,
  /** Milliseconds after which the store has forgotten commit ids (two generations of 60 s), and a margin. */
  commitIdsForgottenMs: 130_000,
} as const
