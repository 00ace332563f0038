import { beforeAll, describe, expect, test } from '@jest/globals'
import { CompactSign, createLocalJWKSet, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'
import { Failure } from '@countersign/contracts'
import { verifyRemoteJwt } from './jwt.ts'

const issuer = 'https://issuer.example'
const now = 1_800_000_000_000
const pairs = new Map<string, { alg: string; privateKey: CryptoKey; jwk: JWK }>()

async function add(kid: string, alg: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  pairs.set(kid, { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), alg, kid } })
}

beforeAll(async () => {
  const all = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA']
  for (const alg of all) await add(alg, alg)
  for (let number = 0; number < 5; number++) await add(`other-${number}`, 'ES256')
})

const claims = { iss: issuer, sub: 'ann', exp: now / 1_000 + 60 }
const sign = (over: object = {}, header: object = {}, kid = 'ES256') => {
  const { alg, privateKey } = pairs.get(kid)!
  const payload = new TextEncoder().encode(JSON.stringify({ ...claims, ...over }))
  return new CompactSign(payload).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
}
const keysOf = (...kids: string[]) => createLocalJWKSet({ keys: kids.map((kid) => pairs.get(kid)!.jwk) })
const verify = async (jwt: string | Promise<string>, key = keysOf(...pairs.keys()), at = now) =>
  verifyRemoteJwt(await jwt, { key, issuer, now: at, skewSeconds: 30 })

describe('a JWT of another server', () => {
  test.each(['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'is taken with %s, until it has expired by a clock that may be off',
    async (kid) => {
      const jwt = sign({ roles: ['a'] }, {}, kid)
      expect(await verify(jwt)).toEqual({ claims: { ...claims, roles: ['a'] } })
      expect(await verify(jwt, undefined, now + 89_000)).toHaveProperty('claims')
      expect(await verify(jwt, undefined, now + 91_000)).toHaveProperty('refusal')
    },
  )

  test.each<[string, object, object]>([
    ['of another issuer', { iss: `${issuer}/` }, {}],
    ['without issuer', { iss: undefined }, {}],
    ['without exp', { exp: undefined }, {}],
    ['with a text for exp', { exp: '1900000000' }, {}],
    ['without sub', { sub: undefined }, {}],
    ['that is not good yet', { nbf: now / 1_000 + 31 }, {}],
    ['under a key that is not there', {}, { kid: 'nobody’s' }],
    ['under another key than it names', {}, { kid: 'other-1' }],
  ])('is refused %s', async (_, over, header) => {
    expect(await verify(sign(over, header))).toEqual({ refusal: expect.any(String) })
  })

  test('is refused without signature, under an HMAC, and when it is none', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const jwts = [
      `${part({ alg: 'none' })}.${part(claims)}.`,
      `${part({ alg: 'HS256' })}.${part(claims)}.AAAA`,
      '..',
      'x',
      '',
    ]
    for (const jwt of jwts) expect(await verify(jwt)).toHaveProperty('refusal')
  })

  test('is refused under an HMAC, even where the keys are secrets', async () => {
    const secret = new Uint8Array(32)
    const payload = new TextEncoder().encode(JSON.stringify(claims))
    const jwt = await new CompactSign(payload).setProtectedHeader({ alg: 'HS256' }).sign(secret)
    const key = () => Promise.resolve(secret)
    expect(await verify(jwt, key as never)).toHaveProperty('refusal')
  })

  test('without kid is tried with the first four keys for its algorithm, and no more', async () => {
    const jwt = sign({}, { kid: undefined })
    const others = [0, 1, 2, 3].map((number) => `other-${number}`)
    expect(await verify(jwt, keysOf(...others.slice(1), 'ES256', 'RS256'))).toHaveProperty('claims')
    expect(await verify(jwt, keysOf(...others, 'ES256'))).toHaveProperty('refusal')
    expect(await verify(jwt, keysOf(...others.slice(1)))).toHaveProperty('refusal')
  })

  test('is neither taken nor refused where the keys cannot be had', async () => {
    const key = () => Promise.reject(new Failure('unavailable', 'no keys'))
    await expect(verify(sign(), key as never)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
