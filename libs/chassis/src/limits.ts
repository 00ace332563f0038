/** The HTTP server's bounds. */
export const httpLimits = {
  /** Request line and headers; beyond it 431. */
  maxHeaderBytes: 16_384,
  maxHeaders: 100,
  /** A form of ours is a few hundred bytes; a route may ask for more. */
  maxBodyBytes: 65_536,
  /** TCP connections at once; each may hold headers and a body. */
  maxConnections: 10_000,
  /** Requests of plain routes at once: pipelining may bring many on one connection. */
  maxRequests: 10_000,
  /** From the first byte of a request to the end of its headers, and of its body; beyond it 408. */
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  /** How often those two are looked at. */
  timeoutCheckMs: 2_000,
  /** An idle connection; longer than the 60 s after which common gateways give up theirs. */
  keepAliveMs: 65_000,
  /** A connection on which nothing moves while it is answered; event streams send something more often. */
  silenceMs: 120_000,
  /** Requests on one connection, then it is closed, so that load spreads over servers that were added. */
  maxRequestsPerConnection: 100_000,
  /** After an answer to a body that is not wanted: what is still read of it, and for how long, so that the answer arrives. */
  lingerBytes: 1_048_576,
  lingerMs: 2_000,
  handshakeMs: 10_000,
  /** How often a closing server looks for connections that became idle. */
  closeCheckMs: 25,
}
export type HttpLimits = typeof httpLimits

/** Parameters of a form. */
export const maxParameters = 100
/** Entries of X-Forwarded-For that are looked at, from the right. */
export const maxForwardedHops = 32
/** Characters of a User-Agent that are kept; it is stored with each event. */
export const maxUserAgentCharacters = 256
/** Characters of an error's description. */
export const maxDescriptionCharacters = 512
/** Told to a client that is to ask again when the failure does not say: seconds. */
export const retryAfterSeconds = 1

/** How long a readiness check may take. */
export const readinessMs = 2_000
/** Upper bounds of the request-duration buckets, in seconds. */
export const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const
/** Keys that one throttle remembers; the oldest are forgotten first. */
export const maxThrottledKeys = 100_000
/** Keys that one limiter counts in memory; some 600 bytes each. */
export const maxCountedKeys = 20_000
/** The longest window of a throttle: timers of the memory's counts hold 24 days at most, and nobody wants to wait longer. */
export const longestThrottleMs = 86_400_000
/** Characters of a throttled key's hash that are kept: 132 bits, so that no two keys meet. */
export const throttleKeyCharacters = 22
/** How long throttles count in memory before one call asks Redis again: it may wait out the time of a command. */
export const redisRetryMs = 1_000
/** What is asked of other servers: a JWK Set or discovery document is a few kilobytes, and a person may be waiting for it. */
export const maxRemoteBytes = 65_536
export const remoteTimeoutMs = 3_000
/** Headers of another server's answer. */
export const maxRemoteHeaderBytes = 16_384
/** Characters of a URL that is asked for something. */
export const maxRemoteUrlCharacters = 2_048
/** JWK Sets by URL: how long one is used, how soon it is asked for again because a key is unknown, or because it failed. */
export const remoteKeysMs = 300_000
export const unknownKeyRefetchMs = 30_000
export const failedKeysMs = 10_000
/** JWK Sets of other servers that are held, the longest unused forgotten first; keys in one. */
export const maxRemoteKeySets = 1_000
export const maxRemoteKeys = 100
/** Keys that a JWT without `kid` is tried with: each costs a verification. */
export const maxKeysTried = 4
/** When another server counts as down: people wait for its answers, and a handful in vain is enough. */
export const remoteBreakerLimits = {
  windowCalls: 10,
  minimumCalls: 5,
  failureShare: 0.5,
  openMs: 1_000,
  maxOpenMs: 15_000,
}
/** One step of shutting down. */
export const shutdownStepMs = 10_000
