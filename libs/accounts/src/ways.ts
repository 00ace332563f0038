import type { AccountRecord } from '@countersign/contracts/records'

/** How many ways there are to sign in to an account: its password, each passkey, each identity elsewhere. */
export const waysToSignIn = ({ loginName, passwordHash, passkeys, identities }: AccountRecord): number =>
  (loginName !== '' && passwordHash !== '' ? 1 : 0) + passkeys.length + identities.length
