import type { HttpAnswer } from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import { SignInPage } from '@countersign/contracts/authorization'
import type { Credentials } from './credentials.ts'
import { errandOf, idIn, linkTo, purposeIn, userCodeIn, type Purpose } from './errand.ts'
import { devicePage, scopePrefix, signedInPage, signInPage, type Mistake } from './pages.ts'
import type { AuthorizationCalls } from '@countersign/contracts'

import type { Steps } from './steps.ts'
import { redirectTo, type Handlers, type Visit } from './visit.ts'

export interface RoutesOptions {
  authorization: AuthorizationCalls
  steps: Steps
  credentials: Credentials
}

/** A sign-in page for nobody in particular. */
const ownSignIn: SignInPage = SignInPage.decode(new Uint8Array())

const waitWords = (seconds: number): string =>
  seconds < 60 ? `${seconds} seconds` : seconds < 120 ? 'a minute' : `${Math.ceil(seconds / 60)} minutes`

const blocked = (what: string, seconds: number): Mistake => ({
  status: 429,
  message: `${what}. Please wait ${waitWords(seconds)} and try again.`,
  retryAfterSeconds: seconds,
})

/** `/login`: shows what is next for a request, and takes login name and password. */
export function loginHandlers({ authorization, steps, credentials }: RoutesOptions): Handlers {
  /** Without an errand: where people sign in and out for no application's sake. */
  async function ownPage(visit: Visit): Promise<HttpAnswer> {
    const { session } = visit.session ? await authorization.getSession({ session: visit.session }) : {}
    if (!session) return signInPage(ownSignIn, { purpose: undefined, csrf: visit.csrf('sign-in') })
    const purpose: Purpose = { $case: 'logoutId', value: '' }
    return signedInPage({ purpose, csrf: visit.csrf(purpose) }, await steps.loginName(session))
  }

  async function again(visit: Visit, purpose: Purpose, mistake: Mistake, loginName: string): Promise<HttpAnswer> {
    const step = purpose && (await steps.next(visit, purpose)).next
    const page = step?.$case === 'signIn' ? step.value : ownSignIn
    return signInPage(page, { purpose, csrf: visit.csrf(purpose ?? 'sign-in') }, mistake, loginName)
  }

  return {
    async GET(visit) {
      const purpose = purposeIn(visit.query)
      return purpose ? steps.show(visit, purpose, await steps.next(visit, purpose)) : ownPage(visit)
    },
    async POST(visit) {
      const purpose = purposeIn(visit.form)
      visit.verifyCsrf(purpose ?? 'sign-in')
      const loginName = visit.form.get('login_name') ?? ''
      const verified = await credentials.verify(loginName, visit.form.get('password') ?? '', visit.asker)
      if (verified === 'wrong') {
        const mistake = { status: 401, message: 'The login name or the password is not right.' }
        return again(visit, purpose, mistake, loginName)
      }
      if ('blockedSeconds' in verified)
        return again(visit, purpose, blocked('Too many failed attempts', verified.blockedSeconds), loginName)
      return steps.signIn(visit, purpose, verified.account)
    },
  }
}

/** `/consent`: whether an application, or a device, may have what it asks for. */
export function consentHandlers({ authorization, steps }: RoutesOptions): Handlers {
  const required = (purpose: Purpose): NonNullable<Purpose> => {
    if (purpose) return purpose
    throw new Failure('invalid_request', 'this page is opened by an application; go back to it and start again')
  }

  return {
    async GET(visit) {
      const purpose = required(purposeIn(visit.query))
      return steps.show(visit, purpose, await steps.next(visit, purpose))
    },
    async POST(visit) {
      const purpose = required(purposeIn(visit.form))
      visit.verifyCsrf(purpose, 'session')
      const { form, session, asker } = visit
      const errand = errandOf(purpose)
      switch (form.get('decision')) {
        case 'allow': {
          const names = [...form.keys()].filter((name) => name.startsWith(scopePrefix))
          const scopes = names.map((name) => name.slice(scopePrefix.length))
          return steps.follow(visit, purpose, (await authorization.agree({ errand, session, scopes, asker })).next)
        }
        case 'deny': {
          const { next } = await authorization.deny({ errand, session, error: '', description: '', asker })
          return steps.follow(visit, purpose, next)
        }
        default:
          throw new Failure('invalid_request', 'choose to allow or to deny')
      }
    },
  }
}

/** `/device`: a person types the code that their device shows (RFC 8628 section 3.3). */
export function deviceHandlers({ steps }: RoutesOptions): Handlers {
  const entry = (visit: Visit, mistake?: Mistake, typed = '') =>
    devicePage({ purpose: undefined, csrf: visit.csrf('device') }, mistake, typed)
  const unknown = {
    status: 404,
    message: 'No device waits with this code. Look again, or get a new one on the device.',
  }
  const malformed = { status: 400, message: 'The code is eight letters long.' }

  return {
    async GET(visit) {
      const typed = visit.query.get('user_code')
      if (typed === undefined) return entry(visit)
      const value = userCodeIn(typed)
      if (value === undefined) return entry(visit, malformed, typed)
      const purpose: Purpose = { $case: 'userCode', value }
      try {
        return await steps.show(visit, purpose, await steps.next(visit, purpose))
      } catch (thrown) {
        const { code, retryAfterSeconds } = asFailure(thrown)
        if (code === 'not_found') return entry(visit, unknown, typed)
        if (code !== 'too_many_requests') throw thrown
        return entry(visit, blocked('Too many wrong codes', retryAfterSeconds ?? 1), typed)
      }
    },
    async POST(visit) {
      visit.verifyCsrf('device')
      const typed = visit.form.get('user_code') ?? ''
      const value = userCodeIn(typed)
      return value === undefined ? entry(visit, malformed, typed) : redirectTo(linkTo({ $case: 'userCode', value }))
    },
  }
}

/** `/logout`: asks whether the person wants to sign out, whoever sent them. */
export function logoutHandlers({ authorization, steps }: RoutesOptions): Handlers {
  return {
    async GET(visit) {
      const purpose: Purpose = { $case: 'logoutId', value: idIn(visit.query) ?? '' }
      return steps.show(visit, purpose, await steps.next(visit, purpose))
    },
    async POST(visit) {
      const purpose: Purpose = { $case: 'logoutId', value: idIn(visit.form) ?? '' }
      visit.verifyCsrf(purpose)
      const { form, session, asker } = visit
      const errand = errandOf(purpose)
      switch (form.get('decision')) {
        case 'leave':
          return steps.follow(visit, purpose, (await authorization.agree({ errand, session, scopes: [], asker })).next)
        case 'everywhere':
          await authorization.signOutEverywhere({ session, asker })
          return steps.signedOut(visit)
        case 'stay': {
          const { next } = await authorization.deny({ errand, session, error: '', description: '', asker })
          return steps.follow(visit, purpose, next)
        }
        default:
          throw new Failure('invalid_request', 'choose to sign out or to stay')
      }
    },
  }
}
