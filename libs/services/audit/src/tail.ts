import { Failure } from '@countersign/contracts'
import { EventEmitter, once } from 'node:events'
import type { Journal } from './journal/port.ts'
import { maxStreams, pollMs } from './limits.ts'

/** What one stream holds of the tail. */
export interface Follower {
  /** Aborted when the stream shall end; the stream may abort it as well. */
  readonly ending: AbortController
  /**
   * Resolves with the index of the newest entry known, once it is beyond this one. Rejects when the stream shall end.
   */
  beyond(index: number): Promise<number>
  /** To be called when the stream has ended. */
  leave(): void
}

/** Tells streams that the journal has grown: at once for what this process appends, each second for what others do. */
export interface Tail {
  /** The index of the newest entry, as the journaling's `onAppended` gives it. */
  notify(head: number): void
  /** @throws Failure `too_many_requests` when there are as many streams as there may be, `unavailable` when closed. */
  follow(): Follower
  /** How many streams there are. */
  followers(): number
  /** Ends every stream, and resolves when they have ended. */
  close(): Promise<void>
}

class LiveTail implements Tail {
  readonly #journal: Pick<Journal, 'head'>
  readonly #growth = new EventEmitter()
  readonly #streams = new Map<AbortController, Promise<void>>()
  #known = 0
  #closed = false
  #timer: NodeJS.Timeout | undefined

  constructor(journal: Pick<Journal, 'head'>) {
    this.#journal = journal
    this.#growth.setMaxListeners(maxStreams)
  }

  notify(head: number): void {
    if (head <= this.#known) return
    this.#known = head
    this.#growth.emit('grown')
  }

  follow(): Follower {
    if (this.#closed) throw new Failure('unavailable', 'this service is shutting down', { retryAfterSeconds: 1 })
    if (this.#streams.size >= maxStreams)
      throw new Failure('too_many_requests', `there are ${maxStreams} streams already`, { retryAfterSeconds: 5 })
    const ending = new AbortController()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#streams.set(ending, promise)
    this.#timer ??= setInterval(() => this.#poll(), pollMs)
    const leave = () => {
      this.#streams.delete(ending)
      if (this.#streams.size === 0) this.#rest()
      resolve()
    }
    return { ending, beyond: (index) => this.#beyond(index, ending.signal), leave }
  }

  followers(): number {
    return this.#streams.size
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const ending of this.#streams.keys()) ending.abort()
    await Promise.all(this.#streams.values())
  }

  async #beyond(index: number, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted()
    while (this.#known <= index) await once(this.#growth, 'grown', { signal })
    return this.#known
  }

  #poll(): void {
    const tryLater = () => undefined // in a second
    this.#journal.head().then((head) => this.notify(head), tryLater)
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

export const createTail = ({ journal }: { journal: Pick<Journal, 'head'> }): Tail => new LiveTail(journal)
