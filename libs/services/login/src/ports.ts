/** Counts failures per key and says when to stop listening; where replicas share one, it takes its time. */
export interface FailureThrottle {
  /** Seconds to wait, or undefined when the key may try. */
  blockedSeconds(key: string): number | undefined | Promise<number | undefined>
  fail(key: string): void | Promise<void>
}
