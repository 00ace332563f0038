import type { Bus } from '@countersign/bus'
import { setTimeout as sleep } from 'node:timers/promises'
import { asFailure, Failure, type Message, type Millis } from '@countersign/contracts'
import { createForgetting } from './forgetting.ts'
import { createGapWatch } from './gap-watch.ts'
import { take, type Poison } from './intake.ts'
import type { Journal, JournalRecord } from './journal/port.ts'
import { appendSpacingMs, batchMessages, gapCheckMs } from './limits.ts'
import type { Log } from './log.ts'
import { parkedRecord } from './own-events.ts'

export interface JournalingOptions {
  bus: Pick<Bus, 'consume' | 'acknowledge' | 'answer'>
  journal: Journal
  log: Log
  now: () => Millis
  /** Called after every append that added something, with the index of the newest entry. */
  onAppended?: (head: number) => void
}

/** Counted since the start of this process. */
export interface JournalingStats {
  /** Events that this process put into the journal. */
  appended: number
  /** Messages whose event was in the journal already. */
  duplicates: number
  /** Messages parked: an alarm. */
  parked: number
  /** Gaps that are an alarm now. */
  gapsOpen: number
  /** Index of the newest entry known. */
  head: number
  /** Milliseconds from when the newest event of the last batch was decided until it was in the journal. */
  lagMs: number
  /** False while the journal cannot be written. */
  available: boolean
}

export interface Journaling {
  stats(): JournalingStats
  /** Looks for gaps now; it is also done every few seconds. @throws Failure `unavailable` */
  checkGaps(): Promise<void>
  /** Stops taking batches, once the one under way is done. */
  close(): Promise<void>
}

class Journalist {
  readonly #options: JournalingOptions
  readonly counts = { appended: 0, duplicates: 0, parked: 0, head: 0, lagMs: 0, available: true }

  constructor(options: JournalingOptions) {
    this.#options = options
  }

  /** Resolves once all of it is in the journal, or parked; acknowledged then, never before. */
  async take(batch: Message[]): Promise<void> {
    const { bus, now, log } = this.#options
    const poison: Poison[] = []
    const records: JournalRecord[] = []
    const messages = new Map<JournalRecord, Message>()
    for (const message of batch) {
      const taken = take(message, now())
      if ('defect' in taken) poison.push(taken)
      else {
        records.push(taken)
        messages.set(taken, message)
      }
    }
    try {
      for (const refused of await this.#appendWhatCanBe(records))
        poison.push({ message: messages.get(refused)!, defect: 'refused' })
      await this.#park(poison)
    } catch (thrown) {
      if (this.counts.available) log.warn({ err: thrown }, 'the audit journal cannot be written; events wait')
      this.counts.available = false
      throw thrown
    }
    if (!this.counts.available) log.info({}, 'the audit journal can be written again')
    this.counts.available = true
    bus.acknowledge(batch.map(({ id }) => id).filter((id) => id !== ''))
  }

  /**
   * Appends; when the journal refuses, in ever smaller parts, so that only what it refuses by itself is left. Gives
   * that.
   */
  async #appendWhatCanBe(records: JournalRecord[]): Promise<JournalRecord[]> {
    if (records.length === 0) return []
    try {
      await this.append(records)
      return []
    } catch (thrown) {
      if (asFailure(thrown).code !== 'invalid_request') throw thrown
      if (records.length === 1) return records
    }
    const middle = Math.ceil(records.length / 2)
    const refused = await this.#appendWhatCanBe(records.slice(0, middle))
    return [...refused, ...(await this.#appendWhatCanBe(records.slice(middle)))]
  }

  async append(records: JournalRecord[]): Promise<void> {
    const { appended, head } = await this.#options.journal.append(records)
    this.counts.duplicates += records.length - appended
    if (appended === 0) return
    this.counts.appended += appended
    const newest = records.reduce((latest, { event }) => Math.max(latest, event.time), -Infinity)
    this.counts.lagMs = Math.max(0, this.#options.now() - newest)
    this.sawHead(head)
  }

  sawHead(head: number): void {
    if (head <= this.counts.head) return
    this.counts.head = head
    this.#options.onAppended?.(head)
  }

  async #park(poison: Poison[]): Promise<void> {
    if (poison.length === 0) return
    const { journal, log, now } = this.#options
    for (const { message, defect } of poison) {
      const { id, subject, data: bytes } = message
      if (!(await journal.park({ id, subject, bytes, error: defect, at: now() }))) continue
      this.counts.parked++
      const fields = { defect, subject: subject.slice(0, 200), event: id.slice(0, 200), bytes: bytes.length }
      log.error(fields, 'a message that cannot be journaled is parked')
    }
    await this.append(poison.map((one) => parkedRecord(one, now())))
  }
}

/**
 * Keeps the journal: takes what the bus brings, and answers which events it has. A batch is acknowledged after it is
 * durable, and an event that comes twice is one record; what cannot be an event is parked and tells of itself in the
 * journal. Deleted accounts are forgotten meanwhile.
 */
export async function createJournaling(options: JournalingOptions): Promise<Journaling> {
  const { bus, journal, log, now } = options
  const journalist = new Journalist(options)
  const watch = createGapWatch(journal, log, now)
  const checkGaps = async () => {
    await watch.look()
    journalist.sawHead(await journal.head())
  }
  const consuming = await bus.consume({
    name: 'audit-journal',
    batchMessages,
    async onBatch(batch) {
      const nextMs = performance.now() + appendSpacingMs
      await journalist.take(batch)
      if (batch.length < batchMessages) await sleep(Math.max(0, nextMs - performance.now()))
    },
  })
  const forgetting = createForgetting({ journal, log, now, onAppended: (head) => journalist.sawHead(head) })
  const answering = bus.answer((ids) => journal.held(ids))
  let checking: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    const tolerate = (thrown: unknown) => {
      if (!(thrown instanceof Failure && thrown.code === 'unavailable')) log.error({ err: thrown }, 'gaps not checked')
    }
    checking = checking.then(checkGaps).catch(tolerate)
  }, gapCheckMs)
  timer.unref()
  return {
    stats: () => ({ ...journalist.counts, gapsOpen: watch.open() }),
    checkGaps,
    async close() {
      clearInterval(timer)
      await Promise.all([answering.close(), consuming.close(), forgetting.close(), checking])
    },
  }
}
