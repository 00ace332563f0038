import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHmac, createPublicKey } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, type JWK } from 'jose'
import { operator, operatorClient } from './operator.ts'
import { Key, part, seconds, send, userinfo } from './proofs.ts'
import { callback, outcomeOf, Setting, type Tokens } from './setting.ts'

const code = `redirect_uris: ['${callback}'], grants: [authorization_code, refresh_token], consent: false`

describe('our own keys and JWTs withstand', () => {
  let setting: Setting
  beforeAll(async () => {
    setting = await Setting.start('', [
      operatorClient,
      `{ id: signed, public: true, access_token_format: jwt, id_token_alg: ES256, ${code}, scopes: [openid, 'read:reports'], audience: [reports] }`,
    ])
  }, 60_000)
  afterAll(() => setting?.stop())

  const tokens = () => setting.tokens({ client_id: 'signed' }) as Promise<Tokens & { id_token: string }>
  const statusOf = async (token: string) => (await userinfo(setting, `Bearer ${token}`)).status
  const published = async () => (await setting.send('/oauth2/jwks', {})).json<{ keys: JWK[] }>().keys

  /** Nobody takes it: not userinfo, not introspection; and there is nothing to revoke. */
  async function expectRefused(token: string): Promise<void> {
    expect(await statusOf(token)).toBe(401)
    expect(await setting.isActive(token)).toBe(false)
    const reply = await setting.revoke(token, {}, 'signed')
    expect([reply.status, reply.headers['countersign-revision']]).toEqual([200, undefined])
  }

  test('none, an empty signature, and a public key as a shared secret', async () => {
    const { access_token: token } = await tokens()
    expect([await statusOf(token), await setting.isActive(token)]).toEqual([200, true])
    const [header, claims] = token.split('.')
    const { kid } = decodeProtectedHeader(token)
    const jwk = (await published()).find((each) => each.kid === kid)!
    const pem = createPublicKey({ key: jwk as Record<string, unknown>, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    })
    const symmetric = part({ alg: 'HS256', typ: 'at+jwt', kid })
    const forged = [pem, JSON.stringify(jwk), jwk.x!].map((secret) => {
      const input = `${symmetric}.${claims}`
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
    })
    const none = part({ alg: 'none', typ: 'at+jwt', kid })
    for (const each of [`${none}.${claims}.`, `${none}.${claims}`, `${header}.${claims}.`, ...forged]) {
      await expectRefused(each)
    }
    expect(await statusOf(token)).toBe(200)
  })

  test('keys that are brought or named: jwk, jku, x5u, our kid on another’s signature', async () => {
    const { access_token: token } = await tokens()
    const thief = await Key.make()
    const claims = decodeJwt(token)
    const { kid } = decodeProtectedHeader(token)
    const jku = `${setting.at.issuerUrl}/oauth2/jwks`
    for (const header of [{ kid }, { kid, jwk: thief.jwk }, { kid, jku }, { kid, x5u: jku }, {}, { kid: '../keys' }]) {
      await expectRefused(await thief.sign({ typ: 'at+jwt', ...header }, claims))
    }
  })

  test('a header that must be understood, a claim that is there twice, text for a date, another payload', async () => {
    const { access_token: token } = await tokens()
    const [header, claims, signature] = token.split('.')
    const crit = part({ ...decodeProtectedHeader(token), crit: ['b64'], b64: true })
    const json = Buffer.from(claims!, 'base64url').toString()
    const twice = part(json.replace('{', '{"sub":"somebody",'))
    const text = part(JSON.stringify({ ...decodeJwt(token), exp: String(seconds() + 9_999) }))
    for (const each of [
      `${crit}.${claims}.${signature}`,
      `${header}.${twice}.${signature}`,
      `${header}.${text}.${signature}`,
      `${token}.x`,
    ]) {
      await expectRefused(each)
    }
  })

  test('an ID token for an access token, and an access token for an id_token_hint', async () => {
    const { access_token: access, id_token: idToken } = await tokens()
    await expectRefused(idToken)
    const hinted = async (id_token_hint: string) => {
      const { headers } = await setting.authorize({ client_id: 'signed', id_token_hint })
      return new URL(String(headers['location'])).searchParams.get('error')
    }
    expect([await hinted(idToken), await hinted(access)]).toEqual([null, 'invalid_request'])
    const logout = await setting.send(`/oauth2/logout?id_token_hint=${access}`, {})
    expect([logout.status, logout.headers['location']]).toEqual([400, undefined])
  })

  test('a hint of one person and claims of another', async () => {
    const { id_token: hint } = await tokens()
    const claims = JSON.stringify({ id_token: { sub: { value: 'somebody-else' } } })
    const { headers } = await setting.authorize({ client_id: 'signed', id_token_hint: hint, claims })
    expect(new URL(String(headers['location'])).searchParams.get('error')).toBe('invalid_request')
  })

  test('a signed token that is revoked', async () => {
    const { access_token: token } = await tokens()
    expect((await setting.revoke(token, {}, 'signed')).headers['countersign-revision']).toMatch(/^\d+:/)
    expect([await statusOf(token), await setting.isActive(token)]).toEqual([401, false])
  })

  test('whoever would rotate keys or revoke, and is no operator', async () => {
    const { access_token: token } = await tokens()
    for (const [id, secret, refusal] of [
      ['server', setting.secret, 'access_denied'],
      ['operator', setting.at.secrets.operator, 'access_denied'],
      ['admin', 'wrong', 'invalid_client'],
      ['admin', token, 'invalid_client'],
      ['nobody', setting.secret, 'invalid_client'],
    ] as const) {
      const { calls, close } = operator(setting, { id, secret })
      const refused = expect.objectContaining({ code: refusal })
      await expect(calls.rotateKeys({ alg: '', compromised: true })).rejects.toEqual(refused)
      await expect(calls.listKeys({})).rejects.toEqual(refused)
      await expect(calls.revoke({ what: { $case: 'clientId', value: 'signed' }, disable: true })).rejects.toEqual(
        refused,
      )
      close()
    }
    expect(await statusOf(token)).toBe(200)
  })

  test('a rotation: the new keys are published before they sign, and never with a private member', async () => {
    const before = await tokens()
    const old = (await published()).map(({ kid }) => kid!)
    const { calls, close } = operator(setting)
    await calls.rotateKeys({ alg: '', compromised: false })
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const keys = await published()
    expect(keys).toHaveLength(2 * old.length)
    const allowed = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use']
    for (const jwk of keys) expect(Object.keys(jwk).filter((name) => !allowed.includes(name))).toEqual([])
    const after = await tokens()
    for (const token of [after.access_token, after.id_token]) expect(old).toContain(decodeProtectedHeader(token).kid)
    expect([await statusOf(before.access_token), await statusOf(after.access_token)]).toEqual([200, 200])
    close()
  })

  test('a stolen key: what it signed is worth nothing, and the new one signs at once', async () => {
    const { access_token: before, refresh_token: refresh } = await tokens()
    const { calls, close } = operator(setting)
    await calls.rotateKeys({ alg: 'ES256', compromised: true })
    // Other replicas than the one that was asked read the keys again within ten seconds; for an unknown key at once.
    await new Promise((resolve) => setTimeout(resolve, 10_500))
    await expectRefused(before)
    const after = (await setting.refresh(refresh, {}, 'signed')).json<Tokens>()
    expect(decodeProtectedHeader(after.access_token).kid).not.toBe(decodeProtectedHeader(before).kid)
    expect(await statusOf(after.access_token)).toBe(200)
    const listed = await calls.listKeys({})
    expect(JSON.stringify(listed)).not.toContain('"d"')
    close()
    const form = { grant_type: 'refresh_token', refresh_token: refresh }
    expect(outcomeOf(await send(setting, 'web', form))).toBe('400 invalid_grant')
  }, 30_000)
})
