import type { Fact, Millis, Partition } from '@countersign/contracts'
import { FactWindow, hashOf, isFinal, isKnownKind } from './fact-window.ts'
import type { LeaseLimits } from './limits.ts'
import { Region, type Entry } from './region.ts'
import type { View } from './view.ts'

export interface Answer<V> {
  value: V
  /** Whose log tells of its end; undefined when not known: then every partition counts. */
  partition: Partition | undefined
  /** What would end it. */
  revokedBy: readonly Fact[]
  expiresAt: Millis
  /** Estimate of the value's size. */
  bytes: number
  isActive: boolean
}

export interface Kept<V> extends Entry<V> {
  readonly view: View | undefined
  /** Every fact noted up to this tick was checked. */
  goodAt: number
  readonly hashes: readonly number[]
  /** So many of these, the first ones, are of facts that end it for good. */
  readonly finals: number
  /** Counted from the cache's own beginning: a small number takes no memory of its own. */
  readonly endsMs: Millis
}

/** What has become of an answer: it still holds, it never will again, or that is to be asked. */
export type Standing = 'good' | 'ended' | 'unsure'

/** Answers, and the facts that have come since they were asked for. */
export class Answers<V> {
  readonly #views: ReadonlyMap<Partition, View>
  readonly #limits: LeaseLimits
  readonly #seed: number
  readonly #startedAt: Millis
  readonly #window: FactWindow
  readonly #active: Region<V, Kept<V>>
  readonly #inactive: Region<V, Kept<V>>

  constructor(views: ReadonlyMap<Partition, View>, limits: LeaseLimits, seed: number, startedAt: Millis) {
    this.#views = views
    this.#limits = limits
    this.#seed = seed
    this.#startedAt = startedAt
    this.#window = new FactWindow(limits.windowFacts)
    this.#active = new Region(limits.entries)
    this.#inactive = new Region(limits.negativeEntries)
  }

  /** Whether its time is over. */
  isOver({ endsMs }: Kept<V>, now: Millis): boolean {
    return now - this.#startedAt >= endsMs
  }

  /** Says which facts were noted by now. */
  get tick(): number {
    return this.#window.tick
  }

  /** Of what is asked for from now on, nothing is older than this. */
  mark(): number {
    return this.#window.mark()
  }

  /** Ends the answers that a fact is about; false when its kind says nothing here. */
  note(fact: Fact): boolean {
    if (!isKnownKind(fact.kind)) return false
    this.#window.note(hashOf(fact, this.#seed))
    return true
  }

  /** What is kept under a key, whether or not it is proven. */
  find(key: string): Kept<V> | undefined {
    return this.#active.get(key) ?? this.#inactive.get(key)
  }

  drop({ key }: Kept<V>): void {
    this.#active.delete(key)
    this.#inactive.delete(key)
  }

  keep(tick: number, key: string, answer: Answer<V>, now: Millis): boolean {
    const { value, partition, revokedBy, isActive } = answer
    const view = partition === undefined ? undefined : this.#views.get(partition)
    if (partition !== undefined && !view) return false
    // A copy: a token cut out of a longer text would keep all of that.
    const own = Buffer.from(key, 'latin1').toString('latin1')
    if (own !== key) return false
    const final = revokedBy.filter(isFinal)
    const keptMs = isActive ? this.#limits.keptMs : this.#limits.negativeKeptMs
    const kept: Kept<V> = {
      value,
      key: own,
      bytes: this.#limits.entryBytes + key.length + answer.bytes,
      isUsed: false,
      view,
      goodAt: tick,
      hashes: [...final, ...revokedBy.filter((fact) => !isFinal(fact))].map((fact) => hashOf(fact, this.#seed)),
      finals: final.length,
      endsMs: Math.min(answer.expiresAt, now + keptMs) - this.#startedAt,
    }
    if (!this.#isValidSince(view, tick) || this.standing(kept) !== 'good') return false
    this.drop(kept)
    ;(isActive ? this.#active : this.#inactive).set(kept)
    while (this.#active.bytes + this.#inactive.bytes > this.#limits.bytes) {
      ;(this.#inactive.size > 0 ? this.#inactive : this.#active).evict()
    }
    return true
  }

  /** Judged by the facts that have come since it was asked for. */
  standing(kept: Kept<V>): Standing {
    const { tick } = this.#window
    const { goodAt, hashes, finals } = kept
    if (goodAt === tick) return 'good'
    if (!this.#isValidSince(kept.view, goodAt) || !this.#window.remembers(goodAt)) return 'unsure'
    for (let n = 0; n < hashes.length; n++) {
      if (this.#window.isNotedAfter(goodAt, hashes[n]!)) return n < finals ? 'ended' : 'unsure'
    }
    kept.goodAt = tick
    return 'good'
  }

  stats() {
    const { size: entries, bytes, evicted } = this.#active
    const { size: negativeEntries, bytes: negativeBytes, evicted: negativeEvicted } = this.#inactive
    return { entries, negativeEntries, bytes: bytes + negativeBytes, evicted: evicted + negativeEvicted }
  }

  #isValidSince(view: View | undefined, tick: number): boolean {
    if (view) return tick >= view.validFrom
    if (this.#views.size === 0) return false
    for (const { validFrom } of this.#views.values()) if (tick < validFrom) return false
    return true
  }
}
