import { networkOf, type HttpAnswer } from '@countersign/chassis'
import { asFailure, Failure, type AuthorizationCalls } from '@countersign/contracts'
import { SignInPage } from '@countersign/contracts/authorization'
import { emailOf, type Account } from '../account-directory.ts'
import { isErrand, linkTo, purposeIn, type Purpose } from '../errand.ts'
import { providerErrorPage, secondFactorPage, signedInPage, type Mistake } from '../pages/index.ts'
import type { FailureThrottle } from '../ports.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Handlers, Visit } from '../visit.ts'
import type { Arrivals } from './arrival.ts'
import type { Credentials } from './credentials.ts'
import type { Entrance } from './entrance.ts'
import type { FailedSignIns } from './failed-sign-ins.ts'
import { mistake, tooMany } from './mistakes.ts'
import type { Passkeys } from './passkeys.ts'
import type { SecondFactor } from './second-factor.ts'
import type { Steps } from './steps.ts'
import type { UpstreamVisits } from './upstream-visits.ts'

export interface SignInOptions {
  authorization: AuthorizationCalls
  steps: Steps
  entrance: Entrance
  arrivals: Arrivals
  credentials: Credentials
  secondFactor: SecondFactor
  passkeys: Passkeys
  failed: FailedSignIns
  upstreamVisits: UpstreamVisits
  upstreams: Pick<Upstreams, 'list'>
  /** Of people who are sent to providers, by address. */
  departures: FailureThrottle
  /** The id of the provider that accounts of ours are; undefined: nobody signs in with them. */
  localProvider: string | undefined
}

const signInAgain: SignInPage = { ...SignInPage.decode(new Uint8Array()), again: true }

/** `/login`: every way to sign in. */
export class SignIn {
  readonly #options: SignInOptions

  constructor(options: SignInOptions) {
    this.#options = options
  }

  handlers(): Handlers {
    return {
      GET: async (visit) => {
        const purpose = purposeIn(visit.query)
        const { steps } = this.#options
        if (isErrand(purpose)) return steps.show(visit, purpose, await steps.next(visit, purpose))
        return this.#ownPage(visit, purpose)
      },
      POST: (visit) => {
        const purpose = purposeIn(visit.form)
        visit.verifyCsrf(purpose ?? 'sign-in')
        const { form } = visit
        if (form.has('provider')) return this.#leave(visit, purpose, form.get('provider')!)
        if (this.#options.localProvider === undefined) throw new Failure('not_found', 'accounts are not kept here')
        if (form.has('passkey')) return this.#passkey(visit, purpose)
        return form.has('code') ? this.#code(visit, purpose) : this.#password(visit, purpose)
      },
    }
  }

  /** Whoever shows that an account of ours is theirs. */
  async arrive(visit: Visit, purpose: Purpose, account: Account, amr: readonly string[]): Promise<HttpAnswer> {
    const { arrivals, steps, localProvider } = this.#options
    if (account.record.loginName === '')
      throw new Failure('internal', 'an account that is not of ours cannot arrive here')
    const email = emailOf(account)
    const provider = localProvider ?? 'local'
    const arrival = { account, provider, subject: account.record.id, amr, acr: '', email, roles: [], attributes: [] }
    return steps.follow(visit, purpose, await arrivals.signIn(visit, purpose, arrival))
  }

  /** Asks for a second factor where there is one, and lets in where there is none. */
  async admit(visit: Visit, purpose: Purpose, account: Account, amr: readonly string[]): Promise<HttpAnswer> {
    const { secondFactor } = this.#options
    if (!secondFactor.isNeeded(account)) return this.arrive(visit, purpose, account, amr)
    return this.#secondFactorPage(visit, purpose, secondFactor.begin(visit, account, amr))
  }

  /** Without an errand: where people sign in and out for no application's sake. */
  async #ownPage(visit: Visit, purpose: Purpose): Promise<HttpAnswer> {
    const { authorization, entrance, steps } = this.#options
    if (visit.query.get('again') === '1') return entrance.page(visit, purpose, signInAgain)
    const { session } = visit.session ? await authorization.getSession({ session: visit.session }) : {}
    if (!session) return entrance.page(visit, purpose)
    if (purpose) return steps.follow(visit, purpose, undefined)
    const leaving: Purpose = { $case: 'logoutId', value: '' }
    const ties = { purpose: leaving, csrf: visit.csrf(leaving) }
    return signedInPage(visit.paper(), { ties, name: await steps.nameOf(session) })
  }

  async #leave(visit: Visit, purpose: Purpose, provider: string): Promise<HttpAnswer> {
    const { departures, upstreamVisits, steps } = this.#options
    const key = networkOf(visit.asker.address)
    const blocked = await departures.blockedSeconds(key)
    if (blocked !== undefined) return this.#again(visit, purpose, tooMany(visit, 'mistake.too_many_requests', blocked))
    await departures.fail(key)
    // What the application wishes of the sign-in, it wishes of whoever does it.
    const step = isErrand(purpose) ? (await steps.next(visit, purpose)).next : undefined
    const page = step?.$case === 'signIn' ? step.value : undefined
    const wishes = {
      ...(page?.loginHint && { loginHint: page.loginHint }),
      ...(page && page.uiLocales.length > 0 && { uiLocales: page.uiLocales.join(' ') }),
      // Whoever is signed in and comes here is to show anew who they are.
      ...((page?.again || (!page && visit.session)) && { prompt: 'login' }),
    }
    try {
      return await upstreamVisits.begin(visit, provider, purpose, wishes)
    } catch (thrown) {
      return this.#cannotLeave(visit, purpose, provider, asFailure(thrown))
    }
  }

  /** A provider that is not there just now; the other ways to sign in are. */
  #cannotLeave(visit: Visit, purpose: Purpose, provider: string, failure: Failure): HttpAnswer {
    const name = this.#options.upstreams.list().find(({ id }) => id === provider)?.name
    if (name === undefined || failure.code === 'internal') throw failure
    const paper = visit.paper()
    return providerErrorPage(paper, { name, again: `${paper.root}${linkTo(purpose)}`, failure })
  }

  async #password(visit: Visit, purpose: Purpose): Promise<HttpAnswer> {
    const { credentials } = this.#options
    const loginName = visit.form.get('login_name') ?? ''
    const verified = await credentials.verify(loginName, visit.form.get('password') ?? '', visit.asker)
    if (verified === 'wrong') return this.#again(visit, purpose, mistake(visit, 401, 'mistake.sign_in'), loginName)
    if ('blockedSeconds' in verified)
      return this.#again(
        visit,
        purpose,
        tooMany(visit, 'mistake.too_many_attempts', verified.blockedSeconds),
        loginName,
      )
    return this.admit(visit, purpose, verified.account, ['pwd'])
  }

  async #code(visit: Visit, purpose: Purpose): Promise<HttpAnswer> {
    const { form } = visit
    const ticket = form.get('ticket') ?? ''
    const passed = await this.#options.secondFactor.pass(visit, ticket, form.get('code') ?? '')
    if (passed === 'over') return this.#again(visit, purpose, mistake(visit, 400, 'mistake.too_late'))
    if (passed === 'wrong')
      return this.#secondFactorPage(visit, purpose, ticket, mistake(visit, 401, 'mistake.second_factor'))
    if ('blockedSeconds' in passed)
      return this.#secondFactorPage(
        visit,
        purpose,
        ticket,
        tooMany(visit, 'mistake.too_many_attempts', passed.blockedSeconds),
      )
    return this.arrive(visit, purpose, passed.account, passed.amr)
  }

  async #passkey(visit: Visit, purpose: Purpose): Promise<HttpAnswer> {
    const { passkeys, failed, localProvider, credentials } = this.#options
    const { form, asker } = visit
    const blocked = await credentials.blockedSeconds(asker)
    if (blocked !== undefined) return this.#again(visit, purpose, tooMany(visit, 'mistake.too_many_attempts', blocked))
    const account = await passkeys.verify(visit, form.get('passkey') ?? '', form.get('ticket') ?? '')
    if (account) return this.arrive(visit, purpose, account, ['hwk', 'user', 'mfa'])
    await credentials.fail(asker)
    await failed.tell(undefined, 'wrong_passkey', localProvider!, asker)
    return this.#again(visit, purpose, mistake(visit, 401, 'mistake.passkey'))
  }

  #secondFactorPage(visit: Visit, purpose: Purpose, ticket: string, said?: Mistake): HttpAnswer {
    const ties = { purpose, csrf: visit.csrf(purpose ?? 'sign-in') }
    return secondFactorPage(visit.paper(), { ties, ticket, ...(said && { mistake: said }) })
  }

  async #again(visit: Visit, purpose: Purpose, said: Mistake, loginName?: string): Promise<HttpAnswer> {
    const { steps, entrance } = this.#options
    const step = isErrand(purpose) ? (await steps.next(visit, purpose)).next : undefined
    return entrance.page(visit, purpose, step?.$case === 'signIn' ? step.value : undefined, said, loginName)
  }
}
