import type { Millis } from '@countersign/contracts'
import type { Client } from '../client.ts'
import { limits } from '../limits.ts'
import { withKeys, type KeySource } from './client-keys.ts'
import { dateOf, isSignedBy, readJws, type UnverifiedJws } from './jws.ts'
import type { ReplayGuard } from './replay.ts'

/** RFC 7523 section 2.2. */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What assertions of clients are checked with. */
export interface Assertions {
  /** Undefined for a client that has none. */
  readonly keysOf: (client: Client) => KeySource | undefined
  readonly replay: ReplayGuard
  readonly issuer: string
  /** What an assertion may be for besides the issuer and the endpoint that it is sent to: the token endpoint's URL. */
  readonly audiences: readonly string[]
  readonly now: () => Millis
}

/** An assertion and whom it claims to be of. Nothing of it is verified. */
export interface Assertion {
  readonly text: string
  readonly clientId: string
  readonly payload: UnverifiedJws['payload']
}

/** Undefined for what is no assertion, or one that a client does not make about itself (RFC 7523 section 3). */
export function readAssertion(text: string): Assertion | undefined {
  const payload = readJws(text, limits.assertionCharacters)?.payload
  if (!payload || typeof payload.sub !== 'string' || payload.iss !== payload.sub) return undefined
  return { text, clientId: payload.sub, payload }
}

/**
 * Whether this client made the assertion for us, not too long ago, and uses it for the first time (RFC 7523 section 3,
 * OpenID Connect Core 1.0 section 9).
 * @param path of the endpoint that it was sent to
 * @throws Failure `invalid_client` when the client's keys cannot be had, `unavailable` when the store cannot tell
 */
export async function isAsserted(
  assertions: Assertions,
  client: Client,
  { text, payload }: Assertion,
  path: string,
): Promise<boolean> {
  const { keysOf, replay, issuer, audiences, now } = assertions
  const accepted = [issuer, `${issuer}${path}`, ...audiences]
  const { jti } = payload
  const expiresAt = expiryOf(payload, now())
  // Before any key is fetched.
  if (expiresAt === undefined || typeof jti !== 'string' || jti === '') return false
  if (![payload.aud].flat().some((audience) => accepted.includes(audience as string))) return false
  const keys = keysOf(client)
  if (!keys || !(await withKeys(isSignedBy(text, keys.key)))) return false
  return replay.once('assertion', JSON.stringify([client.id, jti]), expiresAt)
}

/** Until when the assertion is taken; undefined when it is not. */
function expiryOf({ exp, iat, nbf }: Assertion['payload'], now: Millis): Millis | undefined {
  const expiresAt = (dateOf(exp) ?? NaN) + limits.clockSkewMs
  const latest = now + limits.clockSkewMs
  // The comparisons are false for NaN.
  if (!(expiresAt > now && expiresAt <= latest + limits.assertionLifetimeMs)) return undefined
  const isPast = (date: unknown) => date === undefined || (dateOf(date) ?? Infinity) <= latest
  return isPast(iat) && isPast(nbf) ? Math.ceil(expiresAt) : undefined
}
