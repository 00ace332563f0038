import type { Partition } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import type { RelayLimits } from './limits.ts'
import { reasonOf, type Log } from './log.ts'
import type { Pace } from './pause.ts'

/** An event that the journal has, and its place in the outbox. */
interface Journaled {
  sequence: number
  eventId: string
}

/** Takes acknowledged events out of the outbox, many at once. */
export class Remover {
  readonly #store: Store
  readonly #log: Log
  readonly #limits: RelayLimits
  readonly #signal: AbortSignal
  readonly #pace: Pace
  #waiting = new Map<Partition, Journaled[]>()
  #running: Promise<void> | undefined
  removed = 0

  constructor(store: Store, log: Log, limits: RelayLimits, signal: AbortSignal, pace: Pace) {
    this.#store = store
    this.#log = log
    this.#limits = limits
    this.#signal = signal
    this.#pace = pace
  }

  add(partition: Partition, event: Journaled): void {
    const events = this.#waiting.get(partition)
    if (events) events.push(event)
    else this.#waiting.set(partition, [event])
    this.#running ??= this.#run()
  }

  async finish(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#pace.pause(this.#limits.collectMs, this.#signal)
      const waiting = this.#waiting
      this.#waiting = new Map()
      await Promise.all([...waiting].map(([partition, events]) => this.#remove(partition, events)))
    }
    this.#running = undefined
  }

  async #remove(partition: Partition, events: Journaled[]): Promise<void> {
    const { pageEntries } = this.#limits
    try {
      for (let from = 0; from < events.length; from += pageEntries) {
        const some = events.slice(from, from + pageEntries)
        await this.#store.outbox(partition).remove(some)
        this.removed += some.length
      }
    } catch (error) {
      const reason = reasonOf(error)
      this.#log.warn({ partition, reason }, 'journaled events stay in the outbox for now; the sweep finds them')
    }
  }
}
