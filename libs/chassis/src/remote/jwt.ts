import { errors, jwtVerify, type CryptoKey, type JWTVerifyGetKey } from 'jose'
import type { Millis } from '@countersign/contracts'
import { maxKeysTried } from '../limits.ts'

/** Of the JWS algorithms, those with a public key that jose and everybody else knows (RFC 7518 section 3.1, RFC 8037). */
const algorithms = ['RS', 'PS', 'ES']
  .flatMap((family) => ['256', '384', '512'].map((bits) => family + bits))
  .concat('EdDSA', 'Ed25519')

export interface RemoteJwtChecks {
  /** The other server's, see {@link RemoteKeySource}. */
  readonly key: JWTVerifyGetKey | CryptoKey
  /** To the letter. */
  readonly issuer: string
  readonly now: Millis
  /** How far the other server's clock may be off. */
  readonly skewSeconds: number
}

export type RemoteJwt = { readonly claims: Readonly<Record<string, unknown>> } | { readonly refusal: string }

/**
 * What another server says by a signed JWT: by one of its own keys and an algorithm with a public key, of its issuer, with an
 * `exp` that has not passed. For whom it is, is left to the caller. The header's `jku`, `x5u`, `jwk` and `x5c` are not looked at.
 * @throws Failure of `key` when the keys cannot be had
 */
export async function verifyRemoteJwt(jwt: string, checks: RemoteJwtChecks): Promise<RemoteJwt> {
  const { key, issuer, now, skewSeconds } = checks
  const options = {
    algorithms,
    issuer,
    currentDate: new Date(now),
    clockTolerance: skewSeconds,
    requiredClaims: ['exp', 'sub'],
  }
  try {
    // The two overloads take the same.
    const { payload } = await (typeof key === 'function' ? jwtVerify(jwt, key, options) : jwtVerify(jwt, key, options))
    return { claims: payload }
  } catch (thrown) {
    if (thrown instanceof errors.JWKSMultipleMatchingKeys) return verifyByOneOf(jwt, checks, thrown)
    // TypeError, DataError: a key that does not fit its algorithm.
    const isRefused =
      thrown instanceof errors.JOSEError || thrown instanceof TypeError || thrown instanceof DOMException
    if (isRefused) return { refusal: thrown instanceof errors.JOSEError ? thrown.message : 'a key does not fit' }
    throw thrown
  }
}

/** Without `kid` it may be any of the keys for its algorithm. */
async function verifyByOneOf(
  jwt: string,
  checks: RemoteJwtChecks,
  candidates: AsyncIterable<CryptoKey>,
): Promise<RemoteJwt> {
  let tried = 0
  for await (const key of candidates) {
    const verified = await verifyRemoteJwt(jwt, { ...checks, key })
    if ('claims' in verified || ++tried === maxKeysTried) return verified
  }
  return { refusal: 'no key of its issuer made the signature' }
}
