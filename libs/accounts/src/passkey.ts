import type { Millis } from '@countersign/contracts'
import type { AccountRecord, Passkey } from '@countersign/contracts/records'
import { limits } from './limits.ts'
import { waysToSignIn } from './ways.ts'

/** A passkey leads to its account by itself: authenticators keep where that is, as the user handle. */
export const passkeyIn = ({ passkeys }: AccountRecord, credentialId: string): Passkey | undefined =>
  passkeys.find(({ id }) => id === credentialId)

/** The account with one more passkey. */
export function withPasskey(record: AccountRecord, passkey: Passkey): AccountRecord | 'too_many' | 'known' {
  if (passkeyIn(record, passkey.id)) return 'known'
  if (record.passkeys.length >= limits.passkeys) return 'too_many'
  const name = passkey.name.slice(0, limits.passkeyNameCharacters)
  return { ...record, passkeys: [...record.passkeys, { ...passkey, name }] }
}

/** The account once a passkey was used, with the counter that its authenticator told (WebAuthn section 6.1.1). */
export const withUsedPasskey = (
  record: AccountRecord,
  credentialId: string,
  { counter, now: usedAt }: { counter: number; now: Millis },
): AccountRecord => ({
  ...record,
  passkeys: record.passkeys.map((each) => (each.id === credentialId ? { ...each, counter, usedAt } : each)),
})

/** The account without a passkey, unless nobody could sign in to it any more. */
export function withoutPasskey(
  record: AccountRecord,
  credentialId: string,
): AccountRecord | 'not_found' | 'last_way_to_sign_in' {
  if (!passkeyIn(record, credentialId)) return 'not_found'
  const without = { ...record, passkeys: record.passkeys.filter(({ id }) => id !== credentialId) }
  return waysToSignIn(record) > 0 && waysToSignIn(without) === 0 ? 'last_way_to_sign_in' : without
}
