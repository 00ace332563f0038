/** The server's bounds. */
export const serverLimits = {
  /** One message, after decompression. A batch of 1,000 tokens is 70 KB; the rest is room for long ones. */
  maxMessageBytes: 1_048_576,
  /** TCP connections at once: one per client process is usual. */
  maxConnections: 10_000,
  /** Calls at once on one connection; a client keeps further ones back. */
  maxConcurrentStreams: 256,
  /** Calls at once on the whole server, from first header to last byte: each may hold up to one message. */
  maxOpenCalls: 4_096,
  /** Compressed calls at once: a frame of 16 KiB may inflate to 16 MiB before the message bound counts it. */
  maxCompressedCalls: 8,
  /** A unary call whose caller set no deadline, from its header to its answer. */
  undatedCallMs: 30_000,
  /** Requests of one stream being answered at once; further ones stay unread, so the sender feels it. */
  streamWindowRequests: 256,
  /** Messages that a stream's peer has not taken yet, where it is told things unasked; with more it is dropped. */
  streamUnsentMessages: 1_000,
  /** nghttp2's own memory for one connection. */
  sessionMemoryMegabytes: 64,
  /** A silent connection is probed, so that dead peers are noticed. */
  keepaliveMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  /** A connection without calls. */
  idleConnectionMs: 30 * 60_000,
  /** Then a client connects anew, and spreads over servers that were added; calls on the old connection finish. */
  connectionAgeMs: 30 * 60_000,
  handshakeMs: 10_000,
}
export type ServerLimits = typeof serverLimits

/** The client's bounds. */
export const clientLimits = {
  maxMessageBytes: 4_194_304,
  keepaliveMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  /** After a lost connection: first and longest wait before connecting again. */
  reconnectMs: 100,
  maxReconnectMs: 5_000,
  /** Between look-ups of a name, each started by a lost connection. */
  dnsIntervalMs: 5_000,
}
export type ClientLimits = typeof clientLimits

/** Bounds on repeating a call. */
export const retryLimits = {
  /** Tries of one call, the first included. */
  maxAttempts: 3,
  /** Longest wait before the first repetition, and before any; the wait is random below it and doubles. */
  backoffMs: 25,
  maxBackoffMs: 500,
  /** Repetitions that each call earns: at most a fifth more load on a server in trouble. */
  budgetPerCall: 0.2,
  /** Repetitions saved up at most, and at the start. */
  maxBudget: 10,
}
export type RetryLimits = typeof retryLimits

/** When a dependency counts as down, and how soon it is tried again. */
export const breakerLimits = {
  /** Of so many last calls … */
  windowCalls: 20,
  /** … with at least so many made … */
  minimumCalls: 10,
  /** … more than this share failed. */
  failureShare: 0.5,
  /** Then nothing is sent for so long, doubling while probes fail, up to the second figure. */
  openMs: 1_000,
  maxOpenMs: 15_000,
}
export type BreakerLimits = typeof breakerLimits

/** Characters of a failure's message that travel; it goes in a header. */
export const maxMessageCharacters = 512
/** Lines of one kind of failure written to the log per second; the rest are counted. */
export const maxLogLinesPerSecond = 5
