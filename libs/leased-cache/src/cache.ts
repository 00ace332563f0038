import { parseRevision, type Fact, type FactPush, type Millis, type Partition } from '@countersign/contracts'
import { Answers, type Answer } from './answers.ts'
import type { Clock } from './clock.ts'
import { leaseLimits, type LeaseLimits } from './limits.ts'
import { commitsOf, View, type PartitionLog, type Place } from './view.ts'

export interface LeasedCacheOptions<V> {
  /** B: nothing is answered from the cache that was not proven fresh within so many milliseconds. */
  maxStalenessMs: number
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  /** Answered where a fact has ended what is kept for good: when many caches hear of it, none of them has to ask. */
  ended: V
  limits?: Partial<LeaseLimits>
  observer?: Partial<CacheObserver>
}

export interface CacheObserver {
  /** These were applied, in order: the partition is at this revision now. */
  applied(push: FactPush): void
  /** Everything about the partition was forgotten. `rollback`: the store went back to an older state, or to another. */
  flushed(partition: Partition, why: 'behind' | 'rollback' | 'unknown_fact'): void
  /** A push came whose predecessor did not: a probe would bring it. */
  gap(partition: Partition): void
}

/** From before an answer is asked for; see {@link LeasedCache.ticket}. */
export interface Ticket {
  readonly tick: number
}

export interface Probe {
  nonce: number
  places: Place[]
}

interface SentProbe {
  sentMs: number
  sentAt: Millis
  /** Where the cache was, and since which flush. */
  from: Map<Partition, { sequence: number; validFrom: number }>
}

/**
 * Answers that are given again only while it is proven that nothing has revoked them: design section 5. Facts may come
 * by any way, early, late, twice or never; what counts is the answer to a probe, and from when it was sent.
 */
export class LeasedCache<V> {
  readonly #clock: Clock
  readonly #maxStalenessMs: number
  readonly #limits: LeaseLimits
  readonly #observer: Partial<CacheObserver>
  readonly #views = new Map<Partition, View>()
  readonly #answers: Answers<V>
  readonly #ended: V
  readonly #probes = new Map<number, SentProbe>()
  #nonce: number
  readonly #counts = { hits: 0, misses: 0, lapsed: 0, flushes: 0, rollbacks: 0, facts: 0, probes: 0, proofs: 0 }

  constructor(options: LeasedCacheOptions<V>) {
    this.#clock = options.clock
    this.#limits = { ...leaseLimits, ...options.limits }
    this.#maxStalenessMs = options.maxStalenessMs
    this.#observer = options.observer ?? {}
    const seed = Math.floor(options.random() * 2 ** 32) | 0
    this.#answers = new Answers(this.#views, this.#limits, seed, options.clock.now())
    this.#ended = options.ended
    this.#nonce = Math.floor(options.random() * 2 ** 48)
  }

  /** What is kept under a key and may be answered now; undefined: ask. */
  get(key: string, maxStalenessMs = Infinity): V | undefined {
    const kept = this.#answers.find(key)
    if (kept === undefined) return this.#miss()
    const now = this.#clock.now()
    if (!this.#isProven(kept.view, now, maxStalenessMs)) {
      this.#counts.lapsed++
      return this.#miss()
    }
    const standing = this.#answers.isOver(kept, now) ? 'unsure' : this.#answers.standing(kept)
    if (standing === 'unsure') {
      this.#answers.drop(kept)
      return this.#miss()
    }
    kept.isUsed = true
    this.#counts.hits++
    return standing === 'good' ? kept.value : this.#ended
  }

  /** To be taken before an answer is asked for, and given with it to {@link keep}. */
  ticket(): Ticket {
    return { tick: this.#answers.tick }
  }

  /** What an answer must not be older than, to be kept with a ticket taken now; empty while nothing is known. */
  minRevision(partition: Partition | undefined): string {
    const told = ({ revision, tip }: View) => (tip === '' ? revision : `${revision}~${tip}`)
    const views = [...this.#views.values()]
    return (partition === undefined ? views : views.filter((view) => view.partition === partition)).map(told).join(' ')
  }

  /** Keeps an answer, unless something came in between that makes it worth nothing. */
  keep({ tick }: Ticket, key: string, answer: Answer<V>): boolean {
    return this.#answers.keep(tick, key, answer, this.#clock.now())
  }

  /** Facts that were pushed, over whatever way. */
  push(push: FactPush): void {
    const head = parseRevision(push.revision)
    const view = head && this.#views.get(head.partition)
    if (!view) return
    const first = head.sequence - push.facts.length + 1
    if (head.epoch === view.epoch && first === view.sequence + 1 && push.previousTip === view.tip) {
      return this.#follow(view, push)
    }
    // Forgetting is never wrong, whatever history these are of and whether or not something is missing before them.
    for (const fact of push.facts) this.#note(view, fact)
    if (head.epoch === view.epoch && first <= view.sequence) return
    if (head.epoch === view.epoch && view.ahead.size < this.#limits.pushesAhead) view.ahead.set(first, push)
    this.#observer.gap?.(view.partition)
  }

  /** Asks for the head: to be sent upstream at once, and answered to {@link settle}. */
  probe(): Probe {
    const nonce = ++this.#nonce
    const from: SentProbe['from'] = new Map()
    const places: Place[] = []
    for (const { partition, sequence, validFrom, revision, tip } of this.#views.values()) {
      from.set(partition, { sequence, validFrom })
      places.push({ revision, tip })
    }
    this.#probes.set(nonce, { sentMs: this.#clock.monotonicMs(), sentAt: this.#clock.now(), from })
    const oldest = this.#probes.keys().next()
    if (this.#probes.size > this.#limits.openProbes && !oldest.done) this.#probes.delete(oldest.value)
    this.#counts.probes++
    return { nonce, places }
  }

  /**
   * The answer to a probe, whose reading of the store's primary began after the probe had arrived.
   * @returns the partitions that it proved
   */
  settle(nonce: number, logs: readonly PartitionLog[]): Partition[] {
    const sent = this.#probes.get(nonce)
    if (!sent) return []
    this.#probes.delete(nonce)
    const proven = logs.flatMap((log) => this.#settleLog(log, sent) ?? [])
    if (proven.length > 0) this.#counts.proofs++
    return proven
  }

  /** Whether the views are not older than these revisions, each with its tip if that is known: `revision~tip`. */
  covers(revisions: string): boolean {
    if (revisions === '') return true
    return revisions.split(' ').every((given) => {
      const [revision, tip] = given.split('~') as [string, string | undefined]
      const position = parseRevision(revision)
      const view = position && this.#views.get(position.partition)
      if (!view || view.epoch !== position.epoch || view.sequence < position.sequence) return false
      // Numbers are not enough: a store that was set back may have gone on past them, in another history.
      return tip === undefined || view.tipAt(position.sequence) === tip
    })
  }

  /** What somebody at these places lacks, of some of the partitions known here. */
  logsAfter(places: readonly Place[], partitions: readonly Partition[]): PartitionLog[] {
    const known = new Map(
      places.flatMap(({ revision, tip }) => {
        const position = parseRevision(revision)
        return position ? [[position.partition, { ...position, tip }] as const] : []
      }),
    )
    return partitions.flatMap((partition) => this.#views.get(partition)?.logAfter(known.get(partition)) ?? [])
  }

  /** Where the cache is, in every partition. */
  places(): Place[] {
    return [...this.#views.values()].map(({ revision, tip }) => ({ revision, tip }))
  }

  /** Whether answers are given from the cache now. */
  isProven(): boolean {
    return this.#isProven(undefined, this.#clock.now(), Infinity)
  }

  stats() {
    return { ...this.#counts, ...this.#answers.stats() }
  }

  #miss(): undefined {
    this.#counts.misses++
    return undefined
  }

  #isProven(view: View | undefined, now: Millis, maxStalenessMs: number): boolean {
    const leaseMs = Math.min(this.#maxStalenessMs, maxStalenessMs) * (1 - this.#limits.drift)
    const monotonicMs = this.#clock.monotonicMs()
    const isFresh = ({ freshMs, freshAt }: View) => monotonicMs - freshMs <= leaseMs && now - freshAt <= leaseMs
    if (view) return isFresh(view)
    if (this.#views.size === 0) return false
    for (const each of this.#views.values()) if (!isFresh(each)) return false
    return true
  }

  #note(view: View, fact: Fact): void {
    this.#counts.facts++
    if (this.#answers.note(fact)) return
    view.validFrom = this.#answers.mark()
    this.#counts.flushes++
    this.#observer.flushed?.(view.partition, 'unknown_fact')
  }

  /** Applies a push that begins right after where the view is, and those that have waited for it. */
  #follow(view: View, push: FactPush): void {
    let next: FactPush | undefined = push
    while (next?.previousTip === view.tip) {
      // What has waited is noted again: answers asked for meanwhile were not asked for with its revision.
      for (const fact of next.facts) {
        this.#note(view, fact)
        view.append({ sequence: view.sequence + 1, fact, tip: next.tip })
      }
      this.#observer.applied?.(next)
      next = view.ahead.get(view.sequence + 1)
      view.ahead.delete(view.sequence + 1)
    }
    if (next) this.#observer.gap?.(view.partition)
  }

  #settleLog(log: PartitionLog, { sentMs, sentAt, from }: SentProbe): Partition | undefined {
    const head = parseRevision(log.revision)
    if (!head) return undefined
    const view = this.#views.get(head.partition)
    const sent = from.get(head.partition)
    if (!view) {
      const made = new View(head, log.tip, this.#answers.mark(), this.#limits.trailFacts)
      this.#views.set(head.partition, made)
      return renew(made, sentMs, sentAt)
    }
    // It was asked from before the cache began anew: what it says is of no use any more.
    if (sent?.validFrom !== view.validFrom) return undefined
    const isRollback = log.otherHistory || head.epoch !== view.epoch || head.sequence < sent.sequence
    if (isRollback || !log.complete || log.facts.length !== head.sequence - sent.sequence || !isOneHistory(view, log)) {
      const isFirstWrite = view.epoch === '' && view.sequence === 0
      this.#restart(view, head, log, isFirstWrite || (!isRollback && isOneHistory(view, log)) ? 'behind' : 'rollback')
    } else {
      this.#catchUp(view, log, head.sequence)
    }
    return renew(view, sentMs, sentAt)
  }

  #catchUp(view: View, { facts }: PartitionLog, headSequence: number): void {
    const { sequence, tip: tipBefore } = view
    const missing = facts.filter((logged) => logged.sequence > sequence)
    for (const { fact } of missing) this.#note(view, fact)
    for (const logged of missing) view.append(logged)
    for (const first of view.ahead.keys()) if (first <= view.sequence) view.ahead.delete(first)
    if (headSequence === view.sequence)
      for (const push of commitsOf(view, missing, tipBefore)) this.#observer.applied?.(push)
    const waiting = view.ahead.get(view.sequence + 1)
    if (waiting) this.#follow(view, waiting)
  }

  #restart(view: View, head: Parameters<View['restart']>[0], { tip }: PartitionLog, why: 'behind' | 'rollback'): void {
    view.restart(head, tip, this.#answers.mark())
    this.#counts.flushes++
    if (why === 'rollback') this.#counts.rollbacks++
    this.#observer.flushed?.(view.partition, why)
  }
}

/** A late answer proves no more than an early one did. */
function renew(view: View, sentMs: number, sentAt: Millis): Partition {
  view.freshMs = Math.max(view.freshMs, sentMs)
  view.freshAt = Math.max(view.freshAt, sentAt)
  return view.partition
}

/** Whether what was pushed in the meantime is what the log says, too. */
function isOneHistory(view: View, { facts, revision, tip }: PartitionLog): boolean {
  const agrees = (sequence: number, told: string) => sequence > view.sequence || view.tipAt(sequence) === told
  return facts.every((logged) => agrees(logged.sequence, logged.tip)) && agrees(parseRevision(revision)!.sequence, tip)
}
