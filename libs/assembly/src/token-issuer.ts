import { createRelay, Pending, publishing, type Bus, type Relay } from '@countersign/bus'
import { createTokenIssuer } from '@countersign/service-token-issuer'
import type { Store } from '@countersign/store'
import type { Foundation } from './foundation.ts'
import type { Part } from './part.ts'

/** The issuer, and the relay that sees its events into the journal. */
export async function assembleTokenIssuer(foundation: Foundation, store: Store, bus: Bus): Promise<Part> {
  const { config, log, metrics, now } = foundation
  const { partitions } = config.store
  const pending = new Pending()
  const isRelaying = config.audit.relay === 'running'
  const relay = createRelay({ store, bus, partitions, pending, now, log })
  const issuer = await createTokenIssuer({
    ...foundation,
    store: isRelaying ? publishing(store, bus, pending) : store,
    partitions,
    issuer: config.issuer,
    overBacklog: () => relay.stats().backlogEvents >= config.audit.maxBacklogEvents,
  })
  if (isRelaying) relay.start()
  else log.warn('the relay is paused: events stay in the outbox')
  measureRelay(foundation, metrics, relay)
  return {
    routes: issuer.routes,
    routers: [],
    rpc: [],
    ready: { store: () => store.ping() },
    reload: issuer.reconcile,
    close: () => relay.stop(),
  }
}

function measureRelay(_foundation: Foundation, metrics: Foundation['metrics'], relay: Relay): void {
  metrics.gauge(
    'countersign_outbox_events',
    'Events that the audit journal does not have yet.',
    () => relay.stats().backlogEvents,
  )
  metrics.gauge(
    'countersign_outbox_oldest_seconds',
    'Age of the oldest of them.',
    () => relay.stats().oldestAgeMs / 1_000,
  )
  metrics.counter('countersign_relay_republished_total', 'Events published again.', () => relay.stats().republished)
  metrics.counter('countersign_relay_removed_total', 'Events that the journal has.', () => relay.stats().removed)
  metrics.gauge(
    'countersign_outbox_undecodable_events',
    'Outbox entries that are no events.',
    () => relay.stats().undecodable,
  )
}
