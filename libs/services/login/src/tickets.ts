import type { KeyObject } from 'node:crypto'
import type { Millis } from '@countersign/contracts'
import { seal, unseal } from '@countersign/tokens'
import { limits } from './limits.ts'

/** What a browser carries from one page to the next: on its way to a provider and back, between two factors, for a passkey. */
export type TicketKind = 'upstream' | 'second-factor' | 'passkey' | 'totp'

export interface TicketsOptions {
  /** The current one first; the same in all replicas. */
  keys: readonly KeyObject[]
  now: () => Millis
  randomBytes: (bytes: number) => Uint8Array
}

/** What a ticket says, and what makes it this one. */
export interface Ticket<Content> {
  /** For whoever takes it only once. */
  id: string
  expiresAt: Millis
  content: Content
}

/**
 * Tickets hold what nobody else is to read or change, so that nothing is stored for people who never come back. Each is good for
 * a time, in the browser that it was made in, for what it was made for.
 */
export class Tickets {
  readonly #options: TicketsOptions

  constructor(options: TicketsOptions) {
    this.#options = options
  }

  /** @param browser as its cookie names it */
  seal(kind: TicketKind, browser: string, content: unknown, lifetimeMs: Millis): string {
    const { keys, now, randomBytes } = this.#options
    const id = Buffer.from(randomBytes(limits.ticketIdBytes)).toString('base64url')
    const plain = Buffer.from(JSON.stringify([id, now() + lifetimeMs, content]))
    const nonce = Buffer.from(randomBytes(limits.ticketNonceBytes))
    return seal(keys[0]!, plain, contextOf(kind, browser), nonce).toString('base64url')
  }

  /** Undefined for one that was changed, is too old, of another browser or for something else. */
  open<Content>(kind: TicketKind, browser: string, text: string): Ticket<Content> | undefined {
    if (text.length > limits.ticketCharacters || !/^[\w-]+$/.test(text)) return undefined
    const plain = unseal(this.#options.keys, Buffer.from(text, 'base64url'), contextOf(kind, browser))
    if (!plain) return undefined
    const [id, expiresAt, content] = JSON.parse(plain.toString()) as [string, Millis, Content]
    return expiresAt > this.#options.now() ? { id, expiresAt, content } : undefined
  }
}

const contextOf = (kind: TicketKind, browser: string): string => `countersign ticket v1 ${kind} ${browser}`
