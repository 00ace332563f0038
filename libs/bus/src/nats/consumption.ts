import type { Message } from '@countersign/contracts'
import type { Consumer as JetStreamConsumer, JsMsg } from '@nats-io/jetstream'
import { Delivery } from '../delivery.ts'
import { deliveryLimits, natsLimits } from '../limits.ts'
import { reasonOf, type Log } from '../log.ts'
import { backoffMs, pause } from '../pause.ts'
import type { Consumer, Subscription } from '../port.ts'
import type { Link, Session } from './link.ts'
import { messageIdHeader } from './publisher.ts'
import { ensureConsumer } from './stream.ts'

/** From finding the durable consumer to losing it; acknowledgements count within it only. */
interface Run {
  isOver: boolean
}

interface Arrived {
  message: JsMsg
  run: Run
}

/** Reads what it is asked for when it is asked: most consumers want the data only. */
class ArrivedMessage implements Message {
  readonly #message: JsMsg

  constructor(message: JsMsg) {
    this.#message = message
  }

  get id(): string {
    return this.#message.headers?.get(messageIdHeader) ?? ''
  }

  get subject(): string {
    return this.#message.subject
  }

  get headers(): Record<string, string> {
    const attributes = [...(this.#message.headers ?? [])].filter(([name]) => !name.startsWith('Nats-'))
    return Object.fromEntries(attributes.map(([name, values]) => [name, values[0] ?? '']))
  }

  get data(): Uint8Array {
    return this.#message.data
  }
}

/**
 * Feeds one consumer from the stream. It fetches only what there is room for, so a slow handler is felt by nobody else,
 * and outlives connections and the stream itself: after either is lost it starts again with a new run.
 */
export class Consumption implements Subscription {
  readonly #consumer: Consumer
  readonly #link: Link
  readonly #log: Log
  readonly #delivery: Delivery
  readonly #closing = new AbortController()
  readonly #arrived: Arrived[] = []
  readonly #leaveLink: () => void
  readonly #running: Promise<void>
  #wake: () => void = () => undefined
  #makeRoom: () => void = () => undefined

  constructor(consumer: Consumer, link: Link, log: Log) {
    this.#consumer = consumer
    this.#link = link
    this.#log = log
    this.#delivery = new Delivery(consumer, log)
    this.#running = this.#handOut()
    this.#leaveLink = link.eachSession((session) => void this.#serve(session))
  }

  async close(): Promise<void> {
    this.#leaveLink()
    this.#closing.abort()
    this.#wake()
    this.#makeRoom()
    await this.#delivery.stop()
    await this.#running
    this.#giveBack(this.#arrived.splice(0))
  }

  /** Fetches from one session until it ends. */
  async #serve(session: Session): Promise<void> {
    const signal = AbortSignal.any([session.ended, this.#closing.signal])
    signal.addEventListener('abort', () => this.#makeRoom(), { once: true })
    let failures = 0
    while (!signal.aborted) {
      const run: Run = { isOver: false }
      try {
        await this.#link.ensureStream(session)
        const source = await ensureConsumer(session.connection, session.manager, this.#consumer.name)
        while (!signal.aborted) {
          await this.#fetch(source, run, signal)
          failures = 0
        }
      } catch (error) {
        const fields = { consumer: this.#consumer.name, reason: reasonOf(error) }
        if (!signal.aborted) this.#log.warn(fields, 'fetching events was interrupted; starting again')
        await pause(backoffMs(++failures, natsLimits.firstReconnectMs, natsLimits.longestReconnectMs), signal)
      } finally {
        run.isOver = true
      }
    }
  }

  /** One fetch: messages come as the stream has them, until there are as many as there was room for. */
  async #fetch(source: JetStreamConsumer, run: Run, signal: AbortSignal): Promise<void> {
    const most = this.#consumer.batchMessages * natsLimits.batchesAhead
    while (this.#arrived.length > most / 2 && !signal.aborted) {
      await new Promise<void>((resolve) => (this.#makeRoom = resolve))
    }
    if (signal.aborted) return
    const messages = await source.fetch({
      max_messages: most - this.#arrived.length,
      expires: natsLimits.fetchMs,
      idle_heartbeat: natsLimits.fetchHeartbeatMs,
    })
    const stop = () => messages.stop()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      for await (const message of messages) {
        this.#arrived.push({ message, run })
        this.#wake()
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #handOut(): Promise<void> {
    const { signal } = this.#closing
    const { batchMessages } = this.#consumer
    while (!signal.aborted) {
      if (this.#arrived.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
      if (this.#arrived.length < batchMessages) await pause(deliveryLimits.gatherMs, signal)
      if (signal.aborted) return
      const some = this.#arrived.splice(0, batchMessages)
      this.#makeRoom()
      const isDone = await this.#delivery.deliver(some.map(({ message }) => new ArrivedMessage(message)))
      if (isDone) this.#acknowledge(some.at(-1)!)
      else this.#giveBack(some)
    }
  }

  /** After the stream was made anew its numbers begin again, and an old acknowledgement would hit the wrong messages. */
  #acknowledge({ message, run }: Arrived): void {
    if (!run.isOver) this.#quietly(() => message.ack())
  }

  /** To be delivered again at once, to whoever consumes next. */
  #giveBack(arrived: Arrived[]): void {
    for (const { message, run } of arrived) if (!run.isOver) this.#quietly(() => message.nak())
  }

  /** A connection that is gone has forgotten what it delivered; it comes again. */
  #quietly(send: () => void): void {
    try {
      send()
    } catch {
      return
    }
  }
}
