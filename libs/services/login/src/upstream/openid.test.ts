import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { HostileProvider, type Members } from './testing/hostile-provider.ts'
import { json } from './testing/behaviour.ts'
import { oidc, proof, Setting } from './testing/setting.ts'

let upstream: HostileProvider
let setting: Setting

beforeEach(async () => {
  upstream = await new HostileProvider().start()
  setting = new Setting([oidc(upstream)])
})
afterEach(() => upstream.stop())

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds
const refused = async (signingIn: Promise<unknown>) => {
  await expect(signingIn).rejects.toMatchObject({ name: 'Failure', code: 'invalid_request' })
}

describe('signing in with an OpenID provider', () => {
  test('begins there with code flow, PKCE, state and nonce, and hints that are text', async () => {
    const given = { ...proof('oidc'), loginHint: 'ann@example.org', prompt: 'login', uiLocales: 'de\r\nfr' }
    const { origin, pathname, searchParams } = await setting.upstreams.begin('oidc', given)
    expect(`${origin}${pathname}`).toBe(`${upstream.issuer}/authorize`)
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: 'countersign',
      response_type: 'code',
      redirect_uri: 'https://login.example/login/callback/oidc',
      scope: 'openid profile email',
      state: given.state,
      nonce: given.nonce,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      login_hint: 'ann@example.org',
      prompt: 'login',
    })
  })

  test('ends with who it is by issuer and subject, one token call, and no userinfo where the ID token says all', async () => {
    upstream.idToken = { amr: ['pwd', 'otp', 7], acr: 'urn:high', picture: 'https://pictures.example/ann' }
    expect(await setting.signIn(upstream)).toEqual({
      provider: 'oidc',
      issuer: upstream.issuer,
      subject: 'ann-1',
      claims: {
        name: 'Ann Example',
        email: 'ann@example.org',
        email_verified: true,
        picture: 'https://pictures.example/ann',
      },
      email: 'ann@example.org',
      label: 'ann@example.org',
      roles: [],
      attributes: [],
      amr: ['pwd', 'otp'],
      acr: 'urn:high',
    })
    expect(upstream.calls.map(({ endpoint }) => endpoint)).toEqual(['discovery', 'token', 'keys'])
    expect(setting.upstreams.stats()).toMatchObject({ oidc: { inFlight: 0, tokenCalls: 1, breaker: 'closed' } })
  })

  test('asks for the discovery document and the keys once, and for the document again after an hour', async () => {
    for (let times = 0; times < 3; times++) await setting.signIn(upstream)
    expect([upstream.callsTo('discovery'), upstream.callsTo('keys'), upstream.callsTo('token')]).toEqual([1, 1, 3])
    setting.aheadMs = 3_600_001
    await setting.upstreams.begin('oidc', proof('oidc'))
    expect(upstream.callsTo('discovery')).toBe(2)
    // An old document is better than none.
    setting.aheadMs *= 2
    upstream.misbehaviour.discovery = json({}, 500)
    await setting.upstreams.begin('oidc', proof('oidc'))
    await setting.upstreams.begin('oidc', proof('oidc'))
    expect(upstream.callsTo('discovery')).toBe(3)
  })

  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('takes %s', async (alg) => {
    upstream.keys.add('k2', alg)
    upstream.idTokenHeader = { kid: 'k2' }
    await expect(setting.signIn(upstream)).resolves.toMatchObject({ subject: 'ann-1' })
  })

  test('takes a key that it does not know yet, once it is published', async () => {
    await setting.signIn(upstream)
    upstream.keys.add('k2', 'ES256')
    upstream.idTokenHeader = { kid: 'k2' }
    setting.aheadMs = 31_000
    await setting.signIn(upstream)
    expect(upstream.callsTo('keys')).toBe(2)
    upstream.idTokenHeader = { kid: 'nobody’s', alg: 'RS256' }
    for (let times = 0; times < 5; times++) await refused(setting.signIn(upstream))
    expect(upstream.callsTo('keys')).toBe(2)
  })

  test('proves us by Basic as a form has it, and by the form where only that is offered', async () => {
    await setting.signIn(upstream)
    const [call] = upstream.calls.filter(({ endpoint }) => endpoint === 'token')
    const credentials = Buffer.from('countersign:a-secret+of+the+test').toString('base64')
    expect(call!.headers.authorization).toBe(`Basic ${credentials}`)
    expect(call!.form.has('client_secret')).toBe(false)
    upstream.metadata = { token_endpoint_auth_methods_supported: ['client_secret_post', 7, { toString: 1 }] }
    await new Setting([oidc(upstream)]).signIn(upstream)
    expect(upstream.calls.findLast(({ endpoint }) => endpoint === 'token')!.form.get('client_secret')).toBe(
      upstream.clientSecret,
    )
  })

  test('says where to sign out there, where that is offered', async () => {
    const out = await setting.upstreams.signOutUrl('oidc', { returnTo: 'https://login.example/logout' })
    expect(out).toBe(
      `${upstream.issuer}/logout?post_logout_redirect_uri=https%3A%2F%2Flogin.example%2Flogout&client_id=countersign`,
    )
    upstream.metadata = { end_session_endpoint: undefined }
    const other = new Setting([oidc(upstream)]).upstreams
    expect(await other.signOutUrl('oidc', { returnTo: 'https://login.example/' })).toBeUndefined()
    expect(await other.signOutUrl('nobody', { returnTo: 'https://login.example/' })).toBeUndefined()
  })
})

describe('an ID token is refused', () => {
  test.each<[string, () => Members]>([
    ['with another nonce', () => ({ nonce: 'of another browser' })],
    ['without nonce', () => ({ nonce: undefined })],
    ['for another audience', () => ({ aud: 'somebody' })],
    ['for several audiences without azp', () => ({ aud: ['countersign', 'somebody'] })],
    ['with another azp', () => ({ azp: 'somebody' })],
    ['for several audiences with another azp', () => ({ aud: ['countersign', 'somebody'], azp: 'somebody' })],
    ['of another issuer', () => ({ iss: 'https://issuer.example' })],
    ['of an issuer with a slash more', () => ({ iss: `${upstream.issuer}/` })],
    ['that is expired', () => ({ exp: inSeconds(-31) })],
    ['with a text for exp', () => ({ exp: String(inSeconds(300)) })],
    ['without exp', () => ({ exp: undefined })],
    ['that is not good yet', () => ({ nbf: inSeconds(60) })],
    ['without sub', () => ({ sub: undefined })],
    ['with a number for sub', () => ({ sub: 7 })],
    ['with a sub of 256 characters', () => ({ sub: 'x'.repeat(256) })],
    ['with a line break in sub', () => ({ sub: 'ann\r\n' })],
  ])('%s', async (_, claims) => {
    upstream.idToken = claims()
    await refused(setting.signIn(upstream))
    expect(upstream.callsTo('token')).toBe(1)
    expect(upstream.callsTo('userinfo')).toBe(0)
  })

  test('unsecured, or with an HMAC under the public key, whatever the provider says that it supports', async () => {
    upstream.sealing = (claims) => upstream.keys.unsecured(claims)
    await refused(setting.signIn(upstream))
    upstream.sealing = (claims) => upstream.keys.confused(claims)
    await refused(setting.signIn(upstream))
  })

  test('by a key of somebody else’s, under our name for it or one that the header brings', async () => {
    const other = await new HostileProvider().start()
    upstream.sealing = (claims) => other.keys.sign(claims)
    await refused(setting.signIn(upstream))
    const [jwk] = other.keys.published().keys
    const headers = [{ jku: `${other.issuer}/keys` }, { jwk }, { x5u: `${other.issuer}/keys`, kid: 'k7' }, { kid: 7 }]
    for (const header of headers) {
      upstream.sealing = (claims) => other.keys.sign(claims, header)
      await refused(setting.signIn(upstream))
    }
    expect(other.calls).toEqual([])
    await other.stop()
  })

  test('with a header that must be understood, cut short, of five parts, or that is none', async () => {
    upstream.idTokenHeader = { crit: ['exp'] }
    await refused(setting.signIn(upstream))
    const seals = [(token: string) => token.slice(0, -8), (token: string) => `${token}.x.y`, () => 'x', () => '..']
    for (const seal of seals) {
      upstream.sealing = (claims) => seal(upstream.keys.sign(claims))
      await refused(setting.signIn(upstream))
    }
  })
})

describe('a callback is no answer to the request', () => {
  const cases: [string, Record<string, string | undefined>][] = [
    ['with another state', { state: 'of another browser' }],
    ['without state', { state: undefined }],
    ['with the iss of another', { iss: 'https://issuer.example' }],
    ['without the iss that was promised', { iss: undefined }],
    ['without a code', { code: undefined }],
    ['with a code that is no text', { code: 'a\0b' }],
    ['with a code of 5,000 characters', { code: 'x'.repeat(5_000) }],
    ['with an ID token in it', { id_token: 'x' }],
    ['as a JWT', { response: 'x' }],
  ]
  test.each(cases)('%s, and no token call is made', async (_, over) => {
    await refused(setting.signIn(upstream, 'oidc', over))
    expect(upstream.callsTo('token')).toBe(0)
  })

  test('with a parameter twice', async () => {
    const callback = upstream.authorize(await setting.upstreams.begin('oidc', proof('oidc')))
    for (const name of ['state', 'code', 'iss']) {
      const twice = new URL(callback)
      twice.searchParams.append(name, twice.searchParams.get(name)!)
      await refused(setting.upstreams.finish('oidc', { ...proof('oidc'), callback: twice }))
    }
    expect(upstream.callsTo('token')).toBe(0)
  })

  test('when it brings another provider’s code, which is refused there', async () => {
    const other = await new HostileProvider().start()
    const both = new Setting([oidc(upstream), oidc(other, { id: 'other' })])
    const url = await both.upstreams.begin('other', proof('other'))
    const { searchParams } = other.authorize(url)
    const callback = new URL(`https://login.example/login/callback/oidc?${searchParams}`)
    await refused(both.upstreams.finish('oidc', { ...proof('oidc'), callback }))
    expect([upstream.callsTo('token'), other.callsTo('token')]).toEqual([0, 0])
    searchParams.set('iss', upstream.issuer)
    callback.search = String(searchParams)
    await refused(both.upstreams.finish('oidc', { ...proof('oidc'), callback }))
    expect([upstream.callsTo('token'), other.callsTo('token')]).toEqual([1, 0])
    await other.stop()
  })

  test('twice, and with another verifier', async () => {
    const url = await setting.upstreams.begin('oidc', proof('oidc'))
    const ending = { ...proof('oidc'), callback: upstream.authorize(url) }
    await setting.upstreams.finish('oidc', ending)
    await refused(setting.upstreams.finish('oidc', ending))
    const callback = upstream.authorize(url)
    await refused(setting.upstreams.finish('oidc', { ...ending, callback, codeVerifier: 'x'.repeat(43) }))
    expect(setting.upstreams.stats().oidc!.breaker).toBe('closed')
  })

  test.each([
    ['access_denied', 'access_denied'],
    ['server_error', 'unavailable'],
    ['temporarily_unavailable', 'unavailable'],
    ['login_required', 'invalid_request'],
    ['invalid_scope', 'invalid_request'],
    ['\u001b[31m', 'invalid_request'],
  ])('with the error %j is told as %s, in our words', async (error, code) => {
    const told = { code: undefined, error, error_description: `<b>pay here</b>\n\u001b${'x'.repeat(3_000)}` }
    const failure = await setting.signIn(upstream, 'oidc', told).catch((thrown: Error) => thrown)
    expect(failure).toMatchObject({ name: 'Failure', code })
    expect((failure as Error).message).not.toContain('pay')
    expect(upstream.callsTo('token')).toBe(0)
    expect(setting.logged().length).toBeLessThan(600)
    expect(setting.logged()).not.toMatch(/[\u0000-\u001f]|\\u00|\\n/)
  })
})
