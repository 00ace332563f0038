import type { AccountClaims } from '@countersign/accounts'
import { limits as loginLimits } from '../limits.ts'
import { isObject, type Members } from './answer.ts'
import { limits } from './limits.ts'
import { emailOf, textOf, unique, webUrlOf } from './text.ts'

/**
 * The claim at a path. Dots lead into maps; a name that has dots of its own is found before they are taken for a path, as in
 * `resource_access.app.example.roles`.
 */
export function claimAt(claims: unknown, path: string): unknown {
  if (!isObject(claims)) return undefined
  if (Object.hasOwn(claims, path)) return claims[path] ?? undefined
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot)
    const found = Object.hasOwn(claims, name) ? claimAt(claims[name], path.slice(dot + 1)) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** From the first of the sources that has it. */
const firstAt = (sources: readonly Members[], path: string): unknown => {
  for (const source of sources) {
    const value = claimAt(source, path)
    if (value !== undefined) return value
  }
  return undefined
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

const textClaims = [
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'gender', 'birthdate'],
  ...['zoneinfo', 'locale'],
] as const
const urlClaims = ['profile', 'picture', 'website'] as const
const addressMembers = ['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country'] as const

const isTrue = (value: unknown): boolean => value === true || value === 'true'

export interface Email {
  readonly address: string
  /** Undefined where the provider says nothing of it. */
  readonly isVerified: boolean | undefined
}

/** The address, and what the same source says of it: one source's word is not about another's address. */
export function emailIn(sources: readonly Members[], field = 'email'): Email | undefined {
  const beside = `${field.slice(0, field.lastIndexOf('.') + 1)}email_verified`
  for (const source of sources) {
    const address = emailOf(claimAt(source, field))
    const word = claimAt(source, beside) ?? claimAt(source, 'email_verified')
    if (address !== undefined) return { address, isVerified: word === undefined ? undefined : isTrue(word) }
  }
  return undefined
}

/** Standard claims (OpenID Connect Core section 5.1), but for the e-mail address, from the first source that has each. */
export function profileIn(sources: readonly Members[]): Omit<AccountClaims, 'sub'> {
  const only = (names: readonly string[], read: (value: unknown) => string | undefined, within = '') =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = read(firstAt(sources, within + name))
        return value === undefined ? [] : [[name, value]]
      }),
    )
  const address = only(addressMembers, (value) => textOf(value), 'address.')
  const phone = sources.find((source) => textOf(claimAt(source, 'phone_number')) !== undefined)
  return {
    ...only(textClaims, (value) => textOf(value)),
    ...only(urlClaims, webUrlOf),
    ...(phone && {
      phone_number: textOf(phone.phone_number)!,
      phone_number_verified: isTrue(claimAt(phone, 'phone_number_verified')),
    }),
    ...(Object.keys(address).length > 0 && { address }),
  }
}

/** Of all sources: what one of them says of somebody's roles is not all. */
export function rolesIn(sources: readonly Members[], paths: readonly string[]): string[] {
  const values = sources.flatMap((source) => paths.flatMap((path) => listOf(claimAt(source, path))))
  const roles = values.flatMap((value) => textOf(value, limits.roleCharacters) ?? [])
  return unique(roles).slice(0, loginLimits.roles)
}

const valueOf = (value: unknown): string | undefined =>
  typeof value === 'boolean' || Number.isFinite(value) ? String(value) : textOf(value)

export function attributesIn(sources: readonly Members[], paths: Readonly<Record<string, string>>) {
  return Object.entries(paths)
    .slice(0, loginLimits.attributes)
    .flatMap(([name, path]) => {
      const values = listOf(firstAt(sources, path)).flatMap((value) => valueOf(value) ?? [])
      return values.length === 0 ? [] : [{ name, values: unique(values).slice(0, loginLimits.attributeValues) }]
    })
}

/** How the person was authenticated there (OpenID Connect Core section 2, RFC 8176). */
export function methodsIn({ amr, acr }: Members): { amr: string[]; acr: string } {
  const methods = Array.isArray(amr) ? amr.flatMap((method) => textOf(method, limits.methodCharacters) ?? []) : []
  return { amr: unique(methods).slice(0, limits.methods), acr: textOf(acr) ?? '' }
}
