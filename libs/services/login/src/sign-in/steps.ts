import { networkOf, type HttpAnswer } from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import type { Done, Next, Session } from '@countersign/contracts/authorization'
import { labelOf, type AccountDirectory } from '../account-directory.ts'
import type { Cookies } from '../cookies.ts'
import { errandOf, linkTo, type ErrandPurpose, type Purpose } from '../errand.ts'
import { consentPage, donePage, returnPage, signedOutPage, signOutPage } from '../pages/index.ts'
import type { AuthorizationCalls } from '@countersign/contracts'
import type { FailureThrottle } from '../ports.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { redirectTo, type Visit } from '../visit.ts'
import type { Entrance } from './entrance.ts'

export interface StepsOptions {
  authorization: AuthorizationCalls
  directory: AccountDirectory
  upstreams: Pick<Upstreams, 'list' | 'signOutUrl'>
  entrance: Entrance
  cookies: Cookies
  issuer: string
  /** Of wrong user codes, by address. */
  userCodes: FailureThrottle
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
  async next(visit: Visit, purpose: ErrandPurpose): Promise<Next> {
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

  async #continue(visit: Visit, purpose: ErrandPurpose): Promise<Next> {
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
  async show(visit: Visit, purpose: ErrandPurpose, next: Next | undefined): Promise<HttpAnswer> {
    const step = next?.next
    switch (step?.$case) {
      case 'signIn':
        return this.#options.entrance.page(visit, purpose, step.value)
      case 'consent': {
        const ties = { purpose, csrf: visit.csrf(purpose, 'session') }
        const name = await this.nameOf(next?.session)
        return consentPage(visit.paper(step.value.uiLocales), { page: step.value, ties, name })
      }
      case 'signOut':
        return signOutPage(visit.paper(), { page: step.value, ties: { purpose, csrf: visit.csrf(purpose) } })
      default:
        return this.#leave(visit, step)
    }
  }

  /**
   * The answer to a form: pages are fetched anew (303), so that going back or reloading never sends a form again.
   * @param left the session that ended with it
   */
  async follow(visit: Visit, purpose: Purpose, next: Next | undefined, left?: Session): Promise<HttpAnswer> {
    if (purpose === undefined) return visit.to('login')
    if (purpose.$case === 'returnTo') return visit.to(purpose.value)
    const step = next?.next
    switch (step?.$case) {
      case 'signIn':
      case 'signOut':
        return visit.to(linkTo(purpose))
      case 'consent':
        return visit.to(linkTo(purpose, purpose.$case === 'requestId' ? 'consent' : undefined))
      default:
        return this.#leave(visit, step, left)
    }
  }

  /** After a sign-out that was no application's doing. @param session that has ended */
  signedOut(visit: Visit, session: Session | undefined): Promise<HttpAnswer> {
    return this.#done(visit, { what: 'signed_out', uri: '' }, session)
  }

  /** Whose session it is, in words for that person. */
  async nameOf(session: Session | undefined): Promise<string> {
    const account = session && (await this.#options.directory.read(session.partition, session.subject))
    return account ? labelOf(account) : (session?.subject ?? '')
  }

  /** The errand is over here. */
  async #leave(visit: Visit, step: Next['next'], left?: Session): Promise<HttpAnswer> {
    switch (step?.$case) {
      case 'answer': {
        const { uri, fields } = step.value
        return fields.length > 0 ? returnPage(visit.paper(), uri, fields) : redirectTo(uri)
      }
      case 'done':
        return this.#done(visit, step.value, left)
      default:
        throw wentWrong()
    }
  }

  async #done(visit: Visit, { what, uri }: Done, session?: Session): Promise<HttpAnswer> {
    if (what === 'signed_out') visit.setCookie(this.#options.cookies.clearSession())
    if (uri !== '') return redirectTo(uri)
    switch (what) {
      case 'still_signed_in':
        return visit.to(linkTo(undefined))
      case 'signed_out':
        return signedOutPage(visit.paper(), await this.#upstreamOf(session))
      case 'device_allowed':
      case 'device_denied':
        return donePage(visit.paper(), what)
      default:
        throw wentWrong()
    }
  }

  /** Where the person may still be signed in, if one can sign out there. */
  async #upstreamOf(session: Session | undefined): Promise<{ name: string; url: string } | undefined> {
    const { upstreams, issuer } = this.#options
    const provider = upstreams.list().find(({ id }) => id === session?.provider)
    const url = provider && (await upstreams.signOutUrl(provider.id, { returnTo: `${issuer}/login` }))
    return url === undefined ? undefined : { name: provider!.name, url }
  }
}
