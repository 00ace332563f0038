/**
 * Messages of one batch, and so rows of one transaction: enough to share a round trip and an fsync, few enough to redo.
 */
export const batchMessages = 500

/**
 * Milliseconds between the beginnings of two appends, unless there is a whole batch to append: the first event is journaled at
 * once, and under load what comes meanwhile shares a transaction and its fsync, which other servers' disks may wait for.
 */
export const appendSpacingMs = 30

/** Records of one append: some batches of the bus at once. */
export const maxAppendRecords = 2_000

/** Bytes of one event with its stamp: twice what the store accepts, far under what a NATS message may have (1 MiB). */
export const maxEventBytes = 65_536

/** Characters of an event's id: `<32 hex digits>:<n>` and room to grow. */
export const maxIdCharacters = 128

/** Characters of an event's type: it is part of a NATS subject. */
export const maxTypeCharacters = 64

/** Characters of a field that is searched by: an index entry of PostgreSQL may have about 2,700 bytes. */
export const maxFieldCharacters = 512

/** The last millisecond that a JavaScript Date can show (ECMA-262, 21.4.1.1). */
export const maxTimeMs = 8_640_000_000_000_000

/** Characters kept of the subject, the id and the error of a parked message; its bytes are kept whole. */
export const maxParkedTextCharacters = 512

/** Ids in one question to the journal: what a relay may hold of an outbox. */
export const maxHeldIds = 10_000

/**
 * Milliseconds that a hole in a partition's sequence may stand before it is an alarm: a relay republishes within
 * seconds.
 */
export const gapToleranceMs = 60_000

/** Milliseconds between looks at the holes. */
export const gapCheckMs = 5_000

/** Holes listed at once, oldest first: more than an operator reads. */
export const maxGapsListed = 1_000

/** Records of a deleted person that one transaction redacts: appends wait for it some milliseconds. */
export const redactionBatchRecords = 200

/** Milliseconds between two such transactions, and between looks whether there is somebody to forget. */
export const redactionSpacingMs = 20
export const redactionCheckMs = 1_000

/** Events of one page, unless asked otherwise, and at most. */
export const defaultPageEvents = 100
export const maxPageEvents = 1_000

/** Types in one filter: about as many as there are families of types, times two. */
export const maxFilterTypes = 32

/** Records that one statement of a search looks at, and statements of one search: SQLite answers on the event loop. */
export const candidatesPerStep = 5_000
export const maxSearchSteps = 100

/** Live streams of one process: each costs a read of the journal per wake-up. */
export const maxStreams = 64

/** Events that a stream reads at once: what one slow reader may hold in memory. */
export const streamPageEvents = 200

/** Milliseconds between two reads of one stream while events keep coming. */
export const streamSpacingMs = 50

/** The clocks of a stream. */
export const streamTiming = {
  /** Milliseconds between heartbeats: proxies drop what is silent for 30 to 60 s. */
  heartbeatMs: 15_000,
  /** Milliseconds between looks whether the reader of a stream is still allowed to. */
  reauthorizeMs: 5_000,
  /** Milliseconds that a reader may leave its stream full: after that it is taken for gone, and may resume. */
  maxStallMs: 60_000,
}
export type StreamTiming = typeof streamTiming

/** Milliseconds between looks for records that another audit process wrote, and before a failed read is tried again. */
export const pollMs = 1_000

/** Milliseconds after which a reader that lost its stream shall come back. */
export const streamRetryMs = 1_000

/** Connections to PostgreSQL: appends are one at a time anyway; searches and streams shall not starve them. */
export const postgresWriters = 2
export const postgresReaders = 4

/**
 * Milliseconds to get a connection to PostgreSQL, and for one statement there; then in the driver, when the server is
 * silent.
 */
export const postgresConnectMs = 3_000
export const postgresStatementMs = 10_000
export const postgresSilenceMs = 12_000

/** Milliseconds for one statement that changes the schema: an index of a journal that is years old takes minutes. */
export const postgresMigrationMs = 3_600_000

/** Milliseconds that another process may keep SQLite locked while it is opened or read, which is next to never. */
export const sqliteBusyMs = 1_000

/** Attempts to begin a transaction while another process writes, and milliseconds between them: two seconds in all. */
export const sqliteAttempts = 400
export const sqliteAttemptMs = 5

/**
 * Pages of SQLite's write-ahead log before it is folded into the file (32 MB) and KiB of its cache: ids are random, so
 * that every insert touches other pages. With 1,000 pages and 2 MB, inserts were half as fast at 400,000 records.
 */
export const sqliteCheckpointPages = 8_000
export const sqliteCacheKibibytes = 8_192
