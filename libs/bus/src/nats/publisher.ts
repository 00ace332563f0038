import type { Message } from '@countersign/contracts'
import { headers, type NatsConnection } from '@nats-io/transport-node'
import { natsLimits } from '../limits.ts'
import { reasonOf, type Log } from '../log.ts'
import type { Session } from './link.ts'

export const messageIdHeader = 'Nats-Msg-Id'

/**
 * Sends messages without waiting for JetStream to confirm them: the journal does, end to end. They are collected for a
 * moment and go out in one write, which saves most of their cost, here and at the server. Without a connection, or when
 * the server does not keep up, messages are dropped: the relay has them.
 */
export class NatsPublisher {
  readonly #log: Log
  #connection: NatsConnection | undefined
  #waiting: Message[] = []
  #sentBytes = 0
  #confirmedBytes = 0
  #askedBytes = 0
  #isBehind = false

  constructor(log: Log) {
    this.#log = log
  }

  start({ connection, ended }: Session): void {
    this.#connection = connection
    this.#sentBytes = this.#confirmedBytes = this.#askedBytes = 0
    this.#isBehind = false
    ended.addEventListener('abort', () => this.#end(connection), { once: true })
  }

  publish(message: Message): void {
    if (!this.#connection || this.#isOverfull()) return
    if (this.#waiting.push(message) === 1) setTimeout(() => this.flush(), natsLimits.collectMs)
  }

  /** Not collected: for what is worth more the sooner it comes, and not kept by the stream. */
  publishNow(subject: string, encode: () => Uint8Array): void {
    const connection = this.#connection
    if (!connection || this.#isOverfull()) return
    try {
      const data = encode()
      connection.publish(subject, data)
      this.#sentBytes += data.length + natsLimits.headerBytes
    } catch (error) {
      if (!connection.isClosed()) this.#log.warn({ subject, reason: reasonOf(error) }, 'a message cannot be published')
    }
    this.#confirmSometimes(connection)
  }

  /** Hands what waits to the connection. */
  flush(): void {
    const messages = this.#waiting
    this.#waiting = []
    if (!this.#connection) return
    for (const message of messages) this.#send(this.#connection, message)
    this.#confirmSometimes(this.#connection)
  }

  #send(connection: NatsConnection, { id, subject, headers: attributes, data }: Message): void {
    try {
      const block = headers()
      block.append(messageIdHeader, id)
      for (const name in attributes) block.append(name, attributes[name]!)
      connection.publish(subject, data, { headers: block })
      this.#sentBytes += data.length + natsLimits.headerBytes
    } catch (error) {
      if (!connection.isClosed()) this.#log.warn({ event: id, reason: reasonOf(error) }, 'an event cannot be published')
    }
  }

  /** A server that stopped reading would else have us buffer until its connection counts as dead. */
  #isOverfull(): boolean {
    const isOverfull =
      this.#sentBytes - this.#confirmedBytes > natsLimits.unconfirmedBytes ||
      this.#waiting.length >= natsLimits.waitingMessages
    if (isOverfull && !this.#isBehind) this.#log.warn({}, 'NATS does not keep up; events are left to the relay')
    this.#isBehind ||= isOverfull
    return isOverfull
  }

  #confirmSometimes(connection: NatsConnection): void {
    if (this.#sentBytes - this.#askedBytes < natsLimits.confirmEveryBytes) return
    const sentBytes = (this.#askedBytes = this.#sentBytes)
    const confirmed = () => {
      if (connection !== this.#connection) return
      this.#confirmedBytes = sentBytes
      if (this.#sentBytes === sentBytes) this.#isBehind = false
    }
    connection.flush().then(confirmed, () => undefined)
  }

  #end(connection: NatsConnection): void {
    if (connection !== this.#connection) return
    this.#connection = undefined
    this.#waiting = []
  }
}
