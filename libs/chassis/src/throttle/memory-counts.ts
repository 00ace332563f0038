import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'

/** What keys have used of their window; both stores of the library have it. */
export interface Counts {
  /** Counts one; the answer includes it. */
  penalty(key: string): Promise<RateLimiterRes>
  get(key: string): Promise<RateLimiterRes | null>
}

/**
 * The library's counts in memory, of `maxKeys` keys at most, for it has no bound of its own. Those counted longest ago are
 * forgotten first: so whoever would be rid of a count must fail with `maxKeys` other keys each time, and nobody is made
 * to pay for another's flood, as all would be who share a count with it.
 */
export function createMemoryCounts(options: { points: number; duration: number }, maxKeys: number): Counts {
  const limiter = new RateLimiterMemory(options)
  // In the order in which they were last counted; one iterator for ever, as a new one would pass by all that was deleted.
  const keys = new Set<string>()
  const oldestFirst = keys.values()
  return {
    penalty(key) {
      if (!keys.delete(key) && keys.size >= maxKeys) {
        const oldest = oldestFirst.next().value!
        keys.delete(oldest)
        void limiter.delete(oldest)
      }
      keys.add(key)
      return limiter.penalty(key)
    },
    get: (key) => limiter.get(key),
  }
}
