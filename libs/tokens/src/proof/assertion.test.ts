import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createHmac, randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'
import { Failure } from '@countersign/contracts'
import { newCommitId } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { authenticateClient, createClientAuthentication, type FailureThrottle } from '../authenticate.ts'
import { buildClients } from '../build-clients.ts'
import { Secrets } from '../secret.ts'
import { assertionType } from './assertion.ts'
import { createClientKeys, type KeySource } from './client-keys.ts'
import { createReplayGuard } from './replay.ts'

const issuer = 'https://id.example'
const now = 1_800_000_000_000
const seconds = now / 1_000
const refusal = { code: 'invalid_client', message: 'client authentication failed' }
const secrets = new Secrets()
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
const keys: Record<string, { privateKey: CryptoKey; jwk: JWK }> = {}
let store = createMemoryStore({ now: () => now })
let fetched: string[] = []
let remote: (url: string) => KeySource
let failures: string[] = []

beforeAll(async () => {
  for (const alg of algorithms) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    keys[alg] = { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: alg } }
  }
})
beforeEach(() => {
  store = createMemoryStore({ now: () => now })
  fetched = []
  failures = []
  remote = (url) => {
    fetched.push(url)
    throw new Failure('unavailable', 'down')
  }
})

const throttle: FailureThrottle = { blockedSeconds: () => undefined, fail: (key) => void failures.push(key) }

/** One process, on the store that all share. */
function authentication(guarded: FailureThrottle = throttle) {
  const jwks = { keys: algorithms.map((alg) => keys[alg]!.jwk as Record<string, unknown>) }
  const nameless = { keys: [keys.ES256!.jwk, keys.EdDSA!.jwk, keys.ES256!.jwk].map(({ kid: _, ...jwk }) => jwk) }
  const method = { authenticationMethod: 'private_key_jwt' } as const
  const definitions = [
    { id: 'batch', ...method, jwks },
    { id: 'nameless', ...method, jwks: nameless as typeof jwks },
    { id: 'afar', ...method, jwksUri: 'https://afar.example/jwks' },
    { id: 'keyless', ...method },
    { id: 'unsaid', jwks, secret: { reveal: () => 's' } },
    { id: 'web', public: true },
  ]
  const clients = buildClients(definitions, [], secrets, { accessTokenMs: 1, refreshTokenMs: 1 })
  const replay = createReplayGuard({ store, partitions: 4, commitId: newCommitId, now: () => now })
  const keysOf = createClientKeys((url) => remote(url))
  const audiences = [`${issuer}/oauth2/token`]
  const assertions = { keysOf, replay, issuer, audiences, now: () => now }
  return createClientAuthentication(() => clients, secrets, guarded, { assertions })
}

const claims = (changed: Record<string, unknown> = {}) => ({
  iss: 'batch',
  sub: 'batch',
  aud: issuer,
  exp: seconds + 60,
  jti: randomUUID(),
  ...changed,
})

const sign = (payload: object, alg: string = 'ES256', header: object = {}) =>
  new SignJWT(payload as JWTPayload).setProtectedHeader({ alg, kid: alg, ...header }).sign(keys[alg]!.privateKey)

const ask = async (assertion: string, form: Record<string, string> = {}, asked = authentication()) =>
  authenticateClient(
    asked,
    {
      authorization: undefined,
      parseBasic: () => undefined,
      form: new Map(Object.entries({ client_assertion_type: assertionType, client_assertion: assertion, ...form })),
      address: '192.0.2.1',
      path: '/oauth2/par',
    },
    true,
  )

/** Signed by hand: jose would not. */
const signedText = (header: object | string, payload: string, mac?: string) => {
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const input = `${encode(typeof header === 'string' ? header : JSON.stringify(header))}.${encode(payload)}`
  return `${input}.${mac === undefined ? '' : createHmac('sha256', mac).update(input).digest('base64url')}`
}

describe('a client that authenticates by an assertion', () => {
  test.each(algorithms)('is known by a signature with %s', async (alg) => {
    expect(await ask(await sign(claims(), alg))).toMatchObject({ id: 'batch' })
  })

  test.each([issuer, `${issuer}/oauth2/token`, `${issuer}/oauth2/par`])('may address it to %s', async (aud) => {
    expect(await ask(await sign(claims({ aud })))).toMatchObject({ id: 'batch' })
    expect(await ask(await sign(claims({ aud: ['https://other.example', aud] })))).toMatchObject({ id: 'batch' })
  })

  test('may name itself besides, and need not name its key', async () => {
    expect(await ask(await sign(claims()), { client_id: 'batch' })).toMatchObject({ id: 'batch' })
    const payload = claims({ iss: 'nameless', sub: 'nameless' })
    expect(await ask(await sign(payload, 'ES256', { kid: undefined }))).toMatchObject({ id: 'nameless' })
  })

  test('with a clock half a minute off is taken still', async () => {
    for (const times of [{ iat: seconds + 29, nbf: seconds + 29 }, { exp: seconds - 29 }, { exp: seconds + 600 }]) {
      expect(await ask(await sign(claims(times)))).toMatchObject({ id: 'batch' })
    }
  })

  test.each<[string, Record<string, unknown>]>([
    ['for another server', { aud: 'https://other.example' }],
    ['for another endpoint', { aud: `${issuer}/oauth2/revoke` }],
    ['for nobody', { aud: undefined }],
    ['for an empty list', { aud: [] }],
    ['for something like us', { aud: `${issuer}/` }],
    ['without an end', { exp: undefined }],
    ['that has ended', { exp: seconds - 31 }],
    ['that is good for too long', { exp: seconds + 640 }],
    ['with an end that is text', { exp: String(seconds + 60) }],
    ['from the future', { iat: seconds + 40 }],
    ['with a beginning that is text', { iat: String(seconds) }],
    ['not good yet', { nbf: seconds + 40 }],
    ['without an id', { jti: undefined }],
    ['with an empty id', { jti: '' }],
    ['with an id that is a number', { jti: 7 }],
    ['by another than it is about', { iss: 'web' }],
    ['about another than it is by', { sub: 'web' }],
    ['about nobody', { iss: undefined, sub: undefined }],
    ['of an unknown client', { iss: 'nobody', sub: 'nobody' }],
    ['of a client without keys', { iss: 'keyless', sub: 'keyless' }],
    ['of a client that is to use its secret', { iss: 'unsaid', sub: 'unsaid' }],
    ['of a public client', { iss: 'web', sub: 'web' }],
  ])('is refused with one %s', async (_, changed) => {
    await expect(ask(await sign(claims(changed)))).rejects.toMatchObject(refusal)
    expect(fetched).toEqual([])
  })

  test('is refused the second time, also by another replica', async () => {
    const assertion = await sign(claims())
    const replicas = [authentication(), authentication()]
    const tries = await Promise.allSettled(replicas.map((replica) => ask(assertion, {}, replica)))
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(ask(assertion)).rejects.toMatchObject(refusal)
  })

  test('is refused without a signature, with a shared secret, and with a key of its own choice', async () => {
    const payload = JSON.stringify(claims())
    const publicText = JSON.stringify(keys.RS256!.jwk)
    const own = await generateKeyPair('ES256', { extractable: true })
    const brought = { jwk: await exportJWK(own.publicKey), jku: 'https://evil.example', x5u: 'https://evil.example' }
    const forged = await new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', ...brought }).sign(own.privateKey)
    const texts = [
      signedText({ alg: 'none' }, payload),
      signedText({ alg: 'ES256', kid: 'ES256' }, payload),
      signedText({ alg: 'HS256', kid: 'RS256' }, payload, publicText),
      forged,
      (await sign(claims())).slice(0, -4) + 'AAAA',
      'a.b.c',
      `${await sign(claims({ pad: 'x'.repeat(9_000) }))}`,
    ]
    for (const text of texts) await expect(ask(text)).rejects.toMatchObject(refusal)
    expect(fetched).toEqual([])
  })

  test('is refused with an extension that must be understood, and with a name that is there twice', async () => {
    const critical = { crit: ['b64'], b64: true }
    await expect(ask(await sign(claims(), 'ES256', critical))).rejects.toMatchObject(refusal)
    const good = await sign(claims())
    const [header, payload] = good.split('.').map((part) => Buffer.from(part, 'base64url').toString())
    const signedByHand = async (top: string, body: string) => {
      const input = signedText(top, body).slice(0, -1)
      const how = { name: 'ECDSA', hash: 'SHA-256' }
      const signature = await crypto.subtle.sign(how, keys.ES256!.privateKey, Buffer.from(input))
      return `${input}.${Buffer.from(signature).toString('base64url')}`
    }
    const doubled = [
      await signedByHand(header!, payload!.replace('{', '{"sub":"web",')),
      await signedByHand(header!, payload!.replace('{', '{"s\\u0075b":"web",')),
      await signedByHand(header!.replace('{', '{"alg":"none",'), payload!),
    ]
    for (const text of doubled) await expect(ask(text)).rejects.toMatchObject(refusal)
    expect(await ask(await signedByHand(header!, payload!))).toMatchObject({ id: 'batch' })
  })

  test('is refused with another client_id, another type or none, and two ways at once', async () => {
    const other: [Record<string, string>, string][] = [
      [{ client_id: 'web' }, 'invalid_client'],
      [{ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }, 'invalid_client'],
      [{ client_assertion_type: '' }, 'invalid_client'],
      [{ client_secret: 's', client_id: 'batch' }, 'invalid_request'],
    ]
    for (const [form, code] of other) await expect(ask(await sign(claims()), form)).rejects.toMatchObject({ code })
  })

  test('is refused while its keys cannot be had, without counting that as a guess', async () => {
    const payload = claims({ iss: 'afar', sub: 'afar' })
    remote = (url) => {
      fetched.push(url)
      const down = () => Promise.reject(new Failure('unavailable', 'down'))
      return { key: down, keySet: down }
    }
    await expect(ask(await sign(payload))).rejects.toMatchObject(refusal)
    expect([fetched, failures]).toEqual([['https://afar.example/jwks'], []])
    const shared = signedText({ alg: 'HS256', kid: 'a' }, JSON.stringify(payload), 's')
    await expect(ask(shared)).rejects.toMatchObject(refusal)
    expect(fetched).toHaveLength(1)
    await expect(ask(await sign(claims({ aud: 'x' })))).rejects.toMatchObject(refusal)
    expect(failures).toEqual(['192.0.2.1 batch'])
  })

  test('is not listened to after it failed too often', async () => {
    const blocked = authentication({ blockedSeconds: () => 9, fail: () => undefined })
    await expect(ask(await sign(claims()), {}, blocked)).rejects.toMatchObject({ code: 'too_many_requests' })
  })

  test('is told that we cannot tell, when the store is down', async () => {
    const asked = authentication()
    store.commit = () => Promise.reject(new Failure('unavailable', 'down'))
    await expect(ask(await sign(claims()), {}, asked)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
