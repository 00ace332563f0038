import type { Message } from '@countersign/contracts'
import { deliveryLimits, type DeliveryLimits } from './limits.ts'
import { reasonOf, type Log } from './log.ts'
import { backoffMs, pause } from './pause.ts'
import type { Consumer } from './port.ts'

interface Aside {
  failures: number
  timer: NodeJS.Timeout
}

/**
 * Hands batches to a consumer, one at a time, until it takes them. A batch that fails comes again in ever smaller
 * parts, so that one bad message is found; alone and failing, it is set aside and tried again later by itself, and the
 * others go on. While everything fails, little is set aside and the rest waits.
 */
export class Delivery {
  readonly #consumer: Consumer
  readonly #log: Log
  readonly #limits: DeliveryLimits
  readonly #stopping = new AbortController()
  readonly #aside = new Map<Message, Aside>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(consumer: Consumer, log: Log, limits: DeliveryLimits = deliveryLimits) {
    this.#consumer = consumer
    this.#log = log
    this.#limits = limits
  }

  /** True once each message was taken or set aside; false when stopped before. Never rejects. */
  async deliver(batch: Message[]): Promise<boolean> {
    const { firstPauseMs, longestPauseMs, failuresBeforeAside } = this.#limits
    let rest = batch
    let size = batch.length
    let failures = 0
    while (rest.length > 0) {
      if (this.#stopping.signal.aborted) return false
      if (await this.#attempt(rest.slice(0, size))) {
        rest = rest.slice(size)
        size = Math.min(size * 4, rest.length)
        failures = 0
        continue
      }
      failures++
      if (size > 1) size = Math.ceil(size / 4)
      else if (failures >= failuresBeforeAside) {
        this.#setAside(rest[0]!, 1)
        rest = rest.slice(1)
      }
      await pause(backoffMs(failures, firstPauseMs, longestPauseMs), this.#stopping.signal)
    }
    return true
  }

  /** Messages that failed by themselves and wait for another try. */
  get asideMessages(): number {
    return this.#aside.size
  }

  /** Lets the attempt under way end, and makes no other. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const { timer } of this.#aside.values()) clearTimeout(timer)
    this.#aside.clear()
    await this.#turn
  }

  #attempt(batch: Message[]): Promise<boolean> {
    const attempt = this.#turn.then(async () => {
      if (this.#stopping.signal.aborted) return false
      try {
        await this.#consumer.onBatch(batch)
        return true
      } catch (error) {
        const fields = { consumer: this.#consumer.name, messages: batch.length, reason: reasonOf(error) }
        this.#log.warn(fields, 'a consumer did not take its messages; they come again')
        return false
      }
    })
    this.#turn = attempt
    return attempt
  }

  #setAside(message: Message, failures: number): void {
    if (this.#stopping.signal.aborted) return
    const oldest = this.#aside.keys().next()
    if (this.#aside.size >= this.#limits.asideMessages && !oldest.done) {
      clearTimeout(this.#aside.get(oldest.value)?.timer)
      this.#aside.delete(oldest.value)
      this.#log.warn({ consumer: this.#consumer.name, event: oldest.value.id }, 'gave up a message; the relay has it')
    }
    const { firstPauseMs, longestAsidePauseMs, failuresBeforeAside } = this.#limits
    const afterMs = backoffMs(failures + failuresBeforeAside, firstPauseMs, longestAsidePauseMs)
    this.#aside.set(message, { failures, timer: setTimeout(() => void this.#tryAgain(message), afterMs) })
  }

  async #tryAgain(message: Message): Promise<void> {
    const taken = await this.#attempt([message])
    const aside = this.#aside.get(message)
    if (!aside) return
    this.#aside.delete(message)
    if (!taken) this.#setAside(message, aside.failures + 1)
  }
}
