import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ask, basic, post } from '@countersign/servers'
import { outcomeOf, Setting, type Tokens } from './setting.ts'

const path = '/oauth2/token'
const formType = { 'content-type': 'application/x-www-form-urlencoded' }

describe('/oauth2/token withstands', () => {
  let setting: Setting
  beforeAll(async () => {
    setting = await Setting.start('lifetimes: { refresh_grace: 2s }\n')
  }, 60_000)
  afterAll(() => setting?.stop())
  const endpoint = () => setting.at.issuerUrl + path

  test('GET, JSON and credentials in the URL', async () => {
    expect((await setting.send(path, {})).status).toBe(405)
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    expect(outcomeOf(await setting.send(path, json))).toBe('400 invalid_request')
    const inQuery = `${endpoint()}?client_id=server&client_secret=${setting.secret}`
    const form = { method: 'POST', headers: formType, body: 'grant_type=authorization_code' }
    expect(outcomeOf(await ask(inQuery, form))).toBe('400 invalid_request')
  })

  test('wrong secrets, unknown clients and two ways at once', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: 'x' }
    expect(outcomeOf(await post(endpoint(), ['server', 'wrong'], form))).toBe('401 invalid_client')
    expect(outcomeOf(await post(endpoint(), ['nobody', 'wrong'], form))).toBe('401 invalid_client')
    expect(outcomeOf(await post(endpoint(), undefined, form))).toBe('401 invalid_client')
    expect(outcomeOf(await post(endpoint(), undefined, { ...form, client_id: 'server' }))).toBe('401 invalid_client')
    const twice = { ...form, client_secret: setting.secret }
    expect(outcomeOf(await post(endpoint(), ['server', setting.secret], twice))).toBe('400 invalid_request')
  })

  test('what a client may not use, and what nobody may', async () => {
    expect(outcomeOf(await setting.token('web', { grant_type: 'client_credentials' }))).toBe('400 unauthorized_client')
    const password = { grant_type: 'password', username: 'a', password: 'b' }
    expect(outcomeOf(await setting.token('server', password))).toBe('400 unsupported_grant_type')
    expect(outcomeOf(await setting.token('server', {}))).toBe('400 invalid_request')
  })

  test('another client’s code, a wrong, missing or unasked verifier, another redirect_uri', async () => {
    const code = await setting.code()
    expect(outcomeOf(await setting.redeem(code, {}, 'other'))).toBe('400 invalid_grant')
    expect(outcomeOf(await setting.redeem(code, { code_verifier: 'x'.repeat(43) }))).toBe('400 invalid_grant')
    expect(outcomeOf(await setting.redeem(code, { code_verifier: '' }))).toBe('400 invalid_grant')
    expect(outcomeOf(await setting.redeem(code, { redirect_uri: 'https://app.example/' }))).toBe('400 invalid_grant')
    expect((await setting.redeem(code)).status).toBe(200)
    const without = { client_id: 'server', code_challenge: undefined, code_challenge_method: undefined }
    expect(outcomeOf(await setting.redeem(await setting.code(without), {}, 'server'))).toBe('400 invalid_grant')
  })

  test('a code that is used again: what came of it ends', async () => {
    const code = await setting.code()
    const tokens = (await setting.redeem(code)).json<Tokens>()
    expect(await setting.isActive(tokens.access_token)).toBe(true)
    expect(outcomeOf(await setting.redeem(code))).toBe('400 invalid_grant')
    expect(await setting.isActive(tokens.access_token)).toBe(false)
    expect(outcomeOf(await setting.refresh(tokens.refresh_token))).toBe('400 invalid_grant')
  })

  test('made-up, truncated, foreign and huge codes and tokens', async () => {
    const { access_token: access, refresh_token: refresh } = await setting.tokens()
    const code = await setting.code()
    for (const each of ['x', code.slice(0, -1), `${code}x`, access, refresh, 'x'.repeat(5_000), '\u{1f600}']) {
      expect(outcomeOf(await setting.redeem(each))).toBe('400 invalid_grant')
    }
    for (const each of ['x', refresh.slice(0, -1), access, code, 'x'.repeat(5_000)]) {
      expect(outcomeOf(await setting.refresh(each))).toBe('400 invalid_grant')
    }
    for (const each of [refresh, code]) expect(await setting.isActive(each)).toBe(false)
  })

  test('caches: no answer is kept', async () => {
    const replies = [
      await setting.redeem(await setting.code()),
      await setting.redeem('x'),
      await setting.send(path, {}),
    ]
    for (const { headers } of replies) expect(headers['cache-control']).toContain('no-store')
  })

  describe('refresh tokens', () => {
    test('that are another client’s, or ask for more', async () => {
      const { refresh_token: token } = await setting.tokens({ scope: 'read:reports' })
      expect(outcomeOf(await setting.refresh(token, {}, 'other'))).toBe('400 invalid_grant')
      expect(outcomeOf(await setting.refresh(token, { scope: 'openid read:reports' }))).toBe('400 invalid_scope')
      expect(outcomeOf(await setting.refresh(token, { resource: 'https://mail.example' }))).toBe('400 invalid_target')
      expect((await setting.refresh(token)).status).toBe(200)
    })

    test('used by many at once give the same successor; used after the grace end the family, and the journal tells', async () => {
      const { refresh_token: token } = await setting.tokens()
      const replies = await Promise.all(Array.from({ length: 20 }, () => setting.refresh(token)))
      const answers = replies.map((reply) => reply.json<Tokens>())
      expect(new Set(answers.map(({ refresh_token: next }) => next)).size).toBe(1)
      expect(new Set(answers.map(({ access_token: next }) => next)).size).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 2_200))
      expect(outcomeOf(await setting.refresh(token))).toBe('400 invalid_grant')
      expect(await setting.isActive(answers[0]!.access_token)).toBe(false)
      expect(outcomeOf(await setting.refresh(answers[0]!.refresh_token))).toBe('400 invalid_grant')
      const events = `${setting.at.auditUrl}/audit/v1/events?type=token.reuse_detected`
      const operator = { authorization: basic('operator', setting.at.secrets.operator) }
      let told = ''
      for (let tries = 0; tries < 50 && !told.includes('reuse_detected'); tries++) {
        told = (await ask(events, { headers: operator })).text
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      expect(told).toContain('token.reuse_detected')
      expect(told).not.toContain(token)
    })
  })

  describe('/oauth2/revoke', () => {
    test('of garbage, of another client’s token, with a wrong hint, and without a secret', async () => {
      const { access_token: token } = await setting.tokens()
      for (const garbage of ['x', 'cs_at_x', token.slice(0, -2)])
        expect((await setting.revoke(garbage)).status).toBe(200)
      expect((await setting.revoke(token, {}, 'other')).status).toBe(200)
      expect(await setting.isActive(token)).toBe(true)
      expect((await setting.revoke(token, {}, 'server')).status).toBe(401)
      expect((await setting.revoke(token, { token_type_hint: 'refresh_token' })).status).toBe(200)
      expect(await setting.isActive(token)).toBe(false)
    })

    test('of a refresh token ends the access tokens of its grant', async () => {
      const first = await setting.tokens()
      const second = (await setting.refresh(first.refresh_token)).json<Tokens>()
      expect((await setting.revoke(second.refresh_token)).headers['countersign-revision']).toMatch(/^\d+:/)
      for (const { access_token: token } of [first, second]) expect(await setting.isActive(token)).toBe(false)
      expect(outcomeOf(await setting.refresh(second.refresh_token))).toBe('400 invalid_grant')
    })
  })
})
