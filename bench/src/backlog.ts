import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from './limits.ts'
import type { Product } from './product.ts'

/** How many events waited for the journal during a round. */
export interface Backlog {
  /** Events, at even distances. */
  samples: number[]
  /** Seconds that the round took. */
  seconds: number
}

/** Looks at the outbox while something runs. */
export async function watchBacklog<T>(product: Product, running: Promise<T>): Promise<{ result: T; backlog: Backlog }> {
  const over = new AbortController()
  const samples: number[] = []
  const from = performance.now()
  const look = async () => {
    while (!over.signal.aborted) {
      samples.push(await product.backlogEvents())
      await sleep(limits.backlogEveryMs, undefined, { signal: over.signal }).catch(() => undefined)
    }
  }
  const looking = look()
  looking.catch(() => undefined)
  try {
    const result = await running
    return { result, backlog: { samples, seconds: (performance.now() - from) / 1_000 } }
  } finally {
    over.abort()
    await looking
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * Events per second by which the backlog grows once it runs evenly: from the middle third of a round to its last third.
 * A short round tells little. 0 when there are fewer than three samples.
 */
export function growthPerSecond({ samples, seconds }: Backlog): number {
  const third = Math.floor(samples.length / 3)
  if (third === 0) return 0
  const last = mean(samples.slice(-third))
  const middle = mean(samples.slice(-2 * third, -third))
  return (last - middle) / (seconds / 3)
}
