/** Counts what somebody does, and refuses when it is too much. */
export interface Limiter {
  /** Seconds to wait; undefined: go on. Counts nothing. */
  blockedSeconds(key: string): Promise<number | undefined> | number | undefined
  fail(key: string): Promise<void> | void
  /** Counts one. @throws Failure `too_many_requests` */
  take(key: string): Promise<void> | void
}
