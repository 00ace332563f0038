import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createServer, type AddressInfo } from 'node:net'
import { createRemoteBreaker } from '@countersign/chassis'
import type { Failure } from '@countersign/contracts'
import { Line } from './line.ts'
import { HostileProvider, type Endpoint, type Members } from './testing/hostile-provider.ts'
import { cut, drip, hang, json, large, redirect, text, type Behaviour } from './testing/behaviour.ts'
import { oauth2, oidc, proof, Setting } from './testing/setting.ts'

let upstream: HostileProvider
let setting: Setting

const timeoutMs = 300
beforeEach(async () => {
  upstream = await new HostileProvider().start()
  setting = new Setting([oidc(upstream, { timeoutMs })])
})
afterEach(() => upstream.stop())

const failureOf = (signingIn: Promise<unknown>): Promise<Failure> =>
  signingIn.then(
    () => {
      throw new Error('nobody should have signed in')
    },
    (thrown: Failure) => thrown,
  )

const metadataService = 'http://169.254.169.254/latest/meta-data/'
const misbehaviours: [string, Behaviour][] = [
  ['hangs', hang],
  ['drips', drip],
  ['hangs up', cut],
  ['answers 5 MB', large()],
  ['answers a little more than may be', large(262_144)],
  ['answers HTML', text('<html>')],
  ['answers an array', json([])],
  ['answers a number', json(7)],
  ['answers no UTF-8', (response) => void response.end(Buffer.from([0x7b, 0xff, 0x7d]))],
  ['redirects to metadata', redirect(metadataService)],
  ['redirects with the request', redirect(metadataService, 307)],
  ['answers 500', json({ error: 'server_error' }, 500)],
  ['answers 503', json({}, 503)],
  ['answers 404', text('nothing here', 404)],
  ['answers 403 in JSON', json({}, 403)],
  ['answers 204', (response) => void response.writeHead(204).end()],
]

describe('a provider', () => {
  const endpoints: Endpoint[] = ['discovery', 'keys', 'token', 'userinfo']
  test.each(endpoints.flatMap((endpoint) => misbehaviours.map(([how, behaviour]) => ({ endpoint, how, behaviour }))))(
    'whose $endpoint endpoint $how is unavailable, soon, after one token call at most',
    async ({ endpoint, behaviour }) => {
      upstream.misbehaviour[endpoint] = behaviour
      upstream.idToken = endpoint === 'userinfo' ? { email: undefined } : {}
      const startedMs = performance.now()
      const failure = await failureOf(setting.signIn(upstream))
      expect(failure).toMatchObject({ code: 'unavailable', retryAfterSeconds: expect.any(Number) })
      expect(performance.now() - startedMs).toBeLessThan(4_000)
      expect(upstream.callsTo('token')).toBe(endpoint === 'discovery' ? 0 : 1)
      expect(upstream.callsTo(endpoint)).toBe(1)
      expect(setting.upstreams.stats().oidc).toMatchObject({ inFlight: 0 })
    },
  )

  test.each<[string, Members]>([
    ['is of another issuer', { issuer: 'https://issuer.example' }],
    ['is of an issuer with a slash more', { issuer: undefined }],
    ['has no keys', { jwks_uri: undefined }],
    ['has no token endpoint', { token_endpoint: 7 }],
    ['has a page of ours for sign-in', { authorization_endpoint: 'javascript:alert(1)' }],
    ['has metadata for a token endpoint', { token_endpoint: metadataService }],
    ['has metadata for keys', { jwks_uri: 'https://169.254.169.254/keys' }],
    ['has a user in a URL', { userinfo_endpoint: 'https://ann:x@issuer.example/' }],
    ['has plaintext elsewhere', { token_endpoint: 'http://8.8.8.8/' }],
    ['has a file', { end_session_endpoint: 'file:///etc/passwd' }],
  ])('whose discovery document %s is unavailable', async (how, metadata) => {
    upstream.metadata = how.includes('slash') ? { issuer: `${upstream.issuer}/` } : metadata
    expect(await failureOf(setting.upstreams.begin('oidc', proof('oidc')))).toMatchObject({ code: 'unavailable' })
  })

  test('on this machine is not asked where that is not allowed', async () => {
    const outside = new Setting([oidc(upstream)], { reach: { allowLoopback: false } })
    expect(await failureOf(outside.upstreams.begin('oidc', proof('oidc')))).toMatchObject({ code: 'unavailable' })
    expect(upstream.calls).toEqual([])
  })

  test('that publishes a private key, or too many keys, has none that are taken', async () => {
    const { privateKey } = upstream.keys.pairs.get('k1')!
    upstream.misbehaviour.keys = json({ keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k1' }] })
    expect(await failureOf(setting.signIn(upstream))).toMatchObject({ code: 'unavailable' })
  })

  test.each([
    ['a code that is not taken', 'invalid_request', 'invalid_grant', 400],
    ['a request that is not taken', 'unavailable', 'invalid_request', 400],
    ['a client that is not known', 'unavailable', 'invalid_client', 401],
    ['an error of 5,000 bells', 'unavailable', '\u0007'.repeat(5_000), 400],
  ])('that answers with %s has no fault, and it is told as %s', async (_, code, error, status) => {
    upstream.misbehaviour.token = (response, form) => {
      const error_description = `${form.get('code')} ${form.get('code_verifier')} ${upstream.clientSecret}`
      return json({ error, error_description }, status)(response, form)
    }
    for (let times = 0; times < 12; times++) {
      expect(await failureOf(setting.signIn(upstream))).toMatchObject({ code })
    }
    expect(setting.upstreams.stats().oidc!.breaker).toBe('closed')
    expect(upstream.callsTo('token')).toBe(12)
    expect(setting.logged()).not.toContain(proof('oidc').codeVerifier)
    expect(setting.logged().length).toBeLessThan(3_000)
  })

  const refusals = [400, 401, 403, 404, 413, 418].map(
    (status) => [status, text('<html>blocked</html>', status)] as const,
  )
  test.each<readonly [number, Behaviour]>([
    ...refusals,
    [429, text('<html>slowly</html>', 429)],
    [200, text('<html>a page</html>')],
    [302, redirect('https://issuer.example/blocked')],
  ])('that answers a code with %i and a page stays open to everybody else', async (_, behaviour) => {
    upstream.misbehaviour.token = behaviour
    for (let times = 0; times < 12; times++) await failureOf(setting.signIn(upstream))
    upstream.misbehaviour = {}
    expect(setting.upstreams.stats().oidc!.breaker).toBe('closed')
    expect(await setting.signIn(upstream)).toMatchObject({ subject: 'ann-1' })
  })

  test.each(refusals)(
    'that answers %i to whoever asks for claims stays open to everybody else',
    async (_, behaviour) => {
      upstream.idToken = { email: undefined }
      upstream.misbehaviour.userinfo = behaviour
      for (let times = 0; times < 12; times++) await failureOf(setting.signIn(upstream))
      expect(upstream.callsTo('userinfo')).toBe(12)
      expect(setting.upstreams.stats().oidc!.breaker).toBe('closed')
    },
  )

  test.each<[string, Endpoint, Behaviour]>([
    ['hangs up on codes', 'token', cut],
    ['takes no code in time', 'token', hang],
    ['answers codes with 408', 'token', text('late', 408)],
    ['answers codes with 502', 'token', text('<html>', 502)],
    ['answers 429 for claims', 'userinfo', text('slowly', 429)],
    ['answers 408 for claims', 'userinfo', text('late', 408)],
    ['answers 500 for claims', 'userinfo', json({}, 500)],
  ])('that %s is soon not asked any more', async (_, endpoint, behaviour) => {
    upstream.idToken = { email: undefined }
    upstream.misbehaviour[endpoint] = behaviour
    for (let times = 0; times < 12; times++) await failureOf(setting.signIn(upstream))
    expect(setting.upstreams.stats().oidc!.breaker).toBe('open')
  })

  test('is asked for tokens once in a sign-in, even if a library should repeat itself', async () => {
    const options = { reach: { allowLoopback: true }, now: Date.now, breaker: createRemoteBreaker(), pem: () => '' }
    const fetchOnce = new Line(oidc(upstream), options).fetchOnce()
    const request = { method: 'POST', headers: {}, body: new URLSearchParams(), redirect: 'manual' } as const
    expect((await fetchOnce(`${upstream.issuer}/token`, request)).status).toBe(401)
    await expect(fetchOnce(`${upstream.issuer}/token`, request)).rejects.toThrow('second')
    expect(upstream.callsTo('token')).toBe(1)
  })

  test('that is busy says when to come back', async () => {
    upstream.misbehaviour.token = (response) => void response.writeHead(429, { 'retry-after': '17' }).end('{}')
    expect(await failureOf(setting.signIn(upstream))).toMatchObject({ code: 'unavailable', retryAfterSeconds: 17 })
  })
})

describe('a provider that is down', () => {
  test('is soon not asked any more, harms no other, and is back when it answers again', async () => {
    const other = await new HostileProvider().start()
    let nowMs = 0
    const breaker = () => createRemoteBreaker(undefined, () => nowMs)
    const both = new Setting([oidc(upstream, { timeoutMs: 1_000 }), oauth2(other)], { breaker })
    await both.signIn(upstream)
    upstream.misbehaviour.token = json({}, 500)
    for (let times = 0; times < 10; times++) await failureOf(both.signIn(upstream))
    expect(both.upstreams.stats()).toMatchObject({ oidc: { breaker: 'open' }, hub: { breaker: 'closed' } })
    const calls = upstream.calls.length
    expect(await failureOf(both.upstreams.begin('oidc', proof('oidc')))).toMatchObject({ code: 'unavailable' })
    expect(upstream.calls.length).toBe(calls)
    expect(await both.signIn(other, 'hub')).toMatchObject({ provider: 'hub' })
    upstream.misbehaviour = {}
    nowMs += 1_001
    expect(await both.signIn(upstream)).toMatchObject({ provider: 'oidc' })
    expect(both.upstreams.stats().oidc!.breaker).toBe('closed')
    await other.stop()
  })

  test('is found again by itself when it was down from the start', async () => {
    const waiting = createServer()
    await new Promise<void>((listening) => waiting.listen(0, '127.0.0.1', listening))
    const { port } = waiting.address() as AddressInfo
    await new Promise((closed) => waiting.close(closed))
    const early = new Setting([oidc(upstream, { issuer: `http://127.0.0.1:${port}` })])
    expect(await failureOf(early.upstreams.begin('oidc', proof('oidc')))).toMatchObject({ code: 'unavailable' })
    upstream.misbehaviour.discovery = json({}, 503)
    expect(await failureOf(setting.upstreams.begin('oidc', proof('oidc')))).toMatchObject({ code: 'unavailable' })
    upstream.misbehaviour = {}
    expect(await setting.signIn(upstream)).toMatchObject({ subject: 'ann-1' })
  })

  test('holds 64 sign-ins at most, for a bounded time, while another goes on', async () => {
    const other = await new HostileProvider().start()
    const both = new Setting([oidc(upstream, { timeoutMs: 3_000 }), oauth2(other)])
    const url = await both.upstreams.begin('oidc', proof('oidc'))
    upstream.misbehaviour.token = hang
    const finish = () => both.upstreams.finish('oidc', { ...proof('oidc'), callback: upstream.authorize(url) })
    const waiting = Array.from({ length: 64 }, () => failureOf(finish()))
    expect(await failureOf(finish())).toMatchObject({ code: 'too_many_requests', retryAfterSeconds: 5 })
    expect(both.upstreams.stats().oidc!.inFlight).toBe(64)
    const startedMs = performance.now()
    expect(await both.signIn(other, 'hub')).toMatchObject({ provider: 'hub' })
    expect(performance.now() - startedMs).toBeLessThan(2_900)
    for (const failure of await Promise.all(waiting)) expect(failure.code).toBe('unavailable')
    expect(both.upstreams.stats().oidc!.inFlight).toBe(0)
    expect(upstream.callsTo('token')).toBe(64)
    await other.stop()
  })

  test('keeps nobody waiting longer than two of its timeouts, however its delays add up', async () => {
    const late = (document: () => unknown): Behaviour => {
      return (response, form) => void setTimeout(() => json(document())(response, form), 850)
    }
    const slow = new Setting([oidc(upstream, { timeoutMs: 1_000 })])
    const seconds = Math.floor(Date.now() / 1_000)
    const claims = { iss: upstream.issuer, aud: 'countersign', sub: 'ann-1', nonce: proof('oidc').nonce, iat: seconds }
    const tokens = {
      access_token: 'x',
      token_type: 'bearer',
      id_token: upstream.keys.sign({ ...claims, exp: seconds + 60 }),
    }
    const callback = upstream.authorize(await slow.upstreams.begin('oidc', proof('oidc')))
    upstream.misbehaviour = {
      token: late(() => tokens),
      keys: late(() => upstream.keys.published()),
      userinfo: late(() => upstream.person),
    }
    const failure = await failureOf(slow.upstreams.finish('oidc', { ...proof('oidc'), callback }))
    expect(failure).toMatchObject({ code: 'unavailable', cause: { message: expect.stringContaining('together') } })
    // It counts until its last request has ended.
    expect(slow.upstreams.stats().oidc!.inFlight).toBe(1)
    await new Promise((waited) => setTimeout(waited, 1_500))
    expect(slow.upstreams.stats().oidc!.inFlight).toBe(0)
  })
})

test('what is secret is in no log and no failure, however a sign-in ends', async () => {
  const seen: string[] = []
  upstream.accessToken = () => {
    const token = `secret-access-token-${seen.length}`
    seen.push(token)
    return token
  }
  const failures: unknown[] = []
  const turns: (() => void)[] = [
    () => (upstream.idToken = { nonce: 'x' }),
    () => (upstream.idToken = { aud: 'x' }),
    () => (upstream.sealing = (claims) => `${upstream.keys.sign(claims)}x`),
    () => (upstream.misbehaviour.token = (response, form) => text(`not JSON: ${form}`)(response, form)),
    () => (upstream.misbehaviour.token = (response, form) => json({ error: String(form) }, 400)(response, form)),
  ]
  for (const turn of turns) {
    upstream.sealing = undefined
    turn()
    failures.push(await failureOf(setting.signIn(upstream)))
  }
  const chain = (thrown: unknown): string =>
    thrown instanceof Error ? `${thrown.message} ${chain(thrown.cause)}` : (JSON.stringify(thrown) ?? '')
  const told = [setting.logged(), ...failures.map(chain)].join('\n')
  const codes = upstream.calls.flatMap(({ form }) => form.getAll('code'))
  expect(codes).toHaveLength(turns.length)
  const { codeVerifier, nonce } = proof('oidc')
  for (const secret of [...seen, ...codes, codeVerifier, nonce, upstream.clientSecret, 'eyJ']) {
    expect(told).not.toContain(secret)
  }
})
