import type { HttpAnswer } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import { limits } from '../limits.ts'
import { confirmPage, type AccountPage, type Proof, type Question } from '../pages/account/index.ts'
import type { Mistake } from '../pages/index.ts'
import type { Credentials } from '../sign-in/credentials.ts'
import { mistake, tooMany } from '../sign-in/mistakes.ts'
import type { Visit } from '../visit.ts'
import { signInAgain, type AccountPages, type Person } from './pages.ts'

export interface ConfirmationOptions {
  pages: AccountPages
  credentials: Credentials
  /** Whether people sign in here with passwords of ours. */
  hasLocalAccounts: boolean
  now: () => Millis
}

export interface Asked extends Question {
  /** Whoever signed in just now need not be asked whether they mean it. */
  isHarmless?: boolean
  /** Why it is asked again. */
  said?: Mistake | undefined
}

/**
 * Whoever finds a browser open must not make the account theirs: what decides who can sign in takes the password, or, without
 * one, a sign-in of just now.
 */
export class Confirmation {
  readonly #options: ConfirmationOptions
  readonly #busy = new Set<string>()

  constructor(options: ConfirmationOptions) {
    this.#options = options
  }

  hasPassword({ account }: Person): boolean {
    return this.#options.hasLocalAccounts && account.record.passwordHash !== ''
  }

  /** The page that asks; undefined once it is certain that it is them. */
  async ask(visit: Visit, person: Person, here: AccountPage, question: Asked): Promise<HttpAnswer | undefined> {
    const { pages, credentials, now } = this.#options
    const isAnswer = visit.form.get('confirmed') === 'yes'
    const page = (proof: Proof, said = isAnswer ? undefined : question.said) =>
      confirmPage(pages.frame(visit, here, said), question, proof)
    if (!this.hasPassword(person)) {
      if (now() - person.session.authenticatedAt >= limits.recentSignInMs) {
        const late = isAnswer ? mistake(visit, 401, 'account.mistake.too_long_ago') : undefined
        return page({ signIn: signInAgain(visit) }, late)
      }
      return isAnswer || question.isHarmless ? undefined : page('recent')
    }
    if (!isAnswer) return page('password')
    const password = visit.form.get('current_password') ?? ''
    const verified = await this.alone(person, () => credentials.confirm(person.account, password, visit.asker))
    if (!verified) return page('password', tooManyAtOnce(visit))
    if (verified === 'wrong') return page('password', mistake(visit, 401, 'account.mistake.password'))
    if (!('blockedSeconds' in verified)) return undefined
    return page('password', tooMany(visit, 'mistake.too_many_attempts', verified.blockedSeconds))
  }

  /** Undefined while a password of the account is being checked: that takes time and memory of everybody's. */
  async alone<T>({ account }: Person, check: () => Promise<T>): Promise<T | undefined> {
    const { id } = account.record
    if (this.#busy.has(id)) return undefined
    this.#busy.add(id)
    try {
      return await check()
    } finally {
      this.#busy.delete(id)
    }
  }
}

/** Why nothing was done {@link Confirmation.alone}. */
export const tooManyAtOnce = (visit: Visit): Mistake => tooMany(visit, 'mistake.too_many_requests', 1)
