import type { AccountClaims } from '@countersign/accounts'
import type { Members } from './answer.ts'
import { attributesIn, methodsIn, rolesIn, type Email } from './claims.ts'
import type { UpstreamPerson } from './flow.ts'
import { issuerOf, nameOf, type UpstreamProvider } from './provider.ts'
import { denied } from './trouble.ts'

export interface Found {
  readonly subject: string
  readonly profile: Omit<AccountClaims, 'sub'>
  readonly email: Email | undefined
  /** Whether an address counts as the person's where the provider says nothing of it. */
  readonly isEmailTrusted: boolean
  /** What roles and attributes are read from, most telling first. */
  readonly sources: readonly Members[]
  /** What tells how the person was authenticated. */
  readonly methods: Members
}

/** ASCII letters alone are folded: other alphabets have letters whose lower case is an ASCII one, and are another domain. */
const domainOf = (address: string): string =>
  address.slice(address.lastIndexOf('@') + 1).replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** @throws Failure `access_denied` unless the person's own address is in one of the domains */
function checkDomain(provider: UpstreamProvider, email: string | undefined): void {
  const { emailDomains } = provider
  if (!emailDomains || (email !== undefined && emailDomains.includes(domainOf(email)))) return
  throw email === undefined
    ? denied(
        `Only people whose e-mail address is known may sign in here. ${nameOf(provider)} does not tell yours, or has not confirmed it.`,
        'there is no trusted e-mail address',
      )
    : denied('Your e-mail address is none of those that may sign in here.', 'the e-mail address is of another domain')
}

/** @throws Failure `access_denied` where the provider's people are not all let in */
export function personOf(provider: UpstreamProvider, found: Found): UpstreamPerson {
  const { subject, profile, email, isEmailTrusted, sources, methods } = found
  const isTrusted = provider.trustEmail || (email?.isVerified ?? isEmailTrusted)
  const trusted = isTrusted ? email?.address : undefined
  checkDomain(provider, trusted)
  return {
    provider: provider.id,
    issuer: issuerOf(provider),
    subject,
    claims: { ...profile, ...(email && { email: email.address, email_verified: isTrusted }) },
    email: trusted,
    label: trusted ?? profile.preferred_username ?? profile.name ?? email?.address ?? subject,
    roles: rolesIn(sources, provider.rolesClaim),
    attributes: attributesIn(sources, provider.attributes),
    ...methodsIn(methods),
  }
}
