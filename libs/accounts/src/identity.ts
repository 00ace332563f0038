import { hash } from 'node:crypto'
import type { AccountRecord, Identity } from '@countersign/contracts/records'
import { keyOf, type Key } from '@countersign/store'
import { limits } from './limits.ts'
import { indexPartition } from './place.ts'
import { waysToSignIn } from './ways.ts'

/** Who somebody is elsewhere: never by an address or a name, which change hands (OpenID Connect Core section 5.7). */
export type IdentityName = Pick<Identity, 'issuer' | 'subject'>

/** Where the account of an identity is kept. An issuer is a URI, and has no NUL. */
export const identityKey = ({ issuer, subject }: IdentityName): Key =>
  keyOf(indexPartition, `identity/${hash('sha256', `${issuer}\0${subject}`, 'base64url')}`)

const isSame = (one: IdentityName, other: IdentityName): boolean =>
  one.issuer === other.issuer && one.subject === other.subject

export const hasIdentity = ({ identities }: AccountRecord, identity: IdentityName): boolean =>
  identities.some((each) => isSame(each, identity))

/** The account with one more identity; one that it has already gets the new provider and label. */
export function withIdentity(record: AccountRecord, identity: Identity): AccountRecord | 'too_many' {
  const label = identity.label.slice(0, limits.claimCharacters)
  const known = record.identities.find((each) => isSame(each, identity))
  if (known) {
    const { provider } = identity
    const identities = record.identities.map((each) => (each === known ? { ...each, provider, label } : each))
    return { ...record, identities }
  }
  if (record.identities.length >= limits.identities) return 'too_many'
  return { ...record, identities: [...record.identities, { ...identity, label }] }
}

/** The account without an identity, unless nobody could sign in to it any more. */
export function withoutIdentity(
  record: AccountRecord,
  identity: IdentityName,
): AccountRecord | 'not_found' | 'last_way_to_sign_in' {
  if (!hasIdentity(record, identity)) return 'not_found'
  if (waysToSignIn(record) === 1) return 'last_way_to_sign_in'
  return { ...record, identities: record.identities.filter((each) => !isSame(each, identity)) }
}
