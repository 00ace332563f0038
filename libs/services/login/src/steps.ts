import { formPostPage, networkOf, type HttpAnswer } from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import type { Done, Next, Session } from '@countersign/contracts/authorization'
import type { Account, AccountDirectory } from './account-directory.ts'
import { newSessionCookie, sessionNameOf } from '@countersign/tokens'
import type { Cookies, SessionOptions } from './cookies.ts'
import { errandOf, linkTo, type Purpose } from './errand.ts'
import { limits } from './limits.ts'
import { consentPage, donePage, signInPage, signOutPage } from './pages.ts'
import type { AuthorizationCalls } from '@countersign/contracts'
import type { FailureThrottle } from './ports.ts'
import { redirectTo, type Visit } from './visit.ts'

export interface StepsOptions {
  authorization: AuthorizationCalls
  directory: AccountDirectory
  cookies: Cookies
  session: SessionOptions
  /** Of wrong user codes, by address. */
  userCodes: FailureThrottle
  randomBytes: (bytes: number) => Uint8Array
}

const donePages: Readonly<Record<string, readonly [string, string]>> = {
  signed_out: ['You are signed out', 'You may close this page.'],
  device_allowed: ['Your device is connected', 'You may close this page and go back to your device.'],
  device_denied: ['Your device was not let in', 'You may close this page.'],
}

const wentWrong = () => new Failure('internal', 'token-issuer said nothing of what is next')

/** What happens next with an errand, as token-issuer says: a page, or the way back to the application. */
export class Steps {
  readonly #options: StepsOptions

  constructor(options: StepsOptions) {
    this.#options = options
  }

  /**
   * What is next for this browser. Whatever page it is asked by, user codes cannot be guessed (RFC 8628 section 5.1).
   * @throws Failure `not_found` when the errand is unknown or over, `too_many_requests` after too many wrong user codes
   */
  async next(visit: Visit, purpose: NonNullable<Purpose>): Promise<Next> {
    if (purpose.$case !== 'userCode') return this.#continue(visit, purpose)
    const { userCodes } = this.#options
    await this.#refuseGuesses(visit)
    try {
      const next = await this.#continue(visit, purpose)
      // Once more: of many guesses at once, those that others have used up the attempts of must not count.
      await this.#refuseGuesses(visit)
      return next
    } catch (thrown) {
      if (asFailure(thrown).code === 'not_found') await userCodes.fail(networkOf(visit.asker.address))
      throw thrown
    }
  }

  async #continue(visit: Visit, purpose: NonNullable<Purpose>): Promise<Next> {
    const { session, asker } = visit
    const { next } = await this.#options.authorization.continue({ errand: errandOf(purpose), session, asker })
    if (!next?.next) throw wentWrong()
    return next
  }

  async #refuseGuesses({ asker }: Visit): Promise<void> {
    const retryAfterSeconds = await this.#options.userCodes.blockedSeconds(networkOf(asker.address))
    if (retryAfterSeconds === undefined) return
    throw new Failure('too_many_requests', 'too many wrong codes: wait and try again', { retryAfterSeconds })
  }

  /** The answer to a GET. */
  async show(visit: Visit, purpose: NonNullable<Purpose>, next: Next | undefined): Promise<HttpAnswer> {
    const step = next?.next
    switch (step?.$case) {
      case 'signIn':
        return signInPage(step.value, { purpose, csrf: visit.csrf(purpose) })
      case 'consent': {
        const form = { purpose, csrf: visit.csrf(purpose, 'session') }
        return consentPage(step.value, form, await this.loginName(next?.session))
      }
      case 'signOut':
        return signOutPage(step.value, { purpose, csrf: visit.csrf(purpose) })
      default:
        return this.#leave(visit, step)
    }
  }

  /** The answer to a form: pages are fetched anew (303), so that going back or reloading never sends a form again. */
  follow(visit: Visit, purpose: Purpose, next: Next | undefined): HttpAnswer {
    const step = next?.next
    switch (step?.$case) {
      case 'signIn':
      case 'signOut':
        return redirectTo(linkTo(purpose))
      case 'consent':
        return redirectTo(linkTo(purpose, purpose?.$case === 'requestId' ? 'consent' : undefined))
      default:
        return this.#leave(visit, step)
    }
  }

  /** Begins a session for whoever has just shown who they are, and goes on with the errand. The cookie is always a new one. */
  async signIn(visit: Visit, purpose: Purpose, { partition, record }: Account): Promise<HttpAnswer> {
    const { authorization, cookies, session, randomBytes } = this.#options
    const cookie = newSessionCookie(partition, randomBytes(limits.cookieBytes))
    const { next } = await authorization.signIn({
      errand: purpose && errandOf(purpose),
      session: sessionNameOf(cookie),
      previous: visit.session,
      subject: record.id,
      amr: ['pwd'],
      acr: '',
      idleMs: session.idleMs,
      absoluteMs: session.absoluteMs,
      provider: 'local',
      asker: visit.asker,
    })
    visit.setCookie(cookies.setSession(cookie))
    return purpose ? this.follow(visit, purpose, next) : redirectTo(linkTo(purpose))
  }

  signedOut(visit: Visit): HttpAnswer {
    return this.#done(visit, { what: 'signed_out', uri: '' })
  }

  /** Whose session it is, in words for that person. */
  async loginName(session: Session | undefined): Promise<string> {
    const account = session && (await this.#options.directory.read(session.partition, session.subject))
    return account?.record.loginName ?? session?.subject ?? ''
  }

  /** The errand is over here. */
  #leave(visit: Visit, step: Next['next']): HttpAnswer {
    switch (step?.$case) {
      case 'answer': {
        const { uri, fields } = step.value
        return fields.length > 0 ? formPostPage(uri, fields) : redirectTo(uri)
      }
      case 'done':
        return this.#done(visit, step.value)
      default:
        throw wentWrong()
    }
  }

  #done(visit: Visit, { what, uri }: Done): HttpAnswer {
    if (what === 'signed_out') visit.setCookie(this.#options.cookies.clearSession())
    if (uri !== '') return redirectTo(uri)
    if (what === 'still_signed_in') return redirectTo(linkTo(undefined))
    const page = donePages[what]
    if (!page) throw wentWrong()
    return donePage(...page)
  }
}
