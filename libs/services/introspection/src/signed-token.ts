import type { Millis, Partition } from '@countersign/contracts'
import { dateOf, parseJwtId } from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'

/** Where the record of a token is, and when the token says that it expires. */
export interface Located {
  readonly partition: Partition
  readonly digest: string
  readonly expiresAt: Millis
}

/** Whether it may be a JWT: what every one begins with, and no opaque token. */
export const isJwtShaped = (token: string): boolean => token.startsWith('eyJ')

/**
 * A JWT access token of ours (RFC 9068 section 4), whose `jti` tells where its record is. Undefined for any other JWT.
 * @throws Failure `unavailable` when our keys cannot be read
 */
export async function locateSigned(
  token: string,
  keyRing: Pick<KeyRing, 'verify'>,
  issuer: string,
  now: Millis,
): Promise<Located | undefined> {
  const verified = await keyRing.verify(token, { typ: 'at+jwt' })
  if (!verified) return undefined
  const { exp, iss, jti } = verified.payload
  const [expiresAt, place] = [dateOf(exp), parseJwtId(jti)]
  if (!place || iss !== issuer || expiresAt === undefined || expiresAt <= now) return undefined
  return { ...place, expiresAt }
}
