import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { complain, list, map } from './leaf.ts'
import { limits } from './limits.ts'

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** What is wrong with a public key, as a sentence that repeats nothing of it. */
function fault(jwk: Readonly<Record<string, unknown>>): string | undefined {
  if (jwk.kty === 'oct') return 'is a symmetric key (kty oct), which is a secret; public keys are expected'
  const member = privateMembers.find((name) => Object.hasOwn(jwk, name))
  if (member !== undefined) return `has the private member ${member}; give only the public part of the key`
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    const bits = asymmetricKeyDetails?.modulusLength
    return bits === undefined || bits >= limits.rsaBits
      ? undefined
      : `is an RSA key of less than ${limits.rsaBits} bits`
  } catch {
    return 'is not a public key (RFC 7517): kty EC, RSA or OKP with its members is expected'
  }
}

const jwk = () =>
  z.record(z.string(), z.unknown(), { error: 'a map' }).transform((given, issues) => {
    const sentence = fault(given)
    return sentence === undefined ? given : complain(issues, given, sentence)
  })

const count = `a list of 1 to ${limits.clientKeys} keys`

/** A JWK Set (RFC 7517 section 5) of public keys; treated as a secret, for it may hold private ones by mistake. */
export const jwks = () =>
  map({
    keys: list(jwk()).min(1, { error: count }).max(limits.clientKeys, { error: count }),
  }).meta({ title: 'a JWK Set (RFC 7517 section 5), { keys: [ … ] }', writeOnly: true })
