import { hash } from 'node:crypto'
import { formatRevision, parseRevision, type Fact, type FactPush, type Partition } from '@countersign/contracts'
import type { Place, PartitionLog } from '../view.ts'

/** A partition's log of facts, as a store keeps it. */
export class TestLog {
  readonly partition: Partition
  epoch: string
  #facts: { fact: Fact; tip: string }[] = []
  #trimmed = 0
  #branch = ''

  constructor(partition: Partition = 0, epoch = 'aa') {
    this.partition = partition
    this.epoch = epoch
  }

  get sequence(): number {
    return this.#facts.length
  }

  get revision(): string {
    return formatRevision(this)
  }

  get tip(): string {
    return this.#tipAt(this.sequence)
  }

  /** Appends the facts of one commit, and says what is pushed for them. */
  commit(...facts: Fact[]): FactPush {
    const previousTip = this.tip
    const tip = hash('sha256', `${this.epoch}:${this.#branch}:${this.partition}:${this.sequence}`).slice(0, 16)
    for (const fact of facts) this.#facts.push({ fact, tip })
    return { revision: this.revision, tip, previousTip, facts }
  }

  /** No longer tells what there is so far. */
  trim(): void {
    this.#trimmed = this.sequence
  }

  /** The same log, whose further commits are others. */
  branch(name: string): TestLog {
    const copy = new TestLog(this.partition, this.epoch)
    copy.#facts = [...this.#facts]
    copy.#branch = name
    return copy
  }

  /** What somebody at these places lacks. */
  after(places: readonly Place[]): PartitionLog {
    const place = places.find(({ revision }) => parseRevision(revision)!.partition === this.partition)
    const head = { revision: this.revision, tip: this.tip, otherHistory: false }
    if (!place) return { ...head, complete: true, facts: [] }
    const { epoch, sequence } = parseRevision(place.revision)!
    const isOther = epoch !== this.epoch || sequence > this.sequence || this.#tipAt(sequence) !== place.tip
    if (isOther) return { ...head, complete: false, otherHistory: true, facts: [] }
    if (sequence < this.#trimmed) return { ...head, complete: false, facts: [] }
    const facts = this.#facts.slice(sequence).map((logged, n) => ({ ...logged, sequence: sequence + n + 1 }))
    return { ...head, complete: true, facts }
  }

  #tipAt(sequence: number): string {
    return this.#facts[sequence - 1]?.tip ?? ''
  }
}
