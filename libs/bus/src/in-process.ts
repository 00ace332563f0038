import { Failure, type FactPush, type Message } from '@countersign/contracts'
import { Delivery } from './delivery.ts'
import { deliveryLimits, inProcessLimits } from './limits.ts'
import { reasonOf, silentLog, type Log } from './log.ts'
import { pause, within } from './pause.ts'
import type { Bus, Consumer, Subscription } from './port.ts'
import { answersOf, type SurveyHandler } from './survey.ts'

/** Messages for the consumers of one name. */
class Queue {
  readonly #messages: Message[] = []
  readonly #waiting = new Set<() => void>()

  get length(): number {
    return this.#messages.length
  }

  push(message: Message): boolean {
    if (this.#messages.length >= inProcessLimits.queuedMessages) return false
    this.#messages.push(message)
    if (this.#waiting.size > 0) this.wake()
    return true
  }

  take(most: number): Message[] {
    return this.#messages.splice(0, most)
  }

  putBack(messages: Message[]): void {
    this.#messages.unshift(...messages)
  }

  arrival(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

/** Feeds one consumer from its queue. */
class Feed implements Subscription {
  readonly #consumer: Consumer
  readonly #queue: Queue
  readonly #delivery: Delivery
  readonly #running: Promise<void>
  readonly #closing = new AbortController()

  constructor(consumer: Consumer, queue: Queue, log: Log) {
    this.#consumer = consumer
    this.#queue = queue
    this.#delivery = new Delivery(consumer, log)
    this.#running = this.#run()
  }

  get waitingMessages(): number {
    return this.#queue.length
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    const { batchMessages } = this.#consumer
    while (!signal.aborted) {
      if (this.#queue.length === 0) await this.#queue.arrival()
      if (this.#queue.length < batchMessages) await pause(deliveryLimits.gatherMs, signal)
      const batch = this.#queue.take(batchMessages)
      if (!(await this.#delivery.deliver(batch))) this.#queue.putBack(batch)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#queue.wake()
    await this.#delivery.stop()
    await this.#running
  }
}

class InProcessBus implements Bus {
  readonly #log: Log
  readonly #queues = new Map<string, Queue>()
  readonly #feeds = new Set<Feed>()
  readonly #acknowledged = new Set<(eventIds: string[]) => void>()
  readonly #answers = new Set<(eventIds: string[]) => Promise<string[]>>()
  readonly #announced = new Set<(push: FactPush) => void>()
  readonly #surveyed = new Set<SurveyHandler>()
  #overflowing = false
  #closed = false

  constructor(log: Log) {
    this.#log = log
  }

  publish(message: Message): void {
    if (this.#closed) return
    let taken = true
    for (const queue of this.#queues.values()) taken = queue.push(message) && taken
    if (!taken && !this.#overflowing) this.#log.warn({}, 'a consumer is behind; events are left to the relay')
    this.#overflowing = !taken
  }

  async consume(consumer: Consumer): Promise<Subscription> {
    const queue = this.#queues.get(consumer.name) ?? new Queue()
    this.#queues.set(consumer.name, queue)
    const feed = new Feed(consumer, queue, this.#log)
    this.#feeds.add(feed)
    const close = async () => {
      this.#feeds.delete(feed)
      await feed.close()
    }
    return { close }
  }

  acknowledge(eventIds: string[]): void {
    setImmediate(() => this.#tell(this.#acknowledged, eventIds, 'an acknowledgement was not handled'))
  }

  onAcknowledged(handler: (eventIds: string[]) => void): Subscription {
    this.#acknowledged.add(handler)
    return { close: async () => void this.#acknowledged.delete(handler) }
  }

  async ask(eventIds: string[], deadlineMs: number): Promise<string[]> {
    const [answer] = this.#answers
    if (!answer) throw new Failure('unavailable', 'the journal does not answer')
    try {
      const late = () => new Failure('unavailable', 'the journal did not answer in time')
      return await within(deadlineMs, answer(eventIds), late)
    } catch (error) {
      if (error instanceof Failure && error.code === 'unavailable') throw error
      throw new Failure('unavailable', 'the journal could not answer', { cause: error })
    }
  }

  answer(handler: (eventIds: string[]) => Promise<string[]>): Subscription {
    this.#answers.add(handler)
    return { close: async () => void this.#answers.delete(handler) }
  }

  announce(push: FactPush): void {
    if (this.#closed) return
    queueMicrotask(() => this.#tell(this.#announced, push, 'an announcement was not handled'))
  }

  onAnnounced(handler: (push: FactPush) => void): Subscription {
    this.#announced.add(handler)
    return { close: async () => void this.#announced.delete(handler) }
  }

  async survey(question: Uint8Array): Promise<Uint8Array[]> {
    return answersOf(this.#surveyed, question, this.#log)
  }

  onSurvey(handler: SurveyHandler): Subscription {
    this.#surveyed.add(handler)
    return { close: async () => void this.#surveyed.delete(handler) }
  }

  #tell<T>(handlers: Set<(what: T) => void>, what: T, trouble: string): void {
    for (const handler of handlers) {
      try {
        handler(what)
      } catch (error) {
        this.#log.warn({ reason: reasonOf(error) }, trouble)
      }
    }
  }

  state(): 'up' | 'down' {
    return this.#closed ? 'down' : 'up'
  }

  async close(): Promise<void> {
    this.#closed = true
    const over = AbortSignal.timeout(inProcessLimits.closeMs)
    const fed = () => [...this.#feeds].every((feed) => feed.waitingMessages === 0)
    while (!fed() && !over.aborted) await pause(5, over)
    await Promise.all([...this.#feeds].map((feed) => feed.close()))
  }
}

/** Events from hand to hand within one process: nothing to install, nothing kept. */
export const createInProcessBus = ({ log = silentLog }: { log?: Log } = {}): Bus => new InProcessBus(log)
