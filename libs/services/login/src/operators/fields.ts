import { limits as accountLimits } from '@countersign/accounts'
import { Failure } from '@countersign/contracts'
import { isMailAddress } from '../mail/address.ts'

/** @throws Failure `invalid_request` for what is no name; empty is none */
export function checkName(name: string): void {
  const most = accountLimits.claimCharacters
  if (name.length <= most && name.isWellFormed() && !/\p{Cc}/u.test(name)) return
  throw new Failure('invalid_request', `a name has at most ${most} characters, on one line`)
}

/** @throws Failure `invalid_request` for what is no address; empty is none */
export function checkEmail(email: string): void {
  if (email === '' || (email.length <= accountLimits.claimCharacters && isMailAddress(email))) return
  throw new Failure('invalid_request', 'this is no e-mail address')
}

/** An operator vouches for an address. */
export const emailClaims = (email: string) => (email === '' ? {} : { email, email_verified: true })
