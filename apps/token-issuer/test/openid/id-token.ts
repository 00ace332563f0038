import { expect } from '@jest/globals'
import { createPublicKey, hash, verify, type JsonWebKey } from 'node:crypto'
import type { PublicKey } from './provider.ts'

/** Claims of an ID token. */
export interface IdToken extends Record<string, unknown> {
  iss: string
  sub: string
  aud: string | string[]
  exp: number
  iat: number
  auth_time?: number
  nonce?: string
}

const part = (text: string): Record<string, unknown> => JSON.parse(Buffer.from(text, 'base64url').toString())

/** Skew and delay that are taken, in seconds. */
const skewSeconds = 300

export interface Expected {
  issuer: string
  clientId: string
  /** Undefined: there must be none. */
  nonce: string | undefined
  accessToken: string
  code?: string | undefined
}

/** The header of a JWS that one of the keys signed with RS256, and its payload. */
export function verified(token: string, keys: readonly PublicKey[]) {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  expect(more).toEqual([])
  const { alg, kid } = part(header)
  expect(alg).toBe('RS256')
  const named = keys.filter((key) => key.kid === kid)
  expect(named).toHaveLength(1)
  expect(named[0]).toMatchObject({ kty: 'RSA' })
  const key = createPublicKey({ key: named[0] as JsonWebKey, format: 'jwk' })
  expect(verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
  return { header: part(header), claims: part(payload) as IdToken }
}

const leftHalf = (text: string): string => hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url')

/** OpenID Connect Core section 3.1.3.7, for an ID token of the token endpoint. */
export function checkIdToken(claims: IdToken, { issuer, clientId, nonce, accessToken, code }: Expected): void {
  const now = Date.now() / 1_000
  expect(claims.iss).toBe(issuer)
  expect(claims.sub).toMatch(/^[\x20-\x7e]{1,255}$/)
  expect([claims.aud].flat()).toEqual([clientId])
  expect([undefined, clientId]).toContain(claims.azp)
  expect(Number.isInteger(claims.exp) && claims.exp > now - skewSeconds).toBe(true)
  expect(Number.isInteger(claims.iat) && Math.abs(claims.iat - now) < skewSeconds).toBe(true)
  expect(claims.exp).toBeGreaterThan(claims.iat)
  expect(claims.nonce).toBe(nonce)
  if (claims.auth_time !== undefined) {
    expect(Number.isInteger(claims.auth_time) && claims.auth_time <= now + skewSeconds).toBe(true)
  }
  if (claims.acr !== undefined) expect(typeof claims.acr).toBe('string')
  if (claims.amr !== undefined) expect(claims.amr).toEqual(expect.arrayContaining([expect.any(String)]))
  if (claims.at_hash !== undefined) expect(claims.at_hash).toBe(leftHalf(accessToken))
  if (claims.c_hash !== undefined) expect(claims.c_hash).toBe(leftHalf(code ?? ''))
}
