import {
  formatRevision,
  parseRevision,
  type FactPush,
  type Partition,
  type Position,
  type Revision,
} from '@countersign/contracts'
import type { Clock, LeasedCache } from '@countersign/leased-cache'
import { limits } from './limits.ts'

/** A cache that watches this replica. */
export interface WatchingCache {
  readonly name: string
  readonly clientId: string
  readonly address: string
  readonly maxStalenessMs: number
  readonly applied: Map<Partition, Position>
  /** By the monotonic clock, when it was last told a proof of freshness; its lease is no younger. */
  provenMs: number
  hasLeft: boolean
}

/** How far the caches of one replica are with a revision. */
export interface ReplicaStatus {
  replica: string
  /** The replica's own cache is at the revision. */
  applied: boolean
  /** Caches that watch it, or did until a moment ago. */
  caches: number
  /** … that have told that they applied it. */
  cachesApplied: number
  /** … that have not, and whose lease has run out: they answer nothing from before it. */
  cachesLapsed: number
  /** From when this replica knew the revision to when the last of its caches told so; null when not remembered. */
  slowestMs: number | null
  /** Everything of this replica's enforces the revision. */
  enforced: boolean
  silent: { name: string; client_id: string; address: string; silent_ms: number }[]
}

interface Learned {
  atMs: number
  slowestMs: number
}

export interface EnforcementOptions {
  replica: string
  /** `max_staleness`: for so long after its start a replica does not know who watched it before. */
  boundMs: number
  cache: LeasedCache<unknown>
  clock: Clock
}

/** Keeps who has applied what, of the caches that watch this replica. */
export class Enforcement {
  readonly #options: EnforcementOptions
  readonly #caches = new Set<WatchingCache>()
  readonly #learned = new Map<Revision, Learned>()
  readonly #startedMs: number

  constructor(options: EnforcementOptions) {
    this.#options = options
    this.#startedMs = options.clock.monotonicMs()
  }

  enter(told: Pick<WatchingCache, 'name' | 'clientId' | 'address' | 'maxStalenessMs'>): WatchingCache {
    this.#forgetLapsed()
    const cache = { ...told, applied: new Map(), provenMs: -Infinity, hasLeft: false }
    this.#caches.add(cache)
    return cache
  }

  leave(cache: WatchingCache): void {
    cache.hasLeft = true
    this.#forgetLapsed()
  }

  /** A cache tells where it is. */
  applied(cache: WatchingCache, revisions: readonly Revision[]): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const revision of revisions) {
      const position = parseRevision(revision)
      if (!position) continue
      const { partition, epoch, sequence: to } = position
      const before = cache.applied.get(partition)
      cache.applied.set(partition, position)
      // Acknowledgements are gathered: this one is of every revision since the last.
      const from = before?.epoch === epoch ? before.sequence + 1 : to
      for (let sequence = Math.max(from, to - limits.revisionsPerAcknowledgement); sequence <= to; sequence++) {
        const known = this.#learned.get(formatRevision({ partition, epoch, sequence }))
        if (known) known.slowestMs = Math.max(known.slowestMs, nowMs - known.atMs)
      }
    }
  }

  /** The replica has applied this. */
  learned({ revision }: FactPush): void {
    this.#learned.set(revision, { atMs: this.#options.clock.monotonicMs(), slowestMs: 0 })
    const oldest = this.#learned.keys().next()
    if (this.#learned.size > limits.revisionsRemembered && !oldest.done) this.#learned.delete(oldest.value)
  }

  status(position: Position): ReplicaStatus {
    const { replica, boundMs, cache: own, clock } = this.#options
    this.#forgetLapsed()
    const revision = formatRevision(position)
    const pending = [...this.#caches].filter((cache) => !hasApplied(cache, position))
    const silent = pending.filter((cache) => !this.#isLapsed(cache))
    const applied = own.covers(revision)
    const nowMs = clock.monotonicMs()
    const knowsAll = nowMs - this.#startedMs > boundMs * (1 + limits.clockDrift)
    return {
      replica,
      applied,
      caches: this.#caches.size,
      cachesApplied: this.#caches.size - pending.length,
      cachesLapsed: pending.length - silent.length,
      slowestMs: this.#learned.get(revision)?.slowestMs ?? null,
      enforced: silent.length === 0 && (applied || !own.isProven()) && knowsAll,
      silent: silent.slice(0, limits.silentNamed).map(({ name, clientId, address, provenMs }) => ({
        name,
        client_id: clientId,
        address,
        silent_ms: Math.round(nowMs - provenMs),
      })),
    }
  }

  /** Its lease is no younger than the last proof that it was told. */
  #isLapsed({ provenMs, maxStalenessMs }: WatchingCache): boolean {
    return this.#options.clock.monotonicMs() - provenMs > maxStalenessMs * (1 + limits.clockDrift)
  }

  /** A cache that has left is counted until its lease has run out: till then it may still answer. */
  #forgetLapsed(): void {
    for (const cache of this.#caches) if (cache.hasLeft && this.#isLapsed(cache)) this.#caches.delete(cache)
  }
}

function hasApplied({ applied }: WatchingCache, { partition, epoch, sequence }: Position): boolean {
  const at = applied.get(partition)
  return at !== undefined && at.epoch === epoch && at.sequence >= sequence
}
