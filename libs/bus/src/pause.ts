import { setTimeout as sleep } from 'node:timers/promises'

/** Waits, or not as long when the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined)

/** What comes of the work, unless it takes longer. @throws what `late` makes, then. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(late()), ms)))
  return Promise.race([work, tooLate]).finally(() => clearTimeout(timer))
}

/** How whoever goes on by itself waits. */
export interface Pace {
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** From 0 to 1. */
  random(): number
}

export const realPace: Pace = { pause, random: Math.random }

/** A wait that doubles with each failure in a row, at random between half and whole. */
export function backoffMs(failures: number, firstMs: number, longestMs: number, random = Math.random): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30))
  return whole * (0.5 + random() / 2)
}
