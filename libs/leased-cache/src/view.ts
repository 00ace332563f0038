import {
  formatRevision,
  type Fact,
  type FactPush,
  type Partition,
  type Position,
  type Revision,
} from '@countersign/contracts'

/** Where a cache is in a partition's log, as it tells with a probe. */
export interface Place {
  revision: Revision
  tip: string
}

export interface LoggedFact {
  sequence: number
  fact: Fact
  /** The log's tip once this was written. */
  tip: string
}

/** What a partition's log answers to somebody at a place; the shape of the store's `FactLog`. */
export interface PartitionLog {
  revision: Revision
  tip: string
  complete: boolean
  otherHistory: boolean
  facts: LoggedFact[]
}

/** What a cache knows of one partition: where it is in the log of facts, and when that was proven to be the head. */
export class View {
  readonly partition: Partition
  readonly #mostTrail: number
  /** Answers asked for at an earlier tick are no good. */
  validFrom: number
  epoch: string
  sequence: number
  tip: string
  /** By the monotonic clock, and by the time of day: when the last probe left that was answered. */
  freshMs = -Infinity
  freshAt = -Infinity
  readonly ahead = new Map<number, FactPush>()
  #trail: LoggedFact[] = []
  #trailStartTip: string

  constructor({ partition, epoch, sequence }: Position, tip: string, validFrom: number, mostTrail: number) {
    this.partition = partition
    this.epoch = epoch
    this.sequence = sequence
    this.tip = tip
    this.validFrom = validFrom
    this.#trailStartTip = tip
    this.#mostTrail = mostTrail
  }

  get revision(): Revision {
    return formatRevision(this)
  }

  /** Moves on by one fact, the next. */
  append(logged: LoggedFact): void {
    this.sequence = logged.sequence
    this.tip = logged.tip
    this.#trail.push(logged)
    if (this.#trail.length <= 2 * this.#mostTrail) return
    const dropped = this.#trail.splice(0, this.#trail.length - this.#mostTrail)
    this.#trailStartTip = dropped.at(-1)!.tip
  }

  /** Begins anew somewhere else, with nothing from before. */
  restart({ epoch, sequence }: Position, tip: string, validFrom: number): void {
    Object.assign(this, { epoch, sequence, tip, validFrom, freshMs: -Infinity, freshAt: -Infinity })
    this.#trail = []
    this.#trailStartTip = tip
    this.ahead.clear()
  }

  /** The tip that the log had at a sequence number; undefined when that is not remembered. */
  tipAt(sequence: number): string | undefined {
    const index = this.#trail.length - 1 - (this.sequence - sequence)
    return index === -1 ? this.#trailStartTip : this.#trail[index]?.tip
  }

  /** What somebody at this place lacks. */
  logAfter(place: (Position & { tip: string }) | undefined): PartitionLog {
    const head = { revision: this.revision, tip: this.tip }
    if (!place) return { ...head, complete: true, otherHistory: false, facts: [] }
    const none = { ...head, complete: false, facts: [] }
    if (place.epoch !== this.epoch || place.sequence > this.sequence) return { ...none, otherHistory: true }
    const tip = this.tipAt(place.sequence)
    if (tip === undefined) return { ...none, otherHistory: false }
    if (tip !== place.tip) return { ...none, otherHistory: true }
    const missing = this.sequence - place.sequence
    return { ...head, complete: true, otherHistory: false, facts: missing === 0 ? [] : this.#trail.slice(-missing) }
  }
}

/** Facts as they were committed: each commit has a tip of its own. */
export function commitsOf({ partition, epoch }: View, facts: readonly LoggedFact[], tipBefore: string): FactPush[] {
  const pushes: FactPush[] = []
  let previousTip = tipBefore
  let told: Fact[] = []
  for (const [n, { sequence, fact, tip }] of facts.entries()) {
    told.push(fact)
    if (facts[n + 1]?.tip === tip) continue
    pushes.push({ revision: formatRevision({ partition, epoch, sequence }), tip, previousTip, facts: told })
    previousTip = tip
    told = []
  }
  return pushes
}
