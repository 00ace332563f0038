import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { RedisAddress } from './url.ts'

export type RedisClient = Redis | Cluster

export interface ClientOptions {
  address: RedisAddress
  tls: TlsOptions | undefined
  timeoutMs: number
}

/** Milliseconds for a connection to close in good order before it is cut. */
const closeWithinMs = 100
/** Milliseconds between two looks at a server that is loading its data. */
const loadingLookMs = 250
/** Milliseconds of silence after which the operating system asks whether the peer still is. */
const keepAliveMs = 10_000

/**
 * A client that lives as long as its connection: it neither reconnects nor queues nor resends by itself, for whether a
 * call may go out again, and until when, is the caller's knowledge. One command is one write (no auto-pipelining).
 */
export function makeClient({ address, tls, timeoutMs }: ClientOptions): RedisClient {
  const { topology, nodes, username, password, database } = address
  const secure = address.tls ? { tls: tls ?? {} } : {}
  const common: RedisOptions = {
    ...secure,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    connectTimeout: timeoutMs,
    disconnectTimeout: closeWithinMs,
    maxLoadingRetryTime: loadingLookMs,
    keepAlive: keepAliveMs,
    connectionName: 'countersign',
    disableClientInfo: true,
    lazyConnect: true,
  }
  if (topology === 'cluster')
    return new Cluster(nodes, {
      lazyConnect: true,
      clusterRetryStrategy: null,
      slotsRefreshTimeout: timeoutMs,
      // Certificates name hosts: without TLS an address does, with it the name is passed on as it is.
      ...(address.tls ? { dnsLookup: (name, found) => found(null, name) } : {}),
      redisOptions: { ...common, socketTimeout: timeoutMs },
    })
  const single: RedisOptions = { ...common, db: database, retryStrategy: null, enableOfflineQueue: false }
  if (topology === 'standalone') return new Redis({ ...single, ...nodes[0] })
  return new Redis({ ...single, ...sentinelOptions(address, secure.tls, timeoutMs) })
}

const sentinelOptions = (address: RedisAddress, tls: TlsOptions | undefined, timeoutMs: number): RedisOptions => ({
  sentinels: address.nodes,
  name: address.primaryName!,
  sentinelRetryStrategy: () => null,
  sentinelCommandTimeout: timeoutMs,
  ...(address.sentinelUsername === undefined ? {} : { sentinelUsername: address.sentinelUsername }),
  ...(address.sentinelPassword === undefined ? {} : { sentinelPassword: address.sentinelPassword }),
  ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}),
})
