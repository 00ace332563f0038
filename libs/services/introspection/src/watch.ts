import { asFailure, Failure, type FactPush, type Partition } from '@countersign/contracts'
import type { Hello, Probe, WatchRequest, WatchResponse } from '@countersign/contracts/introspection'
import { probeIntervalMs, type Clock, type LeasedCache, type PartitionLog } from '@countersign/leased-cache'
import type { Client } from '@countersign/tokens'
import type { CallContext } from './callers.ts'
import type { Enforcement, WatchingCache } from './enforcement.ts'
import type { Feed, Waiting } from './feed.ts'
import { limits } from './limits.ts'

/** Whoever is on the other end of a stream. */
export interface WatchPeer {
  /** Never waits; drops a peer that does not listen. */
  send(response: WatchResponse): void
  fail(failure: Failure): void
}

export interface WatchListener {
  /** @throws Failure, which ends the stream */
  onRequest(request: WatchRequest): void
  onClose(): void
}

/** The contract's `Watch`, whatever carries it. */
export interface WatchCalls {
  converse(peer: WatchPeer, context: CallContext): WatchListener
}

export interface WatchHubOptions {
  cache: LeasedCache<unknown>
  feed: Feed
  enforcement: Enforcement
  clock: Clock
  clientOf: (context: CallContext) => Client | Promise<Client>
  /** The service's own need. */
  ownIntervalMs: number
}

/** Serves caches that have no bus. */
export class WatchHub implements WatchCalls {
  readonly #options: WatchHubOptions
  readonly #watchers = new Set<Watcher>()

  constructor(options: WatchHubOptions) {
    this.#options = options
  }

  converse(peer: WatchPeer, context: CallContext): WatchListener {
    const greeting = new Greeting(
      (hello) => {
        const client = this.#options.clientOf(context)
        const enter = (known: Client) => this.#enter(peer, hello, known, context)
        return client instanceof Promise ? client.then(enter) : enter(client)
      },
      (watcher) => this.#leave(watcher),
      (failure) => peer.fail(failure),
    )
    return greeting
  }

  /** Passes on to every watching cache what was applied here. */
  pushed({ revision, tip, previousTip, facts }: FactPush): void {
    if (this.#watchers.size === 0) return
    const told = facts.map(({ kind, id }) => ({ kind, id, tip: '' }))
    // One object for all: it is encoded once.
    const message: WatchResponse = { say: { $case: 'push', value: { revision, tip, previousTip, facts: told } } }
    for (const { peer } of this.#watchers) peer.send(message)
  }

  stats(): { watchers: number } {
    return { watchers: this.#watchers.size }
  }

  /** @throws Failure `access_denied`, `invalid_request`, `unavailable` */
  #enter(peer: WatchPeer, { name, maxStalenessMs }: Hello, client: Client, { peerAddress }: CallContext): Watcher {
    if (client.introspects !== 'every' && client.introspects.size === 0) {
      throw new Failure('access_denied', 'this client may not introspect tokens: it has nothing to watch')
    }
    const { least, most } = limits.watcherStalenessMs
    if (maxStalenessMs < least || maxStalenessMs > most) {
      throw new Failure('invalid_request', `max_staleness_ms must be from ${least} to ${most}`)
    }
    if (this.#watchers.size >= limits.watchers) throw new Failure('unavailable', 'too many caches watch this replica')
    const told = this.#options.enforcement.enter({
      name: name.slice(0, limits.watcherNameCharacters),
      clientId: client.id,
      address: peerAddress,
      maxStalenessMs,
    })
    const watcher = new Watcher(this.#options, peer, told)
    this.#watchers.add(watcher)
    this.#tellNeed()
    return watcher
  }

  #leave(watcher: Watcher): void {
    watcher.isGone = true
    this.#watchers.delete(watcher)
    this.#options.enforcement.leave(watcher.told)
    this.#tellNeed()
  }

  #tellNeed(): void {
    let intervalMs = this.#options.ownIntervalMs
    for (const { told } of this.#watchers) intervalMs = Math.min(intervalMs, probeIntervalMs(told.maxStalenessMs))
    this.#options.feed.need(intervalMs)
  }
}

/** A stream until its cache has said hello, and is known. */
class Greeting implements WatchListener {
  readonly #enter: (hello: Hello) => Watcher | Promise<Watcher>
  readonly #leave: (watcher: Watcher) => void
  readonly #fail: (failure: Failure) => void
  readonly #early: WatchRequest[] = []
  #watcher: Watcher | undefined
  #isGreeted = false
  #isClosed = false

  constructor(
    enter: (hello: Hello) => Watcher | Promise<Watcher>,
    leave: (watcher: Watcher) => void,
    fail: (failure: Failure) => void,
  ) {
    this.#enter = enter
    this.#leave = leave
    this.#fail = fail
  }

  onRequest(request: WatchRequest): void {
    if (this.#watcher) return this.#watcher.hear(request)
    if (this.#isGreeted) {
      if (this.#early.push(request) > limits.unauthenticatedRequests) throw new Failure('invalid_request', 'too fast')
      return
    }
    if (request.say?.$case !== 'hello') throw new Failure('invalid_request', 'say hello first')
    this.#isGreeted = true
    const entered = this.#enter(request.say.value)
    if (!(entered instanceof Promise)) return this.#welcome(entered)
    entered.then((watcher) => this.#welcome(watcher)).catch((thrown: unknown) => this.#fail(asFailure(thrown)))
  }

  onClose(): void {
    this.#isClosed = true
    if (this.#watcher) this.#leave(this.#watcher)
  }

  #welcome(watcher: Watcher): void {
    if (this.#isClosed) return this.#leave(watcher)
    this.#watcher = watcher
    for (const request of this.#early.splice(0)) watcher.hear(request)
  }
}

/** A cache that watches. */
class Watcher implements Waiting {
  readonly #options: WatchHubOptions
  readonly peer: WatchPeer
  readonly told: WatchingCache
  isGone = false
  /** The last probe for which no reading has begun. */
  #probe: Probe | undefined

  constructor(options: WatchHubOptions, peer: WatchPeer, told: WatchingCache) {
    this.#options = options
    this.peer = peer
    this.told = told
  }

  hear({ say }: WatchRequest): void {
    switch (say?.$case) {
      case 'probe':
        this.#probe = say.value
        this.#options.enforcement.applied(
          this.told,
          say.value.places.map(({ revision }) => revision),
        )
        return this.#options.feed.wait(this)
      case 'applied':
        return this.#options.enforcement.applied(this.told, say.value.revisions)
      case 'hello':
        throw new Failure('invalid_request', 'hello is said once')
      default:
        throw new Failure('invalid_request', 'say hello, probe or applied')
    }
  }

  onReading(): (proven: readonly Partition[]) => void {
    const probe = this.#probe
    this.#probe = undefined
    return (proven) => probe && this.#answer(probe, proven)
  }

  #answer({ nonce, places }: Probe, proven: readonly Partition[]): void {
    if (proven.length === 0 || this.isGone) return
    const { cache, clock } = this.#options
    const logs = cache.logsAfter(places, proven).map(messageOf)
    this.peer.send({ say: { $case: 'answer', value: { nonce, logs } } })
    this.told.provenMs = clock.monotonicMs()
  }
}

const messageOf = ({ revision, tip, complete, otherHistory, facts }: PartitionLog) => ({
  revision,
  tip,
  complete,
  otherHistory,
  facts: facts.map(({ fact, tip: factTip }) => ({ ...fact, tip: factTip })),
})
