import type { FactPush, Message } from '@countersign/contracts'

export interface Subscription {
  close(): Promise<void>
}

export interface Consumer {
  /** Durable name: consumers of one name share the work and go on where they stopped. */
  name: string
  /** Messages at most in one batch. */
  batchMessages: number
  /** Called with one batch at a time. When it resolves they are done; when it rejects they come again, later. */
  onBatch(batch: Message[]): Promise<void>
}

/**
 * Carries events from who commits to who consumes. It makes things fast; nothing rests on it: whatever it loses, the
 * relay publishes again until the journal has it.
 */
export interface Bus {
  /** Never waits and never throws: what cannot be sent now is left to the relay. */
  publish(message: Message): void
  /** At least once, in the order published while nothing fails. */
  consume(consumer: Consumer): Promise<Subscription>

  /** The journal tells that it has these events durably. At most once. */
  acknowledge(eventIds: string[]): void
  onAcknowledged(handler: (eventIds: string[]) => void): Subscription

  /** Asks the journal which of these it has. @throws Failure `unavailable` when nobody answers within the deadline. */
  ask(eventIds: string[], deadlineMs: number): Promise<string[]>
  answer(handler: (eventIds: string[]) => Promise<string[]>): Subscription

  /** Tells every process of revocations just committed, at once. At most once, in any order; never waits, never throws. */
  announce(push: FactPush): void
  onAnnounced(handler: (push: FactPush) => void): Subscription

  /** Asks every process that answers surveys (this one too), and gives what came within the time. Never rejects. */
  survey(question: Uint8Array, withinMs: number): Promise<Uint8Array[]>
  onSurvey(handler: (question: Uint8Array) => Uint8Array | undefined): Subscription

  state(): 'up' | 'down'
  /** Sends what is buffered, stops consuming, and disconnects. */
  close(): Promise<void>
}
