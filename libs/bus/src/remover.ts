import type { Partition } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import type { RelayLimits } from './limits.ts'
import { reasonOf, type Log } from './log.ts'
import { pause } from './pause.ts'

/** Takes acknowledged events out of the outbox, many at once. */
export class Remover {
  readonly #store: Store
  readonly #log: Log
  readonly #limits: RelayLimits
  readonly #signal: AbortSignal
  #waiting = new Map<Partition, number[]>()
  #running: Promise<void> | undefined
  removed = 0

  constructor(store: Store, log: Log, limits: RelayLimits, signal: AbortSignal) {
    this.#store = store
    this.#log = log
    this.#limits = limits
    this.#signal = signal
  }

  add(partition: Partition, sequence: number): void {
    const sequences = this.#waiting.get(partition)
    if (sequences) sequences.push(sequence)
    else this.#waiting.set(partition, [sequence])
    this.#running ??= this.#run()
  }

  async finish(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await pause(this.#limits.collectMs, this.#signal)
      const waiting = this.#waiting
      this.#waiting = new Map()
      await Promise.all([...waiting].map(([partition, sequences]) => this.#remove(partition, sequences)))
    }
    this.#running = undefined
  }

  async #remove(partition: Partition, sequences: number[]): Promise<void> {
    const { pageEntries } = this.#limits
    try {
      for (let from = 0; from < sequences.length; from += pageEntries) {
        const some = sequences.slice(from, from + pageEntries)
        await this.#store.outbox(partition).remove(some)
        this.removed += some.length
      }
    } catch (error) {
      const reason = reasonOf(error)
      this.#log.warn({ partition, reason }, 'journaled events stay in the outbox for now; the sweep finds them')
    }
  }
}
