import { decodeEvent, messageOf, type Millis, type Partition } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import type { Outbox, OutboxEntry } from '@countersign/store'
import type { RelayLimits } from './limits.ts'
import { reasonOf, type Log } from './log.ts'
import { backoffMs, type Pace } from './pause.ts'
import type { Pending } from './pending.ts'
import type { Bus } from './port.ts'

export interface SweepOptions {
  partition: Partition
  outbox: Outbox
  bus: Bus
  pending: Pending
  now: () => Millis
  log: Log
  limits: RelayLimits
  signal: AbortSignal
  pace: Pace
  paused: () => boolean
}

interface Item {
  entry: OutboxEntry
  event: Event
}

/** Walks one partition's outbox and sees to what was not acknowledged in time. */
export class Sweep {
  readonly #options: SweepOptions
  /** How far the sweep before this one looked: what is still there is old, whatever the clocks say. */
  #seenSequence = 0
  #waitingPages = 0
  #isAnswered = true

  backlogEvents = 0
  oldestAgeMs = 0
  republished = 0
  removed = 0
  undecodable = 0

  constructor(options: SweepOptions) {
    this.#options = options
  }

  /** Sweeps until the signal aborts; more slowly while that is of no use. */
  async run(): Promise<void> {
    const { signal, limits, partition, log, paused, pace } = this.#options
    let fruitless = 0
    while (!signal.aborted) {
      try {
        fruitless = paused() || (await this.#sweep()) ? 0 : fruitless + 1
      } catch (error) {
        fruitless++
        log.warn({ partition, reason: reasonOf(error) }, 'the outbox could not be swept; trying again')
      }
      const longerMs = fruitless === 0 ? 0 : backoffMs(fruitless, limits.sweepMs, limits.longestSweepMs, pace.random)
      await pace.pause(limits.sweepMs * (1 + pace.random()) + longerMs, signal)
    }
  }

  /** False when nobody answered and nothing was acknowledged. */
  async #sweep(): Promise<boolean> {
    const { outbox, pending, partition, bus } = this.#options
    pending.nextSweep(partition)
    this.backlogEvents = await outbox.size()
    const seenBefore = this.#seenSequence
    const [head] = await outbox.read(0, 1)
    const event = head && eventOf(head)
    this.#seenSequence = head?.sequence ?? 0
    this.oldestAgeMs = event ? this.#ageMs(event) : 0
    if (bus.state() === 'down' || !head || !this.#isOld(head, event, seenBefore)) return true
    const bad = this.undecodable
    this.undecodable = 0
    const isOfUse = await this.#walk(seenBefore)
    if (this.undecodable > bad) this.#tellUndecodable()
    return isOfUse
  }

  /** From the oldest entry on, page by page without a rest, as long as that is of use. */
  async #walk(seenBefore: number): Promise<boolean> {
    const { outbox, limits } = this.#options
    this.#waitingPages = 0
    for (let after = 0; !this.#isStopped();) {
      const page = await outbox.read(after, limits.pageEntries)
      after = this.#seenSequence = page.at(-1)?.sequence ?? after
      const old: Item[] = []
      let youngEntries = 0
      for (const entry of page) {
        const event = eventOf(entry)
        if (!this.#isOld(entry, event, seenBefore)) youngEntries++
        else if (event) old.push({ entry, event })
        else this.undecodable++
      }
      const outcome = old.length === 0 ? 'go on' : await this.#settle(old)
      if (outcome !== 'go on') return outcome !== 'nobody answers'
      if (page.length < limits.pageEntries || youngEntries > 0) break
    }
    return true
  }

  /** Takes away what the journal has, and publishes the rest again. */
  async #settle(items: Item[]): Promise<'go on' | 'enough for now' | 'nobody answers'> {
    const { limits } = this.#options
    const held = await this.#ask(items)
    const journaled = items.filter(({ event }) => held?.has(event.id))
    if (journaled.length > 0) await this.#remove(journaled)
    const published = items.filter((item) => !held?.has(item.event.id) && this.#isDue(item) && this.#publish(item))
    const acknowledgedEvents = await this.#acknowledged(published.map(({ event }) => event.id))
    if (journaled.length > 0 || acknowledgedEvents > 0) return 'go on'
    if (held === undefined) return 'nobody answers'
    // What waits for its turn must not hide what is behind it; but nobody is helped by asking about all of it.
    return published.length === 0 && this.#waitingPages++ < limits.waitingPages ? 'go on' : 'enough for now'
  }

  #isDue({ entry, event }: Item): boolean {
    const { pending, partition } = this.#options
    return pending.isDue(event.id, { partition, sequence: entry.sequence })
  }

  async #ask(items: Item[]): Promise<Set<string> | undefined> {
    const { bus, limits, log, partition } = this.#options
    try {
      const ids = items.map(({ event }) => event.id)
      const held = new Set(await bus.ask(ids, limits.askMs))
      if (!this.#isAnswered) log.info({ partition }, 'the journal answers again')
      this.#isAnswered = true
      return held
    } catch (error) {
      const fields = { partition, backlogEvents: this.backlogEvents, reason: reasonOf(error) }
      if (this.#isAnswered) log.warn(fields, 'the journal does not answer; events wait in the outbox')
      this.#isAnswered = false
      return undefined
    }
  }

  async #remove(items: Item[]): Promise<void> {
    const { outbox, pending } = this.#options
    await outbox.remove(items.map(({ entry, event }) => ({ sequence: entry.sequence, eventId: event.id })))
    this.removed += items.length
    for (const { event } of items) pending.take(event.id)
  }

  #publish({ entry, event }: Item): boolean {
    const { bus, pending, partition } = this.#options
    const { revision, sequence } = entry
    try {
      const message = messageOf(event, entry.event, { revision, sequence })
      pending.repeated(event.id, { partition, sequence }, revision)
      bus.publish(message)
      this.republished++
      return true
    } catch {
      this.undecodable++
      return false
    }
  }

  /** Waits for acknowledgements as long as some come, and tells how many did. */
  async #acknowledged(eventIds: string[]): Promise<number> {
    const { pending, limits, signal, pace } = this.#options
    let open = eventIds
    let idleMs = 0
    while (open.length > 0 && idleMs < limits.patienceMs && !this.#isStopped()) {
      await pace.pause(limits.settleMs, signal)
      const still = open.filter((id) => pending.has(id))
      idleMs = still.length < open.length ? 0 : idleMs + limits.settleMs
      open = still
    }
    return eventIds.length - open.length
  }

  /** What is no event counts as old: there is nothing to wait for. */
  #isOld({ sequence }: OutboxEntry, event: Event | undefined, seenSequence: number): boolean {
    return !event || sequence <= seenSequence || this.#ageMs(event) >= this.#options.limits.youngMs
  }

  #ageMs({ time }: Event): Millis {
    return Math.max(0, this.#options.now() - time)
  }

  #isStopped(): boolean {
    return this.#options.signal.aborted || this.#options.paused()
  }

  #tellUndecodable(): void {
    const { log, partition } = this.#options
    log.warn({ partition, events: this.undecodable }, 'the outbox has entries that are no events; they stay there')
  }
}

/** The event of an entry; undefined when the bytes are none, or lack what every event has. */
function eventOf({ event: bytes }: OutboxEntry): Event | undefined {
  try {
    const event = decodeEvent(bytes)
    return event.id !== '' && event.type !== '' ? event : undefined
  } catch {
    return undefined
  }
}
