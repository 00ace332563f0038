import { accountClaims } from '@countersign/accounts'
import type { Account as AccountMessage } from '@countersign/contracts/accounts'
import type { AccountRecord } from '@countersign/contracts/records'

/** What operators see of an account: nothing that anybody could sign in with. */
export function accountMessage(record: AccountRecord): AccountMessage {
  const { id, loginName, passwordHash, createdAt, changedAt, disabledAt, identities, totp, passkeys } = record
  const { name = '', email = '', email_verified: emailVerified = false } = accountClaims(record)
  return {
    ...{ id, loginName, name, email, emailVerified, createdAt, changedAt, disabledAt },
    hasPassword: passwordHash !== '',
    hasTotp: totp !== undefined,
    passkeys: passkeys.length,
    identities: identities.map(({ provider, issuer, subject, label, linkedAt }) => ({
      ...{ provider, issuer, subject, label, linkedAt },
    })),
  }
}
