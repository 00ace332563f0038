import { createPublicKey } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import type { ClientKeys } from '@countersign/tokens'
import { limits } from '../limits.ts'

/** RFC 7517 section 4, and the public members of RFC 7518 sections 6.2 and 6.3 and RFC 8037 section 2. */
const publicMembers = ['kty', 'use', 'key_ops', 'alg', 'kid', 'x5c', 'x5t', 'x5t#S256', 'crv', 'x', 'y', 'n', 'e']
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

const isText = (value: unknown): boolean => typeof value === 'string'

/** The JWK, of its public members; what else is in it is left out. @throws Failure `invalid_request`, repeating nothing of it */
function publicKey(given: unknown): Record<string, unknown> {
  if (typeof given !== 'object' || given === null) throw new Failure('invalid_request', 'jwks: a key is an object')
  if (privateMembers.some((member) => Object.hasOwn(given, member))) {
    throw new Failure('invalid_request', 'jwks holds a private or symmetric key: give only public ones')
  }
  const members = Object.entries(given).filter(([name]) => publicMembers.includes(name))
  const areSimple = members.every(([, value]) => isText(value) || (Array.isArray(value) && value.every(isText)))
  if (!areSimple) throw new Failure('invalid_request', 'jwks: the members of a key are texts')
  const jwk = Object.fromEntries(members)
  checkKey(jwk)
  return jwk
}

function checkKey(jwk: Record<string, unknown>): void {
  let bits: number | undefined
  try {
    bits = createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyDetails?.modulusLength
  } catch {
    throw new Failure('invalid_request', 'jwks holds what is not a public key (RFC 7517)')
  }
  const { least, most } = limits.registeredRsaBits
  if (bits !== undefined && (bits < least || bits > most)) {
    throw new Failure('invalid_request', `jwks: RSA keys have ${least} to ${most} bits`)
  }
}

/** A JWK Set (RFC 7517 section 5) of public keys. @throws Failure `invalid_request` */
export function publicKeys(given: unknown): NonNullable<ClientKeys['jwks']> {
  const { keys } = Object(given) as { keys?: unknown }
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > limits.registeredItems) {
    throw new Failure('invalid_request', `jwks is a JWK Set of 1 to ${limits.registeredItems} keys`)
  }
  return { keys: keys.map(publicKey) }
}
