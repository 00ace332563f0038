import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Bus } from '@countersign/bus'
import type { Limiter, LimiterOptions } from '@countersign/chassis'
import { IntrospectionService } from '@countersign/contracts/introspection'
import { rpcService } from '@countersign/rpc'
import { createIntrospectionService, encodedOnce } from '@countersign/service-introspection'
import type { Store } from '@countersign/store'
import { createKeyRing } from '@countersign/tokens/keys'
import { authenticationOver, remoteKeysOf } from './authentication.ts'
import type { Foundation } from './foundation.ts'
import type { Part } from './part.ts'

/** Introspection: reads the store, and owns nothing. */
export function assembleIntrospection(
  foundation: Foundation,
  store: Store,
  bus: Bus,
  limiter: (options: LimiterOptions) => Limiter,
): Part {
  const { format, scanning, clock, config, log, metrics, sealKeys, now } = foundation
  const authentication = authenticationOver(foundation, store, remoteKeysOf(foundation), limiter)
  const service = createIntrospectionService({
    reader: store,
    bus,
    partitions: config.store.partitions,
    maxStalenessMs: config.maxStalenessMs,
    cacheEntries: config.cache.entries,
    replica: `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`,
    clock,
    random: Math.random,
    format,
    scanning,
    authentication,
    keyRing: createKeyRing({ reader: store, sealKeys, now }),
    issuer: config.issuer,
    forwardAuth: {
      authentication: config.demo ? 'off' : config.authentication,
      rules: config.forwardAuth.rules,
      scopes: () => foundation.scopes().keys(),
    },
    log,
  })
  measure(metrics, service.stats)
  return {
    routes: service.routes,
    routers: service.routers,
    rpc: [rpcService(encodedOnce(IntrospectionService), service.calls)],
    ready: { store: () => store.ping() },
    close: service.close,
  }
}

function measure(
  { gauge, counter }: Foundation['metrics'],
  stats: ReturnType<typeof createIntrospectionService>['stats'],
): void {
  counter('countersign_cache_hits_total', 'Questions answered from memory.', () => stats().hits)
  counter('countersign_cache_misses_total', 'Questions that went to the store.', () => stats().misses)
  counter('countersign_cache_lapsed_total', 'Of these, those for want of proof of freshness.', () => stats().lapsed)
  counter('countersign_cache_evictions_total', 'Answers that made room for others.', () => stats().evicted)
  counter('countersign_cache_flushes_total', 'Times that the cache started anew.', () => stats().flushes)
  counter('countersign_store_rollbacks_total', 'Times that the store went back: an alarm.', () => stats().rollbacks)
  counter('countersign_revocations_seen_total', 'Facts that the cache heard of.', () => stats().facts)
  counter('countersign_head_readings_total', 'Readings of the heads of the logs of facts.', () => stats().readings)
  counter('countersign_head_reading_failures_total', 'Of these, those that failed.', () => stats().failures)
  counter(
    'countersign_forward_auth_anonymous_total',
    'Requests let through because authentication is off.',
    () => stats().anonymous,
  )
  gauge('countersign_cache_entries', 'Answers kept, active ones.', () => stats().entries)
  gauge('countersign_cache_negative_entries', 'Answers kept, inactive ones.', () => stats().negativeEntries)
  gauge('countersign_cache_bytes', 'Estimated size of what is kept.', () => stats().bytes)
  gauge('countersign_watching_caches', 'Caches that watch this replica.', () => stats().watchers)
}
