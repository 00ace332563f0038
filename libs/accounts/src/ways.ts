import type { AccountRecord } from '@countersign/contracts/records'

/** Whether the account may have passkeys: they sign in as we do, so that an account that others vouch for would become ours. */
export const mayHavePasskeys = ({ loginName }: Pick<AccountRecord, 'loginName'>): boolean => loginName !== ''

/** How many ways there are to sign in to an account: its password, each passkey that counts, each identity elsewhere. */
export const waysToSignIn = (record: AccountRecord): number =>
  (record.loginName !== '' && record.passwordHash !== '' ? 1 : 0) +
  (mayHavePasskeys(record) ? record.passkeys.length : 0) +
  record.identities.length
