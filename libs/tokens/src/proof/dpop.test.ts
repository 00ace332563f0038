import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { hash, randomBytes, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import type { Failure } from '@countersign/contracts'
import { newCommitId } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { limits } from '../limits.ts'
import { createDpop, jktOf, type DpopOptions, type DpopRequest } from './dpop.ts'
import { nonceKeyFrom } from './nonces.ts'
import { createReplayGuard } from './replay.ts'

const url = 'https://id.example/oauth2/token'
const beginning = 1_800_000_000_000
let time = beginning
let store = createMemoryStore({ now: () => time })
const keys: Record<string, { privateKey: CryptoKey; privateJwk: JWK; jwk: JWK }> = {}

beforeAll(async () => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA', 'ES384']) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    keys[alg] = { privateKey, privateJwk: await exportJWK(privateKey), jwk: await exportJWK(publicKey) }
  }
  const ed25519 = keys.EdDSA!
  keys.Ed25519 = ed25519
})
beforeEach(() => {
  time = beginning
  store = createMemoryStore({ now: () => time })
})

/** One process, on the store that all share. */
const replica = (options: Partial<DpopOptions> = {}) => {
  const replay = createReplayGuard({ store, partitions: 4, commitId: newCommitId, now: () => time })
  return createDpop({ replay, now: () => time, ...options })
}

const claims = (changed: Record<string, unknown> = {}) => ({
  jti: randomUUID(),
  htm: 'POST',
  htu: url,
  iat: Math.floor(time / 1_000),
  ...changed,
})

const prove = (changed: Record<string, unknown> = {}, header: Record<string, unknown> = {}, alg = 'ES256') =>
  new SignJWT(claims(changed))
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: keys[alg]!.jwk, ...header })
    .sign(keys[alg]!.privateKey)

const request = (proof: string, more: Partial<DpopRequest> = {}): DpopRequest => ({
  proofs: [proof],
  method: 'POST',
  url,
  ...more,
})
const refusal = { code: 'invalid_dpop_proof' }

describe('a DPoP proof', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'])('signed with %s proves its key', async (alg) => {
    const jkt = await calculateJwkThumbprint(keys[alg]!.jwk)
    expect(await replica().check(request(await prove({}, {}, alg)))).toEqual({ jkt })
    expect(await jktOf(keys[alg]!.jwk)).toBe(jkt)
  })

  test('need not be there, and is there once at most', async () => {
    expect(await replica().check(request('', { proofs: [] }))).toBeUndefined()
    const proofs = [await prove(), await prove()]
    await expect(replica().check(request('', { proofs }))).rejects.toMatchObject(refusal)
    await expect(replica().check(request(proofs.join(', ')))).rejects.toMatchObject(refusal)
    await expect(replica().check(request(''))).rejects.toMatchObject(refusal)
  })

  test.each<[string, Record<string, unknown>]>([
    ['jti', { jti: undefined }],
    ['jti that is text', { jti: 5 }],
    ['jti that is not empty', { jti: '' }],
    ['htm', { htm: undefined }],
    ['htm that is this method', { htm: 'GET' }],
    ['htm in this case', { htm: 'post' }],
    ['htu', { htu: undefined }],
    ['htu that is a URL', { htu: '/oauth2/token' }],
    ['htu of this path', { htu: 'https://id.example/oauth2/par' }],
    ['htu of this host', { htu: 'https://id.example.evil/oauth2/token' }],
    ['htu of this scheme', { htu: 'http://id.example/oauth2/token' }],
    ['htu of this port', { htu: 'https://id.example:8443/oauth2/token' }],
    ['htu without a user', { htu: 'https://me@id.example/oauth2/token' }],
    ['iat', { iat: undefined }],
    ['iat that is a number', { iat: String(beginning / 1_000) }],
    ['iat that is not old', { iat: beginning / 1_000 - 61 }],
    ['iat that is not to come', { iat: beginning / 1_000 + 6 }],
  ])('needs a %s', async (_, changed) => {
    await expect(replica().check(request(await prove(changed)))).rejects.toMatchObject(refusal)
  })

  test.each([
    'https://id.example/oauth2/token?a=b#c',
    'HTTPS://ID.example:443/oauth2/token',
    'https://id.example/oauth2/./x/../token',
    'https://id.example/oauth2/%74oken',
  ])('may write the URL as %s', async (htu) => {
    expect(await replica().check(request(await prove({ htu })))).toBeDefined()
  })

  test('may be a minute old, and five seconds ahead', async () => {
    for (const seconds of [-60, 5]) {
      expect(await replica().check(request(await prove({ iat: beginning / 1_000 + seconds })))).toBeDefined()
    }
  })

  test('is refused with another type, algorithm or key than it may have', async () => {
    const { jwk, privateJwk } = keys.ES256!
    const headers: Record<string, unknown>[] = [
      { typ: 'JWT' },
      { typ: undefined },
      { jwk: undefined },
      { jwk: 'x' },
      { jwk: null },
      { jwk: privateJwk },
      { jwk: { ...jwk, d: 'x' } },
      { jwk: { kty: 'oct', k: 'c2VjcmV0' } },
      { jwk: { kty: 'oct' } },
      { jwk: keys.EdDSA!.jwk },
      { jwk: keys.RS256!.jwk },
      { jwk: { ...jwk, x: 'AAAA' } },
      { jwk: { kty: 'EC', crv: 'P-256' } },
      { crit: ['b64'], b64: true },
    ]
    for (const header of headers) {
      await expect(replica().check(request(await prove({}, header)))).rejects.toMatchObject(refusal)
    }
    await expect(replica().check(request(await prove({}, {}, 'ES384')))).rejects.toMatchObject(refusal)
  })

  test('is refused unsigned, signed by a shared secret, by another key, or changed', async () => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const { jwk } = keys.ES256!
    const unsigned = `${encode({ alg: 'none', typ: 'dpop+jwt', jwk })}.${encode(claims())}.`
    const shared = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk: { kty: 'oct', k: 'c2VjcmV0' } as JWK })
      .sign(randomBytes(32))
    const other = await generateKeyPair('ES256')
    const foreign = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(other.privateKey)
    const [header, , signature] = (await prove()).split('.')
    const changed = `${header}.${encode(claims())}.${signature}`
    for (const proof of [unsigned, shared, foreign, changed, `${await prove({ pad: 'x'.repeat(4_096) })}`]) {
      await expect(replica().check(request(proof))).rejects.toMatchObject(refusal)
    }
  })

  test('that comes with a token names it', async () => {
    const accessToken = 'cs_at_x'
    const ath = hash('sha256', accessToken, 'base64url')
    const check = async (changed: object) => replica().check(request(await prove({ ...changed }), { accessToken }))
    expect(await check({ ath })).toBeDefined()
    for (const wrong of [{}, { ath: hash('sha256', 'other', 'base64url') }, { ath: `${ath}=` }]) {
      await expect(check(wrong)).rejects.toMatchObject(refusal)
    }
  })

  test('is by the key that something is bound to', async () => {
    const boundTo = await jktOf(keys.ES256!.jwk)
    expect(await replica().check(request(await prove(), { boundTo }))).toEqual({ jkt: boundTo })
    await expect(replica().check(request(await prove({}, {}, 'EdDSA'), { boundTo }))).rejects.toMatchObject(refusal)
  })

  test('is taken once, by all replicas together, for as long as it could be taken', async () => {
    const proof = await prove()
    const tries = await Promise.allSettled([replica(), replica(), replica()].map((one) => one.check(request(proof))))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    time += limits.dpopProofAgeMs
    await expect(replica().check(request(proof))).rejects.toThrow('used before')
    const jti = 'same'
    expect(await replica().check(request(await prove({ jti })))).toBeDefined()
    expect(await replica().check(request(await prove({ jti }, {}, 'EdDSA')))).toBeDefined()
  })
})

describe('a DPoP nonce', () => {
  const key = nonceKeyFrom(randomBytes(32))
  const asking = (required = true) => replica({ nonces: { key, required } })
  const refusedWith = async (proof: string) => {
    const thrown = await asking()
      .check(request(proof))
      .catch((failure: Failure) => failure)
    return thrown as Failure
  }

  test('is given with the refusal of a proof that has none, and taken by every replica', async () => {
    const { code, headers } = await refusedWith(await prove())
    expect(code).toBe('use_dpop_nonce')
    const nonce = headers!['dpop-nonce']
    expect(nonce).toBe(asking().nonce())
    expect(await asking().check(request(await prove({ nonce })))).toBeDefined()
  })

  test('is good for minutes, and then replaced', async () => {
    const nonce = asking().nonce()
    time += limits.dpopNonceMs
    expect(await asking().check(request(await prove({ nonce })))).toBeDefined()
    time += limits.dpopNonceMs
    const { code, headers } = await refusedWith(await prove({ nonce }))
    expect([code, headers!['dpop-nonce']]).toEqual(['use_dpop_nonce', asking().nonce()])
    expect(asking().nonce()).not.toBe(nonce)
  })

  test('is refused when it was made under another key, or is no text', async () => {
    const foreign = replica({ nonces: { key: nonceKeyFrom(randomBytes(32)), required: true } }).nonce()
    for (const nonce of [foreign, 7, '']) {
      expect(await refusedWith(await prove({ nonce }))).toMatchObject({ code: 'use_dpop_nonce' })
    }
  })

  test('does not use up a proof that lacks it', async () => {
    const proof = await prove()
    expect(await refusedWith(proof)).toMatchObject({ code: 'use_dpop_nonce' })
    expect(await replica().check(request(proof))).toBeDefined()
  })

  test('may be left out where it is not required, and is none then', async () => {
    expect(await asking(false).check(request(await prove()))).toBeDefined()
    expect([asking(false).nonce(), replica().nonce()]).toEqual([undefined, undefined])
  })
})
