import { Failure, type FactPush, type Message } from '@countersign/contracts'
import { createInbox, Empty, headers, type Msg } from '@nats-io/transport-node'
import { decodeFactPush, encodeFactPush } from '../announcement.ts'
import { decodeIdentifiers, encodeIdentifiers } from '../identifiers.ts'
import { identifierLimits, natsLimits, surveyAnswers } from '../limits.ts'
import { reasonOf, silentLog, type Log } from '../log.ts'
import { pause } from '../pause.ts'
import type { Bus, Consumer, Subscription } from '../port.ts'
import { answersOf, type SurveyHandler } from '../survey.ts'
import { Consumption } from './consumption.ts'
import { Link, type Session } from './link.ts'
import type { NatsOptions } from './options.ts'
import { NatsPublisher } from './publisher.ts'

export type { NatsCredentials, NatsOptions, NatsTls } from './options.ts'

/** Outside of the stream's subjects: these are said once, and not kept. */
const acknowledgedSubject = 'countersign.ack.v1'
const heldSubject = 'countersign.held.v1'
const journalQueue = 'countersign-journal'
const factsSubject = 'countersign.facts.v1'
const surveySubject = 'countersign.survey.v1'
const failureHeader = 'Countersign-Failure'
/** The status with which NATS says that nobody is subscribed. */
const nobodyThere = 503

class NatsBus implements Bus {
  readonly #log: Log
  readonly #link: Link
  readonly #publisher: NatsPublisher
  readonly #consumptions = new Set<Consumption>()
  readonly #surveyed = new Set<SurveyHandler>()
  /** Where the answers to this process's own surveys go. */
  readonly #inboxes = new Set<string>()

  constructor(options: NatsOptions) {
    this.#log = options.log ?? silentLog
    this.#link = new Link(options, this.#log)
    this.#publisher = new NatsPublisher(this.#log)
    this.#link.eachSession((session) => this.#publisher.start(session))
  }

  publish(message: Message): void {
    this.#publisher.publish(message)
  }

  async consume(consumer: Consumer): Promise<Subscription> {
    const consumption = new Consumption(consumer, this.#link, this.#log)
    this.#consumptions.add(consumption)
    const close = async () => {
      this.#consumptions.delete(consumption)
      await consumption.close()
    }
    return { close }
  }

  acknowledge(eventIds: string[]): void {
    const connection = this.#link.session?.connection
    if (!connection) return
    try {
      for (const part of encodeIdentifiers(eventIds)) connection.publish(acknowledgedSubject, part)
    } catch (error) {
      this.#log.warn({ events: eventIds.length, reason: reasonOf(error) }, 'an acknowledgement was not sent')
    }
  }

  onAcknowledged(handler: (eventIds: string[]) => void): Subscription {
    const hear = ({ data }: Msg) => handler(decodeIdentifiers(data))
    return this.#hear(acknowledgedSubject, hear, 'an acknowledgement was not handled')
  }

  async ask(eventIds: string[], deadlineMs: number): Promise<string[]> {
    const connection = this.#link.session?.connection
    if (!connection) throw new Failure('unavailable', 'the bus is down')
    try {
      const answers = encodeIdentifiers(eventIds).map(async (part) => {
        const answer = await connection.request(heldSubject, part, { timeout: deadlineMs })
        if (answer.headers?.has(failureHeader)) throw new Error('the journal could not answer')
        return decodeIdentifiers(answer.data)
      })
      return (await Promise.all(answers)).flat()
    } catch (error) {
      throw new Failure('unavailable', 'the journal does not answer', { cause: error })
    }
  }

  answer(handler: (eventIds: string[]) => Promise<string[]>): Subscription {
    let questions = 0
    const respond = async (message: Msg) => {
      try {
        if (++questions > identifierLimits.questionsAtOnce) throw new Error('too many questions at once')
        const held = await handler(decodeIdentifiers(message.data))
        message.respond(Buffer.from(held.join('\n')))
      } catch (error) {
        this.#log.warn({ reason: reasonOf(error) }, 'a question to the journal was not answered')
        this.#refuse(message)
      } finally {
        questions--
      }
    }
    return this.#subscribe(heldSubject, journalQueue, (message) => void respond(message))
  }

  announce(push: FactPush): void {
    this.#publisher.publishNow(factsSubject, () => encodeFactPush(push))
  }

  onAnnounced(handler: (push: FactPush) => void): Subscription {
    const hear = ({ data }: Msg) => handler(decodeFactPush(data))
    return this.#hear(factsSubject, hear, 'an announcement was not handled')
  }

  /** This process is asked directly, so that it answers with a connection or without. */
  async survey(question: Uint8Array, withinMs: number): Promise<Uint8Array[]> {
    const answers = answersOf(this.#surveyed, question, this.#log)
    const { session } = this.#link
    if (session) await this.#surveyOthers(session, question, withinMs, answers)
    return answers
  }

  async #surveyOthers({ connection }: Session, question: Uint8Array, withinMs: number, answers: Uint8Array[]) {
    const inbox = createInbox()
    const over = new AbortController()
    const callback = (error: Error | null, message: Msg) => {
      if (error || message.headers?.code === nobodyThere) over.abort()
      else if (answers.length < surveyAnswers) answers.push(message.data)
    }
    let unsubscribe = () => undefined as void
    this.#inboxes.add(inbox)
    try {
      const subscription = connection.subscribe(inbox, { callback })
      unsubscribe = () => subscription.unsubscribe()
      void subscription.closed.then(() => over.abort())
      connection.publish(surveySubject, question, { reply: inbox })
      await pause(withinMs, over.signal)
    } catch (error) {
      this.#log.warn({ reason: reasonOf(error) }, 'a survey did not reach the other processes')
    } finally {
      unsubscribe()
      this.#inboxes.delete(inbox)
    }
  }

  onSurvey(handler: SurveyHandler): Subscription {
    this.#surveyed.add(handler)
    const respond = (message: Msg) => {
      if (this.#inboxes.has(message.reply ?? '')) return
      for (const answer of answersOf([handler], message.data, this.#log)) message.respond(answer)
    }
    const subscription = this.#hear(surveySubject, respond, 'a survey was not answered')
    const close = async () => {
      this.#surveyed.delete(handler)
      await subscription.close()
    }
    return { close }
  }

  state(): 'up' | 'down' {
    return this.#link.state
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumptions].map((consumption) => consumption.close()))
    this.#publisher.flush()
    const session = this.#link.session
    if (session) {
      const over = AbortSignal.any([session.ended, AbortSignal.timeout(natsLimits.closeMs)])
      await Promise.race([session.connection.flush().catch(() => undefined), pause(natsLimits.closeMs, over)])
    }
    await this.#link.close()
  }

  #refuse(message: Msg): void {
    const refusal = headers()
    refusal.append(failureHeader, 'unavailable')
    try {
      message.respond(Empty, { headers: refusal })
    } catch {
      // The connection is gone, and who asked with it.
    }
  }

  #hear(subject: string, handle: (message: Msg) => void, trouble: string): Subscription {
    return this.#subscribe(subject, undefined, (message) => {
      try {
        handle(message)
      } catch (error) {
        this.#log.warn({ reason: reasonOf(error) }, trouble)
      }
    })
  }

  #subscribe(subject: string, queue: string | undefined, handle: (message: Msg) => void): Subscription {
    let unsubscribe = () => undefined as void
    const leave = this.#link.eachSession(({ connection }) => {
      const callback = (error: Error | null, message: Msg) => {
        if (error) this.#log.warn({ subject, reason: reasonOf(error) }, 'NATS refuses a subscription')
        else handle(message)
      }
      const subscription = connection.subscribe(subject, queue === undefined ? { callback } : { callback, queue })
      unsubscribe = () => subscription.unsubscribe()
    })
    const close = async () => {
      leave()
      unsubscribe()
    }
    return { close }
  }
}

/**
 * A bus on NATS with JetStream (2.9 or newer). It is there at once; connecting, and connecting again, goes on in the
 * background until it is closed. @throws Failure `invalid_request` when a server's URL is none.
 */
export const openNatsBus = (options: NatsOptions): Bus => new NatsBus(options)
