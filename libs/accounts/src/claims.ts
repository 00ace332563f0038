import { isDeepStrictEqual } from 'node:util'
import type { AccountRecord } from '@countersign/contracts/records'

/** Standard claims about a person (OpenID Connect Core section 5.1); `sub` is the account's id. */
export interface AccountClaims {
  sub: string
  name?: string
  given_name?: string
  family_name?: string
  middle_name?: string
  nickname?: string
  preferred_username?: string
  profile?: string
  picture?: string
  website?: string
  email?: string
  email_verified?: boolean
  gender?: string
  birthdate?: string
  zoneinfo?: string
  locale?: string
  phone_number?: string
  phone_number_verified?: boolean
  address?: Readonly<Record<string, string>>
  /** Seconds since the Unix epoch. */
  updated_at?: number
}

export type ClaimName = Exclude<keyof AccountClaims, 'sub'>

/** What each scope is a shorthand for (OpenID Connect Core section 5.4). */
export const scopeClaims = {
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
} as const satisfies Record<string, readonly ClaimName[]>

/** Every claim that there can be, `sub` apart; for discovery. */
export const claimNames: readonly ClaimName[] = Object.values(scopeClaims).flat()

/** What an account says of its person. */
export function accountClaims(record: AccountRecord): AccountClaims {
  const kept = (record.claims === '' ? {} : JSON.parse(record.claims)) as Omit<AccountClaims, 'sub'>
  const updatedAt = Math.floor((record.changedAt || record.createdAt) / 1_000)
  return {
    ...(record.loginName !== '' && { preferred_username: record.loginName }),
    ...only(kept, claimNames),
    updated_at: updatedAt,
    sub: record.id,
  }
}

function only(claims: Omit<AccountClaims, 'sub'>, names: readonly ClaimName[]): Partial<AccountClaims> {
  return Object.fromEntries(names.flatMap((name) => (claims[name] === undefined ? [] : [[name, claims[name]]])))
}

/** The claims that these scopes ask for, and `sub`. */
export function claimsForScopes(claims: AccountClaims, scopes: readonly string[]): AccountClaims {
  const names = Object.entries(scopeClaims).flatMap(([scope, of]) => (scopes.includes(scope) ? of : []))
  return { ...only(claims, names), sub: claims.sub }
}

/**
 * The claims that one member (`userinfo` or `id_token`) of the `claims` parameter asks for (OpenID Connect Core section 5.5.1),
 * without `sub`. A claim asked for with a value, or one of several, is told only where it has it; that none is there is no
 * error, essential or not.
 * @param request as it came; what is no request for a claim of ours is passed over
 */
export function claimsRequested(claims: AccountClaims, request: unknown): Partial<AccountClaims> {
  if (typeof request !== 'object' || request === null) return {}
  const names = claimNames.filter((name) => {
    if (!Object.hasOwn(request, name)) return false
    const wanted: unknown = (request as Record<string, unknown>)[name]
    if (wanted === null) return true
    if (typeof wanted !== 'object') return false
    const { value, values } = wanted as { value?: unknown; values?: unknown }
    const isOneOf = !Array.isArray(values) || values.some((one) => isDeepStrictEqual(one, claims[name]))
    return isOneOf && (value === undefined || isDeepStrictEqual(value, claims[name]))
  })
  return only(claims, names)
}
