import type { Millis } from '@countersign/contracts'

/** Time, as leases and expiries need it. */
export interface Clock {
  /** Milliseconds from some beginning, on a clock that is never set. */
  monotonicMs(): number
  /** The time of day; set back it stays ahead, so that what has expired does not come back. */
  now(): Millis
  /** Calls once, after so many milliseconds; gives what takes the call back. */
  after(ms: number, call: () => void): () => void
  /** Calls once what is at hand now is done. */
  soon(call: () => void): void
}

export interface TimeSources {
  monotonicMs(): number
  wallMs(): Millis
}

/**
 * This machine's clock. The monotonic clock stands still while a virtual machine is suspended, and the wall clock may
 * be set: so `now` follows the wall clock forward, and never falls behind what has passed since the start.
 */
export function systemClock(
  sources: TimeSources = { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
): Clock {
  const offsetMs = sources.wallMs() - sources.monotonicMs()
  return {
    monotonicMs: sources.monotonicMs,
    now() {
      const wall = sources.wallMs()
      const least = Math.floor(sources.monotonicMs() + offsetMs)
      // The two are read one after the other, and clocks are slewed: a second is not a clock that was set back.
      return wall >= least - toleranceMs ? wall : least
    },
    after(ms, call) {
      const timer = setTimeout(call, ms)
      timer.unref()
      return () => clearTimeout(timer)
    },
    soon: (call) => void setImmediate(call),
  }
}

/** Milliseconds by which the wall clock may lag before it counts as set back. */
const toleranceMs = 1_000
