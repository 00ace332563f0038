import type { AuthorizationCalls } from '@countersign/contracts'
import { createRelay, Pending, publishing, type Bus, type Relay } from '@countersign/bus'
import { fetchJson, type Limiter, type LimiterOptions } from '@countersign/chassis'
import { AdministrationService } from '@countersign/contracts/administration'
import { AuthorizationService } from '@countersign/contracts/authorization'
import { rpcService } from '@countersign/rpc'
import { createNoticePost, createTokenIssuer } from '@countersign/service-token-issuer'
import type { Store } from '@countersign/store'
import { nonceKeyFrom, successorKeyFrom } from '@countersign/tokens'
import { authenticationOver, reachOf, remoteKeysOf } from './authentication.ts'
import type { Foundation } from './foundation.ts'
import { keyFor, loginCredentials } from './keys.ts'
import { guardedFor } from './login-guard.ts'
import type { Part } from './part.ts'

export interface TokenIssuerPart extends Part {
  /** For login in the same process. */
  authorization: AuthorizationCalls
  /** The store, whose events go to the bus as soon as they are committed. */
  store: Store
}

/** The issuer, and the relay that sees its events into the journal. */
export async function assembleTokenIssuer(
  foundation: Foundation,
  store: Store,
  bus: Bus,
  limiter: (options: LimiterOptions) => Limiter,
): Promise<TokenIssuerPart> {
  const { config, log, metrics, now, masterKey, previousMasterKey } = foundation
  const { partitions } = config.store
  const pending = new Pending()
  const isRelaying = config.audit.relay === 'running'
  const relay = createRelay({ store, bus, partitions, pending, now, log })
  const published = isRelaying ? publishing(store, bus, pending) : store
  const remoteKeys = remoteKeysOf(foundation)
  const masterKeys = [masterKey, ...(previousMasterKey ? [previousMasterKey] : [])]
  const { idTokenMs } = config.lifetimes
  const lifetimesOfClients = [...foundation.clients().values()].map(
    ({ accessTokenLifetimeMs }) => accessTokenLifetimeMs,
  )
  const issuer = await createTokenIssuer({
    ...foundation,
    ...{ store: published, partitions, remoteKeys, limiter },
    issuer: config.issuer,
    clientSecrets: foundation.secrets,
    reach: reachOf(foundation),
    fetchJson: (url) => fetchJson(url, reachOf(foundation)),
    providers: () => config.providers.filter((provider) => provider.kind === 'oidc'),
    post: createNoticePost(reachOf(foundation)),
    secrets: {
      successors: masterKeys.map(successorKeyFrom),
      userCodes: keyFor(masterKey, 'user code v1'),
      dpopNonces: nonceKeyFrom(masterKey),
    },
    authenticationWith: (find) => authenticationOver(foundation, published, remoteKeys, limiter, find),
    lifetimes: config.lifetimes,
    authorization: config.authorization,
    mutualTls: config.http.clientCa !== undefined || config.http.selfSignedClients,
    keyRotationMs: config.keys.rotateEveryMs,
    longestTokenMs: Math.max(idTokenMs, ...lifetimesOfClients),
    throttle: config.throttle,
    overBacklog: () => relay.stats().backlogEvents >= config.audit.maxBacklogEvents,
  })
  if (isRelaying) relay.start()
  else log.warn('the relay is paused: events stay in the outbox')
  measureRelay(metrics, relay)
  return {
    routes: issuer.routes,
    routers: issuer.routers,
    rpc: [
      rpcService(AuthorizationService, guardedFor(issuer.authorization, masterKeys.map(loginCredentials))),
      rpcService(AdministrationService, issuer.administration),
    ],
    ready: { store: () => store.ping() },
    reload: issuer.reconcile,
    authorization: issuer.authorization,
    store: published,
    async close() {
      await issuer.close()
      await relay.stop()
    },
  }
}

function measureRelay(metrics: Foundation['metrics'], relay: Relay): void {
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
