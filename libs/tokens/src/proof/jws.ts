import { compactVerify, errors, type CryptoKey, type JWTVerifyGetKey } from 'jose'
import { limits } from '../limits.ts'

/** Algorithms of what others sign: asymmetric ones only. `Ed25519` is EdDSA by its newer name (RFC 9864). */
export const proofAlgorithms = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const

type Members = Readonly<Record<string, unknown>>

/** A JWS in compact form, taken apart. Nothing of it is verified. */
export interface UnverifiedJws {
  readonly header: Members
  readonly payload: Members
}

/** A string of a JSON text; those before a colon are members' names. Whatever is in a string is passed over once. */
const stringOrName = /"(?:[^"\\]|\\.)*"(\s*:)?/g

function countNames(text: string): number {
  let names = 0
  for (const [, colon] of text.matchAll(stringOrName)) if (colon !== undefined) names++
  return names
}

const countMembers = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0
  const nested = Object.values(value).reduce((sum: number, each) => sum + countMembers(each), 0)
  return Array.isArray(value) ? nested : nested + Object.keys(value).length
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws SyntaxError, TypeError, RangeError unless it is a JSON object in which every name is there once (RFC 7519 section 4) */
function jsonObject(encoded: string): Members {
  const text = utf8.decode(Buffer.from(encoded, 'base64url'))
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not an object')
  // What is there twice is one member once it is parsed.
  if (countNames(text) !== countMembers(value)) throw new SyntaxError('a name is there twice')
  return value as Members
}

const compact = /^([\w-]+)\.([\w-]+)\.[\w-]+$/

/**
 * Takes a signed JWT apart. Undefined for what is none, for a name that is there twice, for another algorithm than
 * {@link proofAlgorithms}, and for a header that must be understood (`crit`, RFC 7515 section 4.1.11): there is none that we do.
 */
export function readJws(text: string, maxCharacters: number): UnverifiedJws | undefined {
  const parts = text.length <= maxCharacters ? compact.exec(text) : null
  if (!parts) return undefined
  try {
    const header = jsonObject(parts[1]!)
    const isOurs = proofAlgorithms.some((algorithm) => algorithm === header.alg)
    return isOurs && !('crit' in header) ? { header, payload: jsonObject(parts[2]!) } : undefined
  } catch {
    return undefined
  }
}

const candidatesOf = (error: errors.JWKSMultipleMatchingKeys): AsyncIterable<CryptoKey> => error

/**
 * Whether one of these keys made the signature. The header's `jku`, `x5u`, `jwk` and `x5c` are not looked at.
 * @throws Failure of `key` when the keys cannot be had
 */
export async function isSignedBy(jws: string, key: JWTVerifyGetKey | CryptoKey): Promise<boolean> {
  const algorithms = [...proofAlgorithms]
  try {
    // The two overloads take the same.
    await (typeof key === 'function'
      ? compactVerify(jws, key, { algorithms })
      : compactVerify(jws, key, { algorithms }))
    return true
  } catch (thrown) {
    if (thrown instanceof errors.JWKSMultipleMatchingKeys) return isSignedByOneOf(jws, candidatesOf(thrown))
    // TypeError, DataError: a key that does not fit its algorithm.
    if (thrown instanceof errors.JOSEError || thrown instanceof TypeError || thrown instanceof DOMException)
      return false
    throw thrown
  }
}

async function isSignedByOneOf(jws: string, candidates: AsyncIterable<CryptoKey>): Promise<boolean> {
  let tried = 0
  for await (const candidate of candidates) {
    if (await isSignedBy(jws, candidate)) return true
    if (++tried >= limits.keysTried) return false
  }
  return false
}

/** A NumericDate (RFC 7519 section 2) as milliseconds; undefined unless it is a number. */
export const dateOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value * 1_000 : undefined
