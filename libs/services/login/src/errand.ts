import type { Form } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import type { Errand } from '@countersign/contracts/authorization'
import { limits } from './limits.ts'

/**
 * What a person is here for: a request of an application's, a device, a sign-out, a page of this server; undefined: nothing but
 * being signed in.
 */
export type Purpose = NonNullable<Errand['errand']> | { $case: 'returnTo'; value: string } | undefined

/** An errand that token-issuer knows of. */
export type ErrandPurpose = NonNullable<Errand['errand']>

export const isErrand = (purpose: Purpose): purpose is ErrandPurpose =>
  purpose !== undefined && purpose.$case !== 'returnTo'

export const errandOf = (purpose: ErrandPurpose): Errand => ({ errand: purpose })

/** The form field, and query parameter, that carries each kind. */
const fields = { requestId: 'request', userCode: 'user_code', logoutId: 'request', returnTo: 'return_to' } as const
const pages = { requestId: 'login', userCode: 'device', logoutId: 'logout', returnTo: 'login' } as const

/** What a form is tied to: an errand, or one of the pages that have none. */
export type Tie = NonNullable<Purpose> | 'sign-in' | 'device' | 'setup' | `account ${string}` | `password ${string}`

/** Names it within a CSRF token: no two share a name. */
export const nameOf = (tie: Tie): string => (typeof tie === 'string' ? tie : `${tie.$case}:${tie.value}`)

/** The hidden field by which a form keeps to its errand. */
export const fieldOf = (purpose: Purpose): { name: string; value: string } | undefined =>
  purpose && { name: fields[purpose.$case], value: purpose.value }

/**
 * Where a person goes on with an errand. Relative, as all that pages and redirects say of one another: the pages lie side by side,
 * wherever a gateway puts them.
 */
export function linkTo(purpose: Purpose, page: string = purpose ? pages[purpose.$case] : 'login'): string {
  const field = fieldOf(purpose)
  return field?.value ? `${page}?${new URLSearchParams([[field.name, field.value]])}` : page
}

/** The id of what brought the browser here. @throws Failure `invalid_request` */
export function idIn(form: Form): string | undefined {
  const id = form.get('request')
  if (id === undefined || (id.length <= limits.errandCharacters && /^[\w.~-]+$/.test(id))) return id
  throw new Failure('invalid_request', 'this link is not complete; go back to the application and start again')
}

/** A user code's letters, however it was typed: case, spaces and dashes do not count. Undefined when it cannot be one. */
export function userCodeIn(typed: string): string | undefined {
  const letters = typed
    .slice(0, limits.errandCharacters)
    .toUpperCase()
    .replace(/[\s\p{Pd}_.]/gu, '')
  return /^[A-Z]+$/.test(letters) && letters.length === limits.userCodeLetters ? letters : undefined
}

/** As a device shows it. */
export function shownUserCode(letters: string): string {
  const half = limits.userCodeLetters / 2
  return `${letters.slice(0, half)}-${letters.slice(half)}`
}

/**
 * A page of this server, as path and query; undefined for what leads anywhere else, however it is written: a browser takes a
 * backslash for a slash, and drops control characters.
 */
export function localPath(given: string): string | undefined {
  if (given.length > limits.returnCharacters || !/^\/[\x21-\x7e]*$/.test(given) || given.includes('\\'))
    return undefined
  const here = 'http://here.invalid'
  if (!URL.canParse(given, here)) return undefined
  const { origin, pathname, search } = new URL(given, here)
  return origin === here && !pathname.startsWith('//') ? pathname + search : undefined
}

/** What a form or query names: a user code, a request, a page of ours; a page that is not ours is nothing. @throws Failure `invalid_request` */
export function purposeIn(form: Form): Purpose {
  const typed = form.get('user_code')
  if (typed === undefined) {
    const value = idIn(form)
    if (value !== undefined) return { $case: 'requestId', value }
    const path = localPath(form.get('return_to') ?? '')
    return path === undefined ? undefined : { $case: 'returnTo', value: path }
  }
  const value = userCodeIn(typed)
  if (value === undefined) throw new Failure('invalid_request', 'this is not the code of a device')
  return { $case: 'userCode', value }
}
