import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { letIn } from '../clients/person.ts'
import { Visitor } from '@countersign/servers'
import { ath, Key, part, seconds, send, userinfo, type Made } from './proofs.ts'
import { callback, challenge, outcomeOf, Setting, verifier, type Tokens } from './setting.ts'

const token = '/oauth2/token'
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const people = "scopes: [openid, 'read:reports'], audience: [reports], consent: false"

describe('DPoP withstands', () => {
  let setting: Setting
  let key: Key
  let thief: Key
  beforeAll(async () => {
    setting = await Setting.start('', [
      `{ id: television, public: true, grants: ['${deviceGrant}', refresh_token], ${people} }`,
      `{ id: strict, public: true, require_dpop: true, redirect_uris: ['${callback}'], grants: [authorization_code, refresh_token], ${people} }`,
    ])
    key = await Key.make()
    thief = await Key.make()
  }, 60_000)
  afterAll(() => setting?.stop())

  const machine = (dpop: string) =>
    send(setting, 'batch', { grant_type: 'client_credentials' }, { secret: setting.at.secrets.batch, dpop })
  const made = async (over: Made) => outcomeOf(await machine(await key.proof(setting, token, over)))
  const form = (code: string) => ({
    ...{ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier },
  })
  const redeem = async (code: string, by: Key | undefined, client = 'web') =>
    send(setting, client, form(code), { dpop: await by?.proof(setting, token) })
  const refresh = async (refreshToken: string, by: Key | undefined, client = 'web') =>
    send(
      setting,
      client,
      { grant_type: 'refresh_token', refresh_token: refreshToken },
      {
        dpop: await by?.proof(setting, token),
      },
    )
  const bound = async (): Promise<Tokens> => (await redeem(await setting.code(), key)).json<Tokens>()

  test('two headers', async () => {
    const two = [await key.proof(setting, token), await key.proof(setting, token)] as unknown as string
    expect(outcomeOf(await machine(two))).toBe('400 invalid_dpop_proof')
    const joined = `${await key.proof(setting, token)}, ${await key.proof(setting, token)}`
    expect(outcomeOf(await machine(joined))).toBe('400 invalid_dpop_proof')
  })

  test.each([
    { claims: { jti: undefined } },
    { claims: { jti: '' } },
    { claims: { jti: 7 } },
    { claims: { htm: undefined } },
    { claims: { htm: 'GET' } },
    { claims: { htm: 'post' } },
    { claims: { htu: undefined } },
    { claims: { htu: 'https://evil.example/oauth2/token' } },
    { claims: { iat: undefined } },
    { claims: { iat: String(seconds()) } },
    { claims: { iat: seconds() - 3_600 } },
    { claims: { iat: seconds() + 3_600 } },
    { header: { typ: 'JWT' } },
    { header: { typ: undefined } },
    { header: { jwk: undefined } },
    { header: { crit: ['b64'], b64: true } },
  ])('a proof with %j', async (over) => {
    expect(await made(over)).toBe('400 invalid_dpop_proof')
  })

  test('a proof for another endpoint, with a private key, or by another key than it brings', async () => {
    expect(await made({ claims: { htu: `${setting.at.issuerUrl}/oauth2/par` } })).toBe('400 invalid_dpop_proof')
    expect(await made({ claims: { htu: `${setting.at.issuerUrl}/oauth2/TOKEN` } })).toBe('400 invalid_dpop_proof')
    expect(await made({ header: { jwk: key.privateJwk } })).toBe('400 invalid_dpop_proof')
    expect(await made({ header: { jwk: thief.jwk } })).toBe('400 invalid_dpop_proof')
  })

  test('a symmetric algorithm, none, an empty signature', async () => {
    const [, claims] = (await key.proof(setting, token)).split('.')
    const oct = { kty: 'oct', k: part('secret') }
    for (const header of [
      { alg: 'none', jwk: key.jwk },
      { alg: 'HS256', jwk: oct },
      { alg: 'HS256', jwk: key.jwk },
      { alg: 'ES256', jwk: key.jwk },
    ]) {
      for (const signature of ['', 'AAAA']) {
        const proof = `${part({ typ: 'dpop+jwt', ...header })}.${claims}.${signature}`
        expect(outcomeOf(await machine(proof))).toBe('400 invalid_dpop_proof')
      }
    }
  })

  test('a proof that is used again, also elsewhere', async () => {
    const proof = await key.proof(setting, token)
    expect((await machine(proof)).status).toBe(200)
    expect(outcomeOf(await machine(proof))).toBe('400 invalid_dpop_proof')
    const raced = await key.proof(setting, token)
    const replies = await Promise.all(Array.from({ length: 20 }, () => machine(raced)))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('whoever has a code that is bound, and not its key', async () => {
    const code = await setting.code({ dpop_jkt: key.jkt })
    for (const other of [undefined, thief]) expect(outcomeOf(await redeem(code, other))).toBe('400 invalid_grant')
    expect((await redeem(code, key)).json<Tokens>().token_type).toBe('DPoP')
  })

  test('whoever has a pushed request’s code, or pushes for another key', async () => {
    const request = {
      ...{ response_type: 'code', redirect_uri: callback, scope: 'openid' },
      ...{ code_challenge: challenge, code_challenge_method: 'S256' },
    }
    const push = async (more: object) =>
      send(
        setting,
        'web',
        { ...request, ...more },
        { path: '/oauth2/par', dpop: await key.proof(setting, '/oauth2/par') },
      )
    expect(outcomeOf(await push({ dpop_jkt: thief.jkt }))).toBe('400 invalid_dpop_proof')
    const { request_uri: uri } = (await push({})).json<{ request_uri: string }>()
    const more = new URLSearchParams({ client_id: 'web', request_uri: uri, dpop_jkt: thief.jkt })
    const end = await setting.visitor.go(`${setting.at.issuerUrl}/oauth2/authorize?${more}`)
    const code = new URL(end).searchParams.get('code')!
    for (const other of [undefined, thief]) expect(outcomeOf(await redeem(code, other))).toBe('400 invalid_grant')
    expect((await redeem(code, key)).status).toBe(200)
  })

  test('whoever has a public client’s bound refresh token, and not its key', async () => {
    const { refresh_token: first } = await bound()
    for (const other of [undefined, thief]) expect(outcomeOf(await refresh(first, other))).toBe('400 invalid_grant')
    const next = (await refresh(first, key)).json<Tokens>()
    expect(next.token_type).toBe('DPoP')
    // Within its grace, too.
    for (const other of [undefined, thief]) expect(outcomeOf(await refresh(first, other))).toBe('400 invalid_grant')
    expect(outcomeOf(await refresh(next.refresh_token, thief))).toBe('400 invalid_grant')
  })

  test('a client that has to prove a key, and does not', async () => {
    const code = await setting.code({ client_id: 'strict' })
    expect(outcomeOf(await redeem(code, undefined, 'strict'))).toBe('400 invalid_dpop_proof')
    const tokens = (await redeem(code, key, 'strict')).json<Tokens>()
    expect(outcomeOf(await refresh(tokens.refresh_token, undefined, 'strict'))).toBe('400 invalid_dpop_proof')
  })

  test('whoever has a device code that is bound, and not its key', async () => {
    const path = '/oauth2/device_authorization'
    const begun = await send(setting, 'television', {}, { path, dpop: await key.proof(setting, path) })
    const { device_code: code, user_code: shown } = begun.json<{ device_code: string; user_code: string }>()
    await letIn(new Visitor(setting.at.issuerUrl), '/device', shown)
    const poll = async (by: Key | undefined) =>
      send(
        setting,
        'television',
        { grant_type: deviceGrant, device_code: code },
        {
          dpop: await by?.proof(setting, token),
        },
      )
    for (const other of [undefined, thief]) expect(outcomeOf(await poll(other))).toBe('400 invalid_grant')
    expect((await poll(key)).json<Tokens>().token_type).toBe('DPoP')
    expect((await poll(key)).status).toBe(400)
  })

  test('a bound token as Bearer, with another key, with a proof for another token, method or place', async () => {
    const { access_token: access } = await bound()
    const at = '/oauth2/userinfo'
    const right = { claims: { ath: ath(access) } }
    const proof = (by: Key, over: Made = right, method = 'GET', path = at) => by.proof(setting, path, over, method)
    const refused = [
      userinfo(setting, `Bearer ${access}`),
      userinfo(setting, `Bearer ${access}`, await proof(key)),
      userinfo(setting, `DPoP ${access}`),
      userinfo(setting, `DPoP ${access}`, await proof(thief)),
      userinfo(setting, `DPoP ${access}`, await proof(key, {})),
      userinfo(setting, `DPoP ${access}`, await proof(key, { claims: { ath: ath('another') } })),
      userinfo(setting, `DPoP ${access}`, await proof(key, right, 'POST')),
      userinfo(setting, `DPoP ${access}`, await proof(key, right, 'GET', token)),
      send(setting, undefined, { access_token: access }, { path: at }),
    ]
    expect((await Promise.all(refused)).map(({ status }) => status)).toEqual(refused.map(() => 401))
    const good = await proof(key)
    expect((await userinfo(setting, `DPoP ${access}`, good)).status).toBe(200)
    expect((await userinfo(setting, `DPoP ${access}`, good)).status).toBe(401)
    const { access_token: bearer } = await setting.tokens()
    const forBearer = await proof(key, { claims: { ath: ath(bearer) } })
    expect((await userinfo(setting, `DPoP ${bearer}`, forBearer)).status).toBe(401)
  })
})
