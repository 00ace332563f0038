import type { Route } from '@countersign/chassis'
import { LeasedCache, probeIntervalMs, type Clock } from '@countersign/leased-cache'
import type { FactPush } from '@countersign/contracts'
import type { Reader } from '@countersign/store'
import type { ClientAuthentication } from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import type { Router } from 'express'
import { createCallers } from './callers.ts'
import { introspectionCalls, type IntrospectionCalls } from './calls.ts'
import { Enforcement } from './enforcement.ts'
import { createIntrospectionEngine, type IntrospectionEngineOptions, type Answered } from './engine.ts'
import { Feed } from './feed.ts'
import { createGate, type ForwardAuthOptions } from './forward-auth/gate.ts'
import { forwardAuthRouter } from './forward-auth/router.ts'
import { introspectionEndpoint } from './http.ts'
import { answerSurveys, revocationRoutes, type Survey } from './revocations.ts'
import { Standings } from './standings.ts'
import { WatchHub, type WatchCalls } from './watch.ts'

export interface Announcements extends Survey {
  onAnnounced(handler: (push: FactPush) => void): { close(): Promise<void> }
}

export interface Log {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface IntrospectionServiceOptions extends Omit<
  IntrospectionEngineOptions,
  'cache' | 'reader' | 'now' | 'standings'
> {
  /** Knows our JWT access tokens, and signs answers where that is asked for. */
  keyRing: KeyRing
  reader: Pick<Reader, 'follow' | 'facts' | 'get'>
  partitions: number
  bus: Announcements
  /** 0: every question goes to the store. */
  maxStalenessMs: number
  /** Answers kept at most. */
  cacheEntries: number
  /** Names this replica. */
  replica: string
  clock: Clock
  random: () => number
  authentication: ClientAuthentication
  /** Absent: there is no such door. */
  forwardAuth?: ForwardAuthOptions
  log: Log
}

/** One engine, and its doors: HTTP routes, and the calls that gRPC carries. */
export interface IntrospectionService {
  routes: Route[]
  routers: Router[]
  calls: IntrospectionCalls & { watch: WatchCalls }
  stats(): ReturnType<LeasedCache<unknown>['stats']> & {
    readings: number
    failures: number
    watchers: number
    /** Let through by forward-auth because authentication is off. */
    anonymous: number
  }
  close(): Promise<void>
}

export function createIntrospectionService(options: IntrospectionServiceOptions): IntrospectionService {
  const { authentication, issuer, keyRing, reader, partitions, bus, maxStalenessMs, clock, random, replica, log } =
    options
  const cache = new LeasedCache<Answered>({
    maxStalenessMs,
    clock,
    random,
    ended: null,
    limits: { entries: options.cacheEntries },
    observer: {
      applied(push) {
        for (const { kind, id } of push.facts) if (kind === 'client') standings.changed(id)
        enforcement.learned(push)
        hub.pushed(push)
      },
      gap: () => feed.hasten(),
      flushed(partition, why) {
        standings.changedPerhaps()
        if (why === 'rollback') {
          log.error(
            { partition },
            'ALARM: the store went back to an older state, or to another: revocations may be lost',
          )
        } else log.warn({ partition, why }, 'the cache starts anew')
        feed.hasten()
      },
    },
  })
  const standings = new Standings(reader, clock.now)
  const onFailure = (err: unknown) => log.warn({ err }, 'the heads of the facts could not be read')
  const feed = new Feed({ reader, cache, partitions, clock, onFailure })
  const enforcement = new Enforcement({ replica, boundMs: maxStalenessMs, cache, clock })
  const callers = createCallers(authentication)
  const ownIntervalMs = maxStalenessMs === 0 ? Infinity : probeIntervalMs(maxStalenessMs)
  const hub = new WatchHub({ cache, feed, enforcement, clock, clientOf: callers.clientOf, ownIntervalMs })
  const isCaching = maxStalenessMs > 0 && options.cacheEntries > 0
  const engine = createIntrospectionEngine({
    ...options,
    standings,
    cache: isCaching ? cache : undefined,
    now: clock.now,
  })
  const subscriptions = [bus.onAnnounced((push) => cache.push(push)), answerSurveys({ survey: bus, enforcement })]
  feed.need(ownIntervalMs)
  feed.start()
  const clientOf = authentication.confidential
  const { forwardAuth } = options
  const gate = forwardAuth && createGate({ ...forwardAuth, engine, reader, issuer, now: clock.now, log })
  return {
    routes: [introspectionEndpoint({ engine, authentication, issuer, keyRing, now: clock.now })],
    routers: [
      revocationRoutes({ cache, enforcement, survey: bus, clientOf }),
      ...(gate ? [forwardAuthRouter(gate)] : []),
    ],
    calls: { ...introspectionCalls(engine, callers, issuer), watch: hub },
    stats: () => ({ ...cache.stats(), ...feed.counts, ...hub.stats(), anonymous: gate?.anonymous ?? 0 }),
    async close() {
      feed.stop()
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
    },
  }
}
