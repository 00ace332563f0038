/** The bounds of the introspection service. */
export const limits = {
  /** Milliseconds between two tries to read whether a caller is disabled. */
  standingAskedMs: 1_000,
  /** Characters of the target of a request that a gateway asks about: longer than servers take. */
  originalUriCharacters: 16_384,
  /** Questions in one batch, and in one message of a stream. */
  batchQuestions: 1_000,
  /** Characters of a `min_revision`: one of every partition. */
  minRevisionCharacters: 6_144,
  /** Milliseconds between two readings of the heads of the logs when something is known to be missing. */
  hastyReadingMs: 20,
  /** Milliseconds that a watching cache may ask for as its bound. */
  watcherStalenessMs: { least: 80, most: 600_000 },
  /** Part by which a watching cache's clock may run slower than ours: its lease is counted longer by that. */
  clockDrift: 0.01,
  /** Caches that watch one replica; each costs a stream, and a message a fact. */
  watchers: 10_000,
  /** Answers to probes that are given at once; the part of an interval over which more are spread, and milliseconds between. */
  answersATurn: 20,
  answersSpread: 0.5,
  leastAnswersPauseMs: 2,
  /** Characters of a watching cache's name. */
  watcherNameCharacters: 100,
  /** Requests of a watching cache that wait for its authentication. */
  unauthenticatedRequests: 16,
  /** Revisions for which it is remembered when they were learned, and how fast the caches had them. */
  revisionsRemembered: 10_000,
  /** Revisions that one acknowledgement counts for, at most. */
  revisionsPerAcknowledgement: 1_000,
  /** Silent caches that are named in one answer. */
  silentNamed: 100,
  /** Milliseconds that other replicas have to say how far their caches are. */
  surveyMs: 250,
} as const
