/** The bounds of the simulated worlds. */
export const limits = {
  /** By how much a clock is fast or slow at most: ten times what NTP allows, a fifth of what the lease gives up. */
  drift: 0.001,
  /** Milliseconds that a machine was up for when its process starts. */
  longestUptimeMs: 1e9,
  /** The time of day when a world begins. */
  beginningOfTimeMs: 1_800_000_000_000,
  /** Milliseconds that one piece of work takes at most, and that a timer is late at most. */
  handlingMs: 0.05,
  timerLatenessMs: 1,
  /** Milliseconds of traffic and faults. */
  trafficMs: { least: 2_500, most: 6_000 },
  /** The bounds that services and SDK caches are given. */
  stalenessMs: { least: 300, most: 2_000 },
  /** Milliseconds after which a process gives up waiting for the store, as the real client does. */
  storeTimeoutMs: 2_000,
  /** Milliseconds after which a hung request may still reach the store. */
  hungMs: 3_000,
  /** Messages on their way to a watcher that does not read, before it is dropped. */
  unreadMessages: 500,
  /** Milliseconds that a push may be late where later ones overtake it, on average. */
  overtakenMs: 150,
  /** Milliseconds until the end of a stream notices that it is broken, where it notices at all. */
  noticeMs: 800,
  /** Milliseconds before a crashed process is started again at most, and before a failing start is tried again. */
  downMs: 1_500,
  startAgainMs: 200,
  /** Milliseconds that a person, machine or client waits before trying a failed request again. */
  retryMs: 60,
  /** Milliseconds that caches have to serve again once every fault is over, besides a few B. */
  healingMs: 9_000,
  /** Milliseconds that the relay has to bring every event to the journal, once every fault is over. */
  drainingMs: 240_000,
  /** Longest tokens live, milliseconds: longer than any clock is set wrong. */
  lifetimeMs: 48 * 3_600_000,
  /** Milliseconds by which a wall clock is set wrong at most. */
  jumpMs: 3_600_000,
  /** Answers that a cache keeps at most: all of them, or fewer than there are tokens. */
  cacheEntries: { usual: 1_000, few: 4 },
  /** Tokens that are asked about at a time. */
  livingTokens: 12,
} as const
