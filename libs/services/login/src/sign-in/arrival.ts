import { rolesByRules, type RoleRule } from '@countersign/accounts'
import type { AuthorizationCalls } from '@countersign/contracts'
import type { Attribute, Next } from '@countersign/contracts/authorization'
import { limits as tokenLimits, newSessionCookie, sessionNameOf } from '@countersign/tokens'
import type { Account } from '../account-directory.ts'
import type { Cookies, SessionOptions } from '../cookies.ts'
import type { Directories } from '../directories/directories.ts'
import { errandOf, isErrand, type Purpose } from '../errand.ts'
import { limits } from '../limits.ts'
import type { Visit } from '../visit.ts'

/** Somebody who has shown who they are, and how. */
export interface Arrival {
  readonly account: Account
  /** The id of the provider that they showed it to. */
  readonly provider: string
  /** What the provider knows them by. */
  readonly subject: string
  /** RFC 8176. */
  readonly amr: readonly string[]
  readonly acr: string
  /** Only an address of which it is known that it is theirs. */
  readonly email: string | undefined
  /** What the provider said of them. */
  readonly roles: readonly string[]
  readonly attributes: readonly Said[]
}

/** An attribute, from wherever it comes. */
interface Said {
  readonly name: string
  readonly values: readonly string[]
}

export interface ArrivalsOptions {
  authorization: AuthorizationCalls
  rules: readonly RoleRule[]
  directories: Directories
  cookies: Cookies
  session: SessionOptions
  randomBytes: (bytes: number) => Uint8Array
}

/** Begins sessions. */
export class Arrivals {
  readonly #options: ArrivalsOptions

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  /**
   * Begins a session, under a cookie that is always a new one.
   * @returns what is next for the errand; undefined without one
   * @throws Failure `access_denied` for somebody who is disabled, `not_found` for an errand that is over
   */
  async signIn(visit: Visit, purpose: Purpose, arrival: Arrival): Promise<Next | undefined> {
    const { authorization, cookies, session, randomBytes } = this.#options
    const { account, provider, amr, acr } = arrival
    const cookie = newSessionCookie(account.partition, randomBytes(limits.cookieBytes))
    const { next } = await authorization.signIn({
      errand: isErrand(purpose) ? errandOf(purpose) : undefined,
      session: sessionNameOf(cookie),
      previous: visit.session,
      subject: account.record.id,
      amr: [...amr],
      acr,
      idleMs: session.idleMs,
      absoluteMs: session.absoluteMs,
      provider,
      asker: visit.asker,
      ...(await this.#standing(arrival)),
    })
    visit.setCookie(cookies.setSession(cookie))
    return next
  }

  /** What they have by signing in like this: what the provider and directories say of them, and what rules make of that. */
  async #standing({ account, provider, subject, email, roles, attributes }: Arrival) {
    const { rules, directories } = this.#options
    const { id: accountId, loginName } = account.record
    const found = await directories.lookUp({ provider, subject, loginName, email, accountId })
    const said = { roles: union(roles, found.roles), attributes: merged([...attributes, ...found.attributes]) }
    const ruled = rolesByRules(rules, { provider, email, loginName, ...said })
    return { roles: fitting(union(said.roles, ruled)), attributes: fittingAttributes(said.attributes) }
  }
}

/** As many as there is room for: what is left out is not granted. */
function fitting(roles: readonly string[]): string[] {
  let bytes = 0
  const short = roles.filter((role) => role !== '' && role.length <= tokenLimits.roleCharacters)
  return short
    .slice(0, tokenLimits.roles)
    .filter((role) => (bytes += Buffer.byteLength(role)) <= tokenLimits.rolesBytes)
}

function fittingAttributes(attributes: readonly Attribute[]): Attribute[] {
  const { attributeValues, attributeCharacters, attributesBytes } = tokenLimits
  let bytes = 0
  const short = attributes.map(({ name, values }) => {
    const kept = values.filter((value) => value.length <= attributeCharacters).slice(0, attributeValues)
    return { name, values: kept }
  })
  return short.slice(0, tokenLimits.attributes).filter(({ name, values }) => {
    bytes += Buffer.byteLength(name + values.join(''))
    return bytes <= attributesBytes
  })
}

const union = (some: readonly string[], others: readonly string[]): string[] =>
  [...new Set([...some, ...others])].sort()

/** Several sources may speak of one attribute. */
function merged(attributes: readonly Said[]): Attribute[] {
  const names = [...new Set(attributes.map(({ name }) => name))].sort()
  return names.map((name) => {
    const values = attributes.flatMap((each) => (each.name === name ? each.values : []))
    return { name, values: union(values, []) }
  })
}
