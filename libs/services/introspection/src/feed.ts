import { parseRevision, type Partition } from '@countersign/contracts'
import type { Clock, LeasedCache, PartitionLog } from '@countersign/leased-cache'
import type { Reader } from '@countersign/store'
import { limits } from './limits.ts'

/** Somebody who waits for the next reading of the heads. */
export interface Waiting {
  /** A reading begins. @returns what to call with the partitions that it read, all of them after now */
  onReading(): (proven: readonly Partition[]) => void
}

export interface FeedOptions {
  reader: Pick<Reader, 'facts'>
  cache: LeasedCache<unknown>
  partitions: number
  clock: Clock
  onFailure(failure: unknown): void
}

/** Reads the heads of the logs of facts, at most once an interval, for everybody who waits for that. */
export class Feed {
  readonly #options: FeedOptions
  readonly #partitions: readonly Partition[]
  readonly #waiting = new Set<Waiting>()
  #intervalMs = Infinity
  #beganMs: number | undefined
  #isReading = false
  #isHasty = false
  #isRunning = false
  #cancel = (): void => undefined
  readonly counts = { readings: 0, failures: 0 }

  constructor(options: FeedOptions) {
    this.#options = options
    this.#partitions = Array.from({ length: options.partitions }, (_, partition) => partition)
  }

  start(): void {
    this.#isRunning = true
    this.#schedule()
  }

  stop(): void {
    this.#isRunning = false
    this.#cancel()
  }

  /** Has the next reading that begins tell this, once. */
  wait(waiting: Waiting): void {
    this.#waiting.add(waiting)
  }

  /** How often the heads are to be read: the least of what the caches at hand need. */
  need(intervalMs: number): void {
    if (intervalMs === this.#intervalMs) return
    this.#intervalMs = intervalMs
    this.#schedule()
  }

  /** Something is missing that a reading would bring. */
  hasten(): void {
    if (this.#isHasty) return
    this.#isHasty = true
    this.#schedule()
  }

  #schedule(): void {
    const { clock } = this.#options
    this.#cancel()
    if (!this.#isRunning || this.#isReading) return
    const pauseMs = this.#isHasty ? Math.min(limits.hastyReadingMs, this.#intervalMs) : this.#intervalMs
    if (pauseMs === Infinity) return
    const sinceMs = this.#beganMs === undefined ? Infinity : clock.monotonicMs() - this.#beganMs
    this.#cancel = clock.after(Math.max(0, pauseMs - sinceMs), () => void this.#run())
  }

  async #run(): Promise<void> {
    this.#isReading = true
    this.#isHasty = false
    this.#beganMs = this.#options.clock.monotonicMs()
    try {
      await this.#read()
    } finally {
      this.#isReading = false
      this.#schedule()
    }
  }

  async #read(): Promise<void> {
    const { cache } = this.#options
    // Who comes from here on has to wait for the next reading: this one may be older than what they want to know.
    const served = [...this.#waiting].map((each) => each.onReading())
    this.#waiting.clear()
    const { nonce, places } = cache.probe()
    const known = new Map(places.map((place) => [parseRevision(place.revision)?.partition, place]))
    this.counts.readings++
    const logs = await Promise.all(this.#partitions.map((partition) => this.#readHead(partition, known.get(partition))))
    const proven = cache.settle(
      nonce,
      logs.filter((log) => log !== undefined),
    )
    await this.#tell(served, proven)
  }

  /** A few at a time, over a part of the interval: a fact that comes meanwhile does not wait for a thousand answers. */
  async #tell(
    served: readonly ((proven: readonly Partition[]) => void)[],
    proven: readonly Partition[],
  ): Promise<void> {
    const { clock } = this.#options
    const spreadMs = this.#intervalMs * limits.answersSpread
    const turns = Math.max(1, Math.min(served.length / limits.answersATurn, spreadMs / limits.leastAnswersPauseMs))
    const atOnce = Math.ceil(served.length / turns)
    for (let from = 0; from < served.length && this.#isRunning; from += atOnce) {
      if (from > 0) await new Promise<void>((resolve) => void clock.after(spreadMs / turns, resolve))
      for (const tell of served.slice(from, from + atOnce)) tell(proven)
    }
  }

  async #readHead(
    partition: Partition,
    place: { revision: string; tip: string } | undefined,
  ): Promise<PartitionLog | undefined> {
    try {
      return await this.#options.reader.facts(partition, place?.revision, place?.tip)
    } catch (failure) {
      this.counts.failures++
      this.#options.onFailure(failure)
      return undefined
    }
  }
}
