/** Opens a store by its URL. An adapter is loaded only when it is the one asked for. */
import type { Millis } from '@countersign/contracts'
import type { RedisConnection, RedisStoreOptions } from './redis/redis-store.ts'
import type { RedisSetting } from './redis/safety.ts'
import type { Store } from './port.ts'

export type { RedisConnection } from './redis/redis-store.ts'
export type { RedisSetting } from './redis/safety.ts'
export { UnsafeStoreError } from './redis/safety.ts'

/** All but the URL matter to Redis alone. */
export interface OpenStoreOptions extends Omit<RedisStoreOptions, 'randomEpoch'> {
  /** `sqlite:PATH`, `memory:`, `redis://…`, `redis+sentinel://…`, `redis+cluster://…`, or `rediss…` for TLS. */
  url: string
  /** The clock by which SQLite and memory let entries expire; Redis has its own. */
  now?: () => Millis
}

const isRedis = (url: string): boolean => /^rediss?[:+]/.test(url)

/**
 * @throws UnsafeStoreError when a Redis would lose what it acknowledged; Failure `unavailable` when it cannot be reached;
 * Error when the URL is none, or the file cannot be opened.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { url, now } = options
  const clock = now ? { now } : {}
  if (isRedis(url)) {
    const { openRedisStore } = await import('./redis/redis-store.ts')
    return openRedisStore(options)
  }
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length)
    if (path === '') throw new Error('the URL of the store must name a file: sqlite:PATH')
    const { openSqliteStore } = await import('./sqlite/sqlite-store.ts')
    return openSqliteStore({ path, ...clock })
  }
  if (url === 'memory:') {
    const { createMemoryStore } = await import('./memory/memory-store.ts')
    return createMemoryStore(clock)
  }
  throw new Error('the URL of the store must begin with sqlite:, memory:, redis, or rediss')
}

/**
 * What a Redis is set to, against what it must be; empty for the other stores, which have no such settings.
 * @throws Failure `unavailable` when it cannot be reached.
 */
export async function inspectStore(options: OpenStoreOptions): Promise<RedisSetting[]> {
  if (!isRedis(options.url)) return []
  const { inspectRedis } = await import('./redis/redis-store.ts')
  return inspectRedis(options)
}

/**
 * Another connection to the store's Redis, for what replicas share and may lose; undefined for the other stores.
 * @throws Failure `unavailable` when it cannot be reached.
 */
export async function openRedisConnection(
  options: Pick<OpenStoreOptions, 'url' | 'tls' | 'commandTimeoutMs' | 'onState'>,
): Promise<RedisConnection | undefined> {
  if (!isRedis(options.url)) return undefined
  const { connectRedis } = await import('./redis/redis-store.ts')
  return connectRedis(options)
}
