import type { Attribute } from '@countersign/contracts/records'
import { normalizeLoginName } from './login-name.ts'

/** Conditions that must all hold, each by any of its values. */
export interface RoleCondition {
  /** The provider's id. */
  readonly provider?: string | undefined
  readonly email?: readonly string[] | undefined
  readonly emailDomains?: readonly string[] | undefined
  readonly loginName?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly attributes?: Readonly<Record<string, readonly string[]>> | undefined
}

export interface RoleRule {
  readonly grant: readonly string[]
  readonly when: RoleCondition
}

/** Who signs in, as the provider and the directories say. */
export interface RoleBearer {
  readonly provider: string
  /** Only where it is trusted. */
  readonly email: string | undefined
  /** Empty or undefined: none. */
  readonly loginName: string | undefined
  readonly roles: readonly string[]
  readonly attributes: readonly Attribute[]
}

/** Of ASCII letters alone: other alphabets have letters whose lower case is an ASCII one, and are not that address. */
const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1)

const isOneOf = (value: string | undefined, wanted: readonly string[], alike = (text: string) => text): boolean =>
  value !== undefined && value !== '' && wanted.some((each) => alike(each) === alike(value))

/** One entry per condition that the rule names: whether it holds. */
function conditionsOf({ provider, email, emailDomains, loginName, roles, attributes }: RoleCondition, who: RoleBearer) {
  const domain = who.email?.includes('@') ? domainOf(who.email) : undefined
  const isLoginName = (name: string) => {
    const wanted = normalizeLoginName(name)
    return wanted !== undefined && wanted === normalizeLoginName(who.loginName ?? '')
  }
  const valuesOf = (name: string) => who.attributes.flatMap((each) => (each.name === name ? each.values : []))
  return [
    ...(provider === undefined ? [] : [provider === who.provider]),
    ...(email === undefined ? [] : [isOneOf(who.email, email, folded)]),
    ...(emailDomains === undefined ? [] : [isOneOf(domain, emailDomains, folded)]),
    ...(loginName === undefined ? [] : [loginName.some(isLoginName)]),
    ...(roles === undefined ? [] : [roles.some((role) => who.roles.includes(role))]),
    ...Object.entries(attributes ?? {}).map(([name, wanted]) => valuesOf(name).some((value) => wanted.includes(value))),
  ]
}

/**
 * The roles that the rules add to those that somebody has: every rule whose conditions all hold grants, in one pass. A rule
 * without any condition grants nothing.
 * @returns sorted, each once; without those that `who` brought
 */
export function rolesByRules(rules: readonly RoleRule[], who: RoleBearer): string[] {
  const granted = rules.flatMap(({ grant, when }) => {
    const conditions = conditionsOf(when, who)
    return conditions.length > 0 && conditions.every(Boolean) ? grant : []
  })
  return [...new Set(granted)].sort()
}
