/** Partitions at most: a partition's number is one byte of every token, and more than 64 only cost connections. */
export const maxPartitions = 64

/** Bytes of a key's or listing's name: a link's length is one byte, and tokens are found by 43 characters. */
export const maxNameBytes = 200

/** Bytes of one entry's value: records are small; whoever needs more wants another store. */
export const maxValueBytes = 65_536

/** Links of one entry: a token has four (grant, session, subject, client). */
export const maxLinks = 16

/** Listings that hold one entry. */
export const maxListings = 16

/** Checks, puts, deletes, events or facts in one commit: a commit holds Redis (one thread) for its whole length. */
export const maxCommitItems = 256

/** Bytes of one encoded event: far under what a NATS message may have (1 MiB). */
export const maxEventBytes = 32_768

/** Bytes of a fact's id: long enough for any client id or subject. */
export const maxFactIdBytes = 256

/** Bytes of everything in one commit, for the same reason as its items. */
export const maxCommitBytes = 1_048_576

/** Entries of one page, outbox entries of one read, keys of one get: what may be held in memory for one caller. */
export const maxPageEntries = 1_000
export const maxOutboxEntries = 10_000
export const maxGetKeys = 1_000

/** Keys that one script call reads: beyond this the others waiting for Redis feel it, and more gain nothing. */
export const maxKeysPerScript = 128

/** Outbox entries that one script call takes away, for the same reason. */
export const maxRemovalsPerScript = 250

/** Commits of one SQLite transaction: enough to share an fsync, few enough not to hold the event loop. */
export const maxCommitsPerTransaction = 256

/** Milliseconds for which an applied commit id is remembered at least: longer than any caller retries. */
export const appliedIdsKeptMs = 60_000

/** Milliseconds for which facts are kept at least, while they are not too many: a cache further behind starts anew. */
export const factsKeptMs = 600_000

/** Facts of one partition that are kept at most: about 10 MB. */
export const maxFactsKept = 100_000

/** Facts in one answer; whoever is further behind than this starts anew. */
export const maxFactsPerRead = 10_000

/** Dead rows, members, facts and ids that one commit clears away beyond what it adds, so that nothing needs a janitor. */
export const clearedPerCommit = 32

/** Dead members that one page clears away, and members that it looks at to find living ones. */
export const clearedPerPage = 1_000

/** Milliseconds for a call to Redis, connecting and retrying included, unless the configuration says otherwise. */
export const defaultCommandTimeoutMs = 2_000

/** Milliseconds between attempts to connect: the first, and the longest after doubling. */
export const firstReconnectMs = 50
export const longestReconnectMs = 1_000

/** Milliseconds before a call goes out again after its connection was lost. */
export const resendAfterMs = 25

/** Calls to Redis that may be under way, waiting for a connection or for an answer; the next is refused at once. */
export const maxCallsUnderWay = 10_000

/** Milliseconds that a writer of another process may keep SQLite locked. */
export const sqliteBusyMs = 1_000
