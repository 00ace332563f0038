import { limits as accountLimits, type HeldAccount } from '@countersign/accounts'
import type { Millis } from '@countersign/contracts'
import { createThrottle, type Look } from '@countersign/chassis'
import { emailOf } from '../account-directory.ts'
import { limits } from '../limits.ts'
import type { Speech } from '../speech.ts'
import {
  identityRemovedLetter,
  invitationLetter,
  newIdentityLetter,
  passwordChangedLetter,
  resetLetter,
  secondFactorChangedLetter,
  type Addressee,
  type Letter,
  type SecondFactorChange,
} from './letters.ts'
import type { Post } from './post.ts'

export interface CorrespondenceOptions {
  /** Undefined: nothing can be sent. */
  post: Post | undefined
  look: Look
  issuer: string
  now: () => Millis
}

/** Letters to the people whose accounts these are. Nobody waits for them; who has no address gets none. */
export class Correspondence {
  readonly #options: CorrespondenceOptions
  readonly #letters = createThrottle({ points: limits.lettersAnHour, durationMs: 3_600_000 })

  constructor(options: CorrespondenceOptions) {
    this.#options = options
  }

  get canSend(): boolean {
    return this.#options.post !== undefined
  }

  reset(account: HeldAccount, link: string, speech: Speech): void {
    this.#send(account, speech, (to) => resetLetter(to, { link, goodForMs: accountLimits.resetLinkMs }))
  }

  invitation(account: HeldAccount, link: string, speech: Speech): void {
    this.#send(account, speech, (to) => invitationLetter(to, { link, goodForMs: accountLimits.invitationLinkMs }))
  }

  passwordChanged(account: HeldAccount, speech: Speech): void {
    this.#send(account, speech, (to) => passwordChangedLetter(to, this.#how()))
  }

  /** Of codes, recovery codes and passkeys. */
  secondFactorChanged(account: HeldAccount, change: SecondFactorChange, speech: Speech): void {
    this.#send(account, speech, (to) => secondFactorChangedLetter(to, change, this.#how()))
  }

  identityAdded(account: HeldAccount, provider: string, speech: Speech): void {
    this.#send(account, speech, (to) => newIdentityLetter(to, provider, this.#how()))
  }

  identityRemoved(account: HeldAccount, provider: string, speech: Speech): void {
    this.#send(account, speech, (to) => identityRemovedLetter(to, provider, this.#how()))
  }

  #how() {
    const { issuer, now } = this.#options
    return { at: now(), link: `${issuer}/account` }
  }

  /** Only to an address that is known to be theirs, and never so many that they are a nuisance. */
  #send(held: HeldAccount, speech: Speech, write: (to: Addressee) => Letter): void {
    const { post, look } = this.#options
    const { id, loginName } = held.record
    const email = emailOf(held)
    if (!post || email === undefined || this.#letters.blockedSeconds(id) !== undefined) return
    this.#letters.fail(id)
    const account = loginName || email
    // Later, so that nobody can tell from the time an answer takes that there was somebody to write to.
    setImmediate(() => void post.send(write({ to: email, speech, product: look.name, account, support: look.support })))
  }
}
