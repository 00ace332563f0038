import { maxThrottledKeys } from '../limits.ts'

export interface Throttle {
  /** Seconds to wait, or undefined when the key may try. Changes nothing, and is cheap enough to ask first. */
  blockedSeconds(key: string): number | undefined
  /** Counts a failure of the key. */
  fail(key: string): void
}

interface Window {
  failures: number
  untilMs: number
}

/**
 * Blocks a key that failed `points` times within `durationMs`, until that time is over; 0 points: never. Remembers a
 * bounded number of keys and forgets those first whose time began first.
 */
export function createThrottle({
  points,
  durationMs,
  maxKeys = maxThrottledKeys,
  nowMs = () => performance.now(),
}: {
  points: number
  durationMs: number
  maxKeys?: number
  nowMs?: () => number
}): Throttle {
  // In the order in which they began; one iterator for ever, as a new one would pass by all that was deleted.
  const windows = new Map<string, Window>()
  const oldestFirst = windows.keys()

  return {
    blockedSeconds(key) {
      const window = points > 0 ? windows.get(key) : undefined
      if (window === undefined || window.failures < points) return undefined
      const leftMs = window.untilMs - nowMs()
      return leftMs > 0 ? Math.ceil(leftMs / 1_000) : undefined
    },
    fail(key) {
      if (points <= 0) return
      const now = nowMs()
      const window = windows.get(key)
      if (window !== undefined && window.untilMs > now) return void window.failures++
      windows.delete(key)
      if (windows.size >= maxKeys) windows.delete(oldestFirst.next().value!)
      windows.set(key, { failures: 1, untilMs: now + durationMs })
    },
  }
}
