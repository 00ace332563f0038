import type { Message } from '@countersign/contracts'
import type { Consumer as JetStreamConsumer, JsMsg } from '@nats-io/jetstream'
import { setImmediate as nextTurn } from 'node:timers/promises'
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
  /** Messages that the stream had for us when the last one came. */
  behindMessages: number
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
  #isClosed = false
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
    this.#isClosed = true
    this.#giveBack(this.#arrived.splice(0))
  }

  /** Fetches from one session until it ends. */
  async #serve(session: Session): Promise<void> {
    const signal = AbortSignal.any([session.ended, this.#closing.signal])
    signal.addEventListener('abort', () => this.#makeRoom(), { once: true })
    let failures = 0
    while (!signal.aborted) {
      const run: Run = { isOver: false, behindMessages: 0 }
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
        run.isOver = true
        await pause(backoffMs(++failures, natsLimits.firstReconnectMs, natsLimits.longestReconnectMs), signal)
      }
      run.isOver ||= session.ended.aborted
    }
  }

  /**
   * One fetch: of a first message when the stream had no more, else of what it had. One that stayed open while messages
   * trickle in would cost the server a third more.
   */
  async #fetch(source: JetStreamConsumer, run: Run, signal: AbortSignal): Promise<void> {
    const { batchMessages } = this.#consumer
    const most = batchMessages * natsLimits.batchesAhead
    while (this.#arrived.length > most - batchMessages && !signal.aborted) {
      await new Promise<void>((resolve) => (this.#makeRoom = resolve))
    }
    if (signal.aborted) return
    const messages = await source.fetch({
      max_messages: Math.min(most - this.#arrived.length, Math.max(1, run.behindMessages)),
      expires: natsLimits.fetchMs,
      idle_heartbeat: natsLimits.fetchHeartbeatMs,
    })
    const stop = () => messages.stop()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    let last: JsMsg | undefined
    try {
      for await (const message of messages) {
        last = message
        // What comes once the rest was given back has nobody to wait for either.
        if (this.#isClosed) this.#giveBack([{ message, run }])
        else this.#arrived.push({ message, run })
        this.#wake()
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
    // What comes again is not counted as pending, and seldom comes alone.
    run.behindMessages = last?.redelivered ? batchMessages : (last?.info.pending ?? 0)
    if (run.behindMessages < batchMessages) await pause(deliveryLimits.gatherMs, signal)
  }

  async #handOut(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      if (this.#arrived.length === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve))
        // The rest of what the socket brought belongs in the same batch.
        await nextTurn()
        continue
      }
      const some = this.#arrived.splice(0, this.#consumer.batchMessages)
      this.#makeRoom()
      const isDone = await this.#delivery.deliver(some.map(({ message }) => new ArrivedMessage(message)))
      if (isDone) this.#acknowledge(some)
      else this.#giveBack(some)
    }
  }

  /** After the stream was made anew its numbers begin again, and an old acknowledgement would hit the wrong messages. */
  #acknowledge(arrived: Arrived[]): void {
    for (const { message, run } of arrived) if (!run.isOver) this.#quietly(() => message.ack())
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
