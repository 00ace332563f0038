import { hash } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import { RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible'
import { longestThrottleMs, maxCountedKeys, redisRetryMs, throttleKeyCharacters } from '../limits.ts'
import { createMemoryCounts, type Counts } from './memory-counts.ts'

/** Counts per key within a fixed window, which begins with the first that is counted. Nothing here fails for want of Redis. */
export interface Limiter {
  /** Seconds to wait, or undefined when the key may try. Counts nothing. */
  blockedSeconds(key: string): Promise<number | undefined>
  /** Counts one. */
  fail(key: string): Promise<void>
  /** Counts one. @throws Failure `too_many_requests` when the window has had its points already */
  take(key: string): Promise<void>
}

export interface LimiterOptions {
  /** What is limited; of letters, digits, `-` and `_`. Limiters of one name on one Redis share their counts. */
  name: string
  /** How many a key has in each window; 0: never limited. */
  points: number
  /** The window, in whole seconds: from a second to a day. */
  durationMs: number
  /** Keys that are counted in memory at most; those counted longest ago are forgotten first. */
  maxKeys?: number
}

/** Redis as the limiters need it: runs a call on an ioredis client that is connected, in bounded time, or rejects. */
export interface SharedRedis {
  use<T>(call: (client: object) => Promise<T>): Promise<T>
}

export interface LimitersOptions {
  /** Where replicas share the counts; without it they are in this process's memory alone. */
  redis?: SharedRedis | undefined
  /** Told once when Redis cannot be asked, so that each replica counts by itself, and once when it can again. */
  onState?: ((state: 'up' | 'down', detail: string) => void) | undefined
  nowMs?: () => number
}

/**
 * Makes limiters that count in one Redis, and in memory, from nothing, whenever it cannot be asked: throttling alone is no
 * reason to refuse anybody. Redis holds a hash of each key, and that until its window ends.
 */
export function createLimiters({
  redis,
  onState = () => undefined,
  nowMs = () => performance.now(),
}: LimitersOptions): (options: LimiterOptions) => Limiter {
  const shared = redis && new SharedCounting(redis, onState, nowMs)
  return ({ name, points, durationMs, maxKeys = maxCountedKeys }) => {
    if (points <= 0) return unlimited
    if (durationMs % 1_000 !== 0 || durationMs < 1_000 || durationMs > longestThrottleMs)
      throw new RangeError(`a throttle's window is whole seconds, up to a day: ${durationMs} ms are not`)
    const options = { points, duration: durationMs / 1_000, keyPrefix: `cs:throttle:${name}` }
    const memory = createMemoryCounts(options, maxKeys)
    return limiterOf(points, shared?.counts(options, memory) ?? memory)
  }
}

const done = Promise.resolve(undefined)
const unlimited: Limiter = { blockedSeconds: () => done, fail: () => done, take: () => done }

const secondsLeft = ({ msBeforeNext }: RateLimiterRes): number => Math.ceil(msBeforeNext / 1_000)

function limiterOf(points: number, counts: Counts): Limiter {
  const nameOf = (key: string) => hash('sha256', key, 'base64url').slice(0, throttleKeyCharacters)
  return {
    async blockedSeconds(key) {
      const count = await counts.get(nameOf(key))
      return count && count.consumedPoints >= points && count.msBeforeNext > 0 ? secondsLeft(count) : undefined
    },
    async fail(key) {
      await counts.penalty(nameOf(key))
    },
    async take(key) {
      const count = await counts.penalty(nameOf(key))
      if (count.consumedPoints <= points) return
      const retryAfterSeconds = Math.max(1, secondsLeft(count))
      throw new Failure('too_many_requests', 'too many requests: wait before the next', { retryAfterSeconds })
    },
  }
}

/** Asks Redis, or memory while it is away; then one call now and again finds out whether it is back. */
class SharedCounting {
  readonly #redis: SharedRedis
  readonly #onState: NonNullable<LimitersOptions['onState']>
  readonly #nowMs: () => number
  #isDown = false
  #tryAgainAtMs = 0

  constructor(redis: SharedRedis, onState: NonNullable<LimitersOptions['onState']>, nowMs: () => number) {
    this.#redis = redis
    this.#onState = onState
    this.#nowMs = nowMs
  }

  counts(options: { points: number; duration: number; keyPrefix: string }, memory: Counts): Counts {
    const limiters = new WeakMap<object, RateLimiterRedis>()
    const limiterOn = (client: object): RateLimiterRedis => {
      const limiter = limiters.get(client) ?? new RateLimiterRedis({ ...options, storeClient: client })
      limiters.set(client, limiter)
      return limiter
    }
    return {
      penalty: (key) =>
        this.#ask(
          (client) => limiterOn(client).penalty(key),
          () => memory.penalty(key),
        ),
      get: (key) =>
        this.#ask(
          (client) => limiterOn(client).get(key),
          () => memory.get(key),
        ),
    }
  }

  async #ask<T>(call: (client: object) => Promise<T>, instead: () => Promise<T>): Promise<T> {
    if (this.#isDown) {
      const now = this.#nowMs()
      if (now < this.#tryAgainAtMs) return instead()
      this.#tryAgainAtMs = now + redisRetryMs
    }
    try {
      const answer = await this.#redis.use(call)
      this.#tell(false, 'counts are shared again')
      return answer
    } catch (error) {
      this.#tryAgainAtMs = this.#nowMs() + redisRetryMs
      this.#tell(true, error instanceof Error ? error.message : 'Redis cannot be asked')
      return instead()
    }
  }

  #tell(isDown: boolean, detail: string): void {
    if (isDown === this.#isDown) return
    this.#isDown = isDown
    this.#onState(isDown ? 'down' : 'up', detail)
  }
}
