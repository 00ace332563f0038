import { parseRevision, type Partition, type Revision } from '@countersign/contracts'
import { pendingEvents, relayLimits } from './limits.ts'

/** Where an event stands in the outbox. */
export interface Place {
  partition: Partition
  sequence: number
}

interface OnItsWay extends Place {
  /** Times it was published again. */
  repeats: number
  /** The partition's sweep at which it may be published again. */
  dueAtSweep: number
}

interface History {
  epoch: string
  /** The highest sequence number seen. */
  head: number
  /** The highest that was acknowledged and published once only, and the sweep before which that moved last. */
  acknowledgedHead: number
  movedAtSweep: number
  sweep: number
}

/**
 * The events that this process published and the journal has not acknowledged yet, by id. Bounded: the oldest are
 * forgotten first, and left to the sweep. A sequence number means something within one history of the store only, so
 * what was remembered goes when the history changes or goes back.
 */
export class Pending {
  readonly #mostEvents: number
  readonly #events = new Map<string, OnItsWay>()
  readonly #histories = new Map<Partition, History>()

  constructor(mostEvents = pendingEvents) {
    this.#mostEvents = mostEvents
  }

  get size(): number {
    return this.#events.size
  }

  /** Events just committed, and published now; their sequence numbers are dense from the first. */
  committed(partition: Partition, revision: Revision, firstSequence: number, eventIds: string[]): void {
    const history = this.#historyOf(partition, revision)
    if (firstSequence <= history.head) {
      this.#forget(partition, firstSequence)
      history.acknowledgedHead = Math.min(history.acknowledgedHead, firstSequence - 1)
    }
    history.head = firstSequence + eventIds.length - 1
    const dueAtSweep = history.sweep + relayLimits.firstPatienceSweeps
    eventIds.forEach((id, n) => this.#remember(id, { partition, sequence: firstSequence + n, repeats: 0, dueAtSweep }))
  }

  /** An event of the outbox that is published again. */
  repeated(eventId: string, place: Place, revision: Revision): void {
    const history = this.#historyOf(place.partition, revision)
    history.head = Math.max(history.head, place.sequence)
    const repeats = (this.#events.get(eventId)?.repeats ?? 0) + 1
    const { firstPatienceSweeps, longestPatienceSweeps } = relayLimits
    const patienceSweeps = Math.min(longestPatienceSweeps, firstPatienceSweeps * 2 ** Math.min(repeats, 30))
    this.#remember(eventId, { ...place, repeats, dueAtSweep: history.sweep + patienceSweeps })
  }

  has(eventId: string): boolean {
    return this.#events.has(eventId)
  }

  /**
   * Whether it may be published again. The first time only when something later was acknowledged, or nothing at all for
   * a while: the journal takes events in order, and while it is merely behind, more of the same would not help it.
   */
  isDue(eventId: string, { partition, sequence }: Place): boolean {
    const event = this.#events.get(eventId)
    const history = this.#histories.get(partition)
    if (!history) return true
    if (event && event.dueAtSweep > history.sweep) return false
    const isMoving = history.movedAtSweep >= history.sweep - 1
    return !isMoving || sequence < history.acknowledgedHead || (event !== undefined && event.repeats > 0)
  }

  /** Its place, once, because the journal has it; undefined when it is not remembered. */
  take(eventId: string): Place | undefined {
    const event = this.#events.get(eventId)
    if (!event) return undefined
    this.#events.delete(eventId)
    const history = this.#histories.get(event.partition)!
    if (event.repeats === 0 && event.sequence > history.acknowledgedHead) {
      history.acknowledgedHead = event.sequence
      history.movedAtSweep = history.sweep
    }
    return event
  }

  /** A sweep of the partition begins. */
  nextSweep(partition: Partition): void {
    const history = this.#histories.get(partition)
    if (history) history.sweep++
  }

  #remember(eventId: string, event: OnItsWay): void {
    this.#events.delete(eventId)
    this.#events.set(eventId, event)
    if (this.#events.size <= this.#mostEvents) return
    const oldest = this.#events.keys().next()
    if (!oldest.done) this.#events.delete(oldest.value)
  }

  #historyOf(partition: Partition, revision: Revision): History {
    const epoch = parseRevision(revision)?.epoch ?? ''
    const known = this.#histories.get(partition)
    if (known?.epoch === epoch) return known
    if (known) this.#forget(partition, 0)
    const history = { epoch, head: 0, acknowledgedHead: 0, movedAtSweep: -Infinity, sweep: known?.sweep ?? 0 }
    this.#histories.set(partition, history)
    return history
  }

  #forget(partition: Partition, fromSequence: number): void {
    for (const [id, event] of this.#events) {
      if (event.partition === partition && event.sequence >= fromSequence) this.#events.delete(id)
    }
  }
}
