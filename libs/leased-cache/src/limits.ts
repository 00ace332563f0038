/** The bounds of a cache. */
export interface LeaseLimits {
  /** Part of the lease that is given up for a clock that runs slow: ten times what NTP lets a clock drift. */
  readonly drift: number
  /** Answers kept: active ones, and inactive ones apart, so that whoever tries tokens out displaces nothing. */
  readonly entries: number
  readonly negativeEntries: number
  /** Bytes of both, as estimated. */
  readonly bytes: number
  /** Milliseconds for which an answer is kept at most: what no fact tells of (a caller's rights) takes effect by then. */
  readonly keptMs: number
  /** The same for inactive answers. */
  readonly negativeKeptMs: number
  /** Facts that answers are checked against; whoever was not asked for while so many came is asked about anew. */
  readonly windowFacts: number
  /** Facts of one partition that are passed on to who is behind. */
  readonly trailFacts: number
  /** Pushes of one partition that wait for one before them. */
  readonly pushesAhead: number
  /** Probes whose answers are still waited for; older ones do not count any more. */
  readonly openProbes: number
  /** Bytes of an entry besides its key and value, by measurement. */
  readonly entryBytes: number
}

export const leaseLimits: LeaseLimits = {
  drift: 0.005,
  entries: 100_000,
  negativeEntries: 10_000,
  bytes: 64 * 1_024 * 1_024,
  keptMs: 60_000,
  negativeKeptMs: 10_000,
  windowFacts: 65_536,
  trailFacts: 10_000,
  pushesAhead: 1_000,
  openProbes: 16,
  entryBytes: 228,
}

/** A lease is renewed four times in its length: an answer may come one interval late, and another may be lost. */
const probesPerLease = 4
/** Milliseconds between probes at least: a shorter lease runs out, and what it would have answered is asked instead. */
const leastProbeIntervalMs = 20

/** Milliseconds between two probes of a cache with this bound. */
export const probeIntervalMs = (maxStalenessMs: number): number =>
  Math.max(leastProbeIntervalMs, Math.floor(maxStalenessMs / probesPerLease))

/** Texts of each kind that are kept once; beyond that it begins anew, and what was kept before stays with whoever has it. */
export const sharedTexts = 10_000
/** Characters, as JSON, of data that is kept once: few have what is longer in common, and it counts with the answer that it is in. */
export const sharedCharacters = 1_024
