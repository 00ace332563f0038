import type { AuthorizationCalls } from '@countersign/contracts'
import { asFailure, Failure } from '@countersign/contracts'
import { errandOf, idIn, isErrand, linkTo, purposeIn, userCodeIn, type ErrandPurpose, type Purpose } from '../errand.ts'
import { limits } from '../limits.ts'
import { devicePage, scopePrefix, type Mistake } from '../pages/index.ts'
import type { Handlers, Visit } from '../visit.ts'
import { mistake, tooMany } from './mistakes.ts'
import type { Steps } from './steps.ts'

export interface ErrandsOptions {
  authorization: AuthorizationCalls
  steps: Steps
}

/** `/consent`: whether an application, or a device, may have what it asks for. */
export function consentHandlers({ authorization, steps }: ErrandsOptions): Handlers {
  const required = (purpose: Purpose): ErrandPurpose => {
    if (isErrand(purpose)) return purpose
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
export function deviceHandlers({ steps }: ErrandsOptions): Handlers {
  const entry = (visit: Visit, said?: Mistake, typed = '') => {
    const ties = { purpose: undefined, csrf: visit.csrf('device') }
    return devicePage(visit.paper(), { ties, typed, ...(said && { mistake: said }) })
  }

  return {
    async GET(visit) {
      const typed = visit.query.get('user_code')
      if (typed === undefined) return entry(visit)
      const value = userCodeIn(typed)
      if (value === undefined)
        return entry(visit, mistake(visit, 400, 'mistake.device_malformed', { letters: limits.userCodeLetters }), typed)
      const purpose: Purpose = { $case: 'userCode', value }
      try {
        return await steps.show(visit, purpose, await steps.next(visit, purpose))
      } catch (thrown) {
        const { code, retryAfterSeconds } = asFailure(thrown)
        if (code === 'not_found') return entry(visit, mistake(visit, 404, 'mistake.device_unknown'), typed)
        if (code !== 'too_many_requests') throw thrown
        return entry(visit, tooMany(visit, 'mistake.too_many_codes', retryAfterSeconds ?? 1), typed)
      }
    },
    async POST(visit) {
      visit.verifyCsrf('device')
      const typed = visit.form.get('user_code') ?? ''
      const value = userCodeIn(typed)
      return value === undefined
        ? entry(visit, mistake(visit, 400, 'mistake.device_malformed', { letters: limits.userCodeLetters }), typed)
        : visit.to(linkTo({ $case: 'userCode', value }))
    },
  }
}

/** `/logout`: asks whether the person wants to sign out, whoever sent them. */
export function logoutHandlers({ authorization, steps }: ErrandsOptions): Handlers {
  return {
    async GET(visit) {
      const purpose: Purpose = { $case: 'logoutId', value: idIn(visit.query) ?? '' }
      return steps.show(visit, purpose, await steps.next(visit, purpose))
    },
    async POST(visit) {
      const purpose: Purpose = { $case: 'logoutId', value: idIn(visit.form) ?? '' }
      visit.verifyCsrf(purpose)
      const { form, session: name, asker } = visit
      const errand = errandOf(purpose)
      switch (form.get('decision')) {
        case 'leave': {
          const { session } = await authorization.getSession({ session: name })
          const { next } = await authorization.agree({ errand, session: name, scopes: [], asker })
          return steps.follow(visit, purpose, next, session)
        }
        case 'everywhere': {
          const { session } = await authorization.getSession({ session: name })
          await authorization.signOutEverywhere({ session: name, asker })
          return steps.signedOut(visit, session)
        }
        case 'stay': {
          const { next } = await authorization.deny({ errand, session: name, error: '', description: '', asker })
          return steps.follow(visit, purpose, next)
        }
        default:
          throw new Failure('invalid_request', 'choose to sign out or to stay')
      }
    },
  }
}
