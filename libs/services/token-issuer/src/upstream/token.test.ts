import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SignJWT, UnsecuredJWT } from 'jose'
import { accessTokenType, ExchangeSetting, idTokenType, jwtType } from '../testing/exchange-setting.ts'
import { Upstream } from '../testing/upstream.ts'

const seconds = 1_000

describe('another issuer’s token', () => {
  let setting: ExchangeSetting
  let upstream: Upstream

  beforeEach(async () => {
    upstream = await new Upstream().start()
    setting = await new ExchangeSetting().start()
    const tokenExchange = { audience: ['account', 'https://id.example'], authorizedParties: ['my-app', 'other-app'] }
    setting.providers = [
      { id: 'closed', issuer: 'https://closed.example', signUp: true },
      { id: 'partner', issuer: upstream.issuer, signUp: true, tokenExchange },
    ]
  })

  afterEach(() => upstream.stop())

  const present = async (subject_token: string, over: Record<string, string> = {}) => {
    const form = { subject_token, subject_token_type: accessTokenType, ...over }
    const { status, body } = await setting.exchange('web', form)
    return status === 200 ? '200' : `${status} ${String(body.error)}`
  }
  const withClaims = async (over: Record<string, unknown>) => present(await upstream.token(setting.at, over))
  const withHeader = async (header: Record<string, unknown>) => present(await upstream.token(setting.at, {}, header))
  const accountsMade = async () => (await setting.events()).filter(({ type }) => type === 'account.created').length

  test('is taken as access token, JWT or ID token when it is good', async () => {
    const token = await upstream.token(setting.at)
    for (const type of [accessTokenType, jwtType, idTokenType]) {
      expect(await present(token, { subject_token_type: type })).toBe('200')
    }
    expect(await withClaims({ aud: ['account', 'else'] })).toBe('200')
    expect(await withClaims({ azp: undefined, client_id: 'other-app' })).toBe('200')
    expect(await withHeader({ typ: 'at+jwt' })).toBe('200')
    expect(await withHeader({ typ: undefined })).toBe('200')
  })

  test('is taken by any algorithm that is asymmetric and offered, and by keys that are ambiguous', async () => {
    for (const alg of ['ES256', 'PS256', 'EdDSA']) {
      await upstream.addKey(alg, alg)
    }
    for (const kid of ['ES256', 'PS256', 'EdDSA']) expect(await withHeader({ kid })).toBe('200')
    await upstream.addKey('k2', 'ES256')
    setting.at += 400 * seconds
    const { privateKey } = upstream.keys.get('k2')!
    const nameless = new SignJWT(upstream.claims(setting.at)).setProtectedHeader({ alg: 'ES256' })
    expect(await present(await nameless.sign(privateKey))).toBe('200')
  })

  test('is refused for somebody else’s aud', async () => {
    for (const aud of ['my-app', ['else', 'ACCOUNT'], [], undefined, null, 7, '', { account: true }, [['account']]]) {
      expect(await withClaims({ aud })).toBe('400 invalid_request')
    }
  })

  test('is refused for somebody else’s azp', async () => {
    for (const over of [
      { azp: 'evil-app' },
      { azp: 'evil-app', client_id: 'my-app' },
      { azp: undefined },
      { azp: ['my-app'] },
      { azp: '' },
      { azp: undefined, client_id: 'evil-app' },
    ]) {
      expect(await withClaims(over)).toBe('400 invalid_request')
    }
    const [, partner] = setting.providers
    setting.providers = [{ ...partner!, tokenExchange: { audience: ['account'] } }]
    expect(await withClaims({ azp: 'evil-app' })).toBe('200')
  })

  test('is refused of another iss, and nobody is asked for the keys of one', async () => {
    for (const iss of [
      'https://evil.example',
      'https://closed.example',
      `${upstream.issuer}/`,
      upstream.issuer.toUpperCase(),
      `${upstream.issuer}/../evil`,
      undefined,
      [upstream.issuer],
    ]) {
      expect(await withClaims({ iss })).toBe('400 invalid_request')
    }
    expect(upstream.requests).toEqual([])
  })

  test('is refused when it is expired, to the second, or never expires', async () => {
    const now = Math.floor(setting.at / seconds)
    setting.at = now * seconds
    for (const exp of [now, now - 1, 0, -1, undefined, null, `${now + 300}`, [now + 300]]) {
      expect(await withClaims({ exp })).toBe('400 invalid_request')
    }
    const endless = JSON.stringify(upstream.claims(setting.at)).replace(/"exp":\d+/, '"exp":1e999')
    expect(await present(await upstream.sign(endless))).toBe('400 invalid_request')
    expect(await withClaims({ exp: now + 1 })).toBe('200')
  })

  test('is refused when it is of a time to come, a little of which clocks may differ', async () => {
    const now = Math.floor(setting.at / seconds)
    setting.at = now * seconds
    for (const name of ['iat', 'nbf']) {
      expect(await withClaims({ [name]: now + 30 })).toBe('200')
      expect(await withClaims({ [name]: now + 31 })).toBe('400 invalid_request')
      expect(await withClaims({ [name]: 'now' })).toBe('400 invalid_request')
    }
  })

  test('is refused without a sub', async () => {
    for (const sub of [undefined, '', 7, ['a'], null, 'x'.repeat(256)]) {
      expect(await withClaims({ sub })).toBe('400 invalid_request')
    }
  })

  test('is refused unsigned, signed with a symmetric algorithm, and with an empty signature', async () => {
    const claims = upstream.claims(setting.at)
    const none = new UnsecuredJWT(claims).encode()
    const { jwk } = upstream.keys.get('k1')!
    const publicKey = new TextEncoder().encode(JSON.stringify(jwk))
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(publicKey)
    const [header, payload] = (await upstream.token(setting.at)).split('.')
    for (const token of [
      none,
      confused,
      `${header}.${payload}.`,
      `${header}.${payload}.AAAA`,
      `${header}.${payload}`,
    ]) {
      expect(await present(token)).toBe('400 invalid_request')
    }
  })

  test('is refused when somebody else signed it, whatever keys it brings', async () => {
    const stranger = new Upstream()
    await stranger.addKey('k1', 'RS256')
    stranger.issuer = upstream.issuer
    const { jwk } = stranger.keys.get('k1')!
    for (const header of [
      {},
      { jwk },
      { jku: 'http://127.0.0.1:1/keys' },
      { x5u: 'http://127.0.0.1:1/' },
      { kid: 'enc' },
    ]) {
      expect(await present(await stranger.token(setting.at, {}, header))).toBe('400 invalid_request')
    }
    expect(await withHeader({ kid: 'enc' })).toBe('400 invalid_request')
  })

  test('is refused where it is another kind of JWT of the same issuer', async () => {
    for (const typ of ['logout+jwt', 'token-introspection+jwt', 'secevent+jwt', 'dpop+jwt', 'at+jwt+x']) {
      expect(await withHeader({ typ })).toBe('400 invalid_request')
    }
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
    expect(await withClaims({ events })).toBe('400 invalid_request')
    const accessToken = await upstream.token(setting.at, {}, { typ: 'at+jwt' })
    expect(await present(accessToken, { subject_token_type: idTokenType })).toBe('400 invalid_request')
  })

  test('is refused when it is bound to a key that was not proven with the request', async () => {
    const jkt = 'k'.repeat(43)
    for (const cnf of [
      { jkt },
      { 'x5t#S256': jkt },
      { jkt, kid: 'x' },
      { kid: 'x' },
      {},
      null,
      'x',
      { jkt: '' },
      { jkt: 7 },
    ]) {
      expect(await withClaims({ cnf })).toBe('400 invalid_request')
    }
    setting.confirmation = { jkt, x5tS256: '' }
    expect(await withClaims({ cnf: { jkt } })).toBe('200')
    expect(await withClaims({ cnf: { jkt: 'j'.repeat(43) } })).toBe('400 invalid_request')
    expect(await withClaims({ cnf: { jkt, 'x5t#S256': jkt } })).toBe('400 invalid_request')
  })

  test('is refused with a claim that is there twice, with crit, and when it is too long', async () => {
    const twice = JSON.stringify(upstream.claims(setting.at)).replace('{', '{"aud":"else",')
    expect(await present(await upstream.sign(twice))).toBe('400 invalid_request')
    const { privateKey } = upstream.keys.get('k1')!
    const padded = await upstream.token(setting.at, { roles: 'x'.repeat(16_000) })
    expect(padded.length).toBeGreaterThan(16_384)
    expect(await present(padded)).toBe('400 invalid_request')
    expect(await withClaims({ roles: 'x'.repeat(11_000) })).toBe('200')
    const critical = new SignJWT(upstream.claims(setting.at)).setProtectedHeader({
      alg: 'RS256',
      kid: 'k1',
      crit: ['b64'],
      b64: true,
    })
    expect(await present(await critical.sign(privateKey))).toBe('400 invalid_request')
  })

  test('leaves nothing behind when it is refused', async () => {
    await withClaims({ aud: 'else' })
    await withClaims({ exp: 1 })
    expect(await accountsMade()).toBe(0)
    expect(await setting.events()).not.toContainEqual(expect.objectContaining({ type: 'token.exchanged' }))
  })

  test('is not taken as an actor’s', async () => {
    const token = await upstream.token(setting.at)
    const actor = { actor_token: token, actor_token_type: accessTokenType }
    expect(await present(await setting.given(), actor)).toBe('400 invalid_request')
  })
})
