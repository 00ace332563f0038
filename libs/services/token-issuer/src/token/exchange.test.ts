import { beforeEach, describe, expect, test } from '@jest/globals'
import { decodeJwt } from 'jose'
import {
  accessTokenType,
  audiences,
  ExchangeSetting,
  idTokenType,
  issuer,
  jwtType,
} from '../testing/exchange-setting.ts'

describe('exchanging a token of ours at the token endpoint', () => {
  let setting: ExchangeSetting
  let token: string

  beforeEach(async () => {
    setting = await new ExchangeSetting().start()
    token = await setting.given()
  })

  const own = (over: Record<string, string> = {}) => ({
    subject_token: token,
    subject_token_type: accessTokenType,
    ...over,
  })
  const refusal = async (clientId: string, form: Record<string, string>) => {
    const { status, body } = await setting.exchange(clientId, form)
    return `${status} ${String(body.error)}`
  }

  test('answers with the type of what was issued, its scope, and neither a refresh token nor an ID token', async () => {
    const { status, body } = await setting.exchange('web', own())
    expect(status).toBe(200)
    expect(body).toEqual({
      access_token: expect.stringMatching(/^cs_at_/),
      issued_token_type: accessTokenType,
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'openid read write',
    })
    expect(await setting.introspect(body.access_token)).toMatchObject({ active: true, sub: 'alice', clientId: 'web' })
  })

  test('requires subject_token and its type, and never takes the client itself for the subject', async () => {
    for (const form of [
      {},
      { subject_token: token },
      { subject_token_type: accessTokenType },
      own({ subject_token: '' }),
      own({ subject_token_type: '' }),
      own({ subject_token: '', actor_token: token, actor_token_type: accessTokenType }),
    ]) {
      expect(await refusal('web', form as Record<string, string>)).toBe('400 invalid_request')
    }
    expect(await setting.events()).not.toContainEqual(expect.objectContaining({ type: 'token.exchanged' }))
  })

  test('refuses what is no good access token of ours', async () => {
    const made = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`
    const tokens = [
      made,
      token.slice(1),
      token.toUpperCase(),
      'x',
      `${token} `,
      'e'.repeat(20_000),
      'eyJhbGciOiJub25lIn0.e30.',
    ]
    for (const subject_token of tokens) expect(await refusal('web', own({ subject_token }))).toBe('400 invalid_request')
    for (const subject_token_type of [
      jwtType,
      idTokenType,
      'urn:ietf:params:oauth:token-type:refresh_token',
      'urn:ietf:params:oauth:token-type:saml2',
      'access_token',
    ]) {
      expect(await refusal('web', own({ subject_token_type }))).toBe('400 invalid_request')
    }
    setting.at += 600_000
    expect(await refusal('web', own())).toBe('400 invalid_request')
  })

  test('refuses another client’s token just as one that is unknown', async () => {
    const others = await setting.exchange('stranger', own())
    const unknown = await setting.exchange('stranger', own({ subject_token: 'unknown' }))
    expect(others).toEqual(unknown)
    expect(others.status).toBe(400)
  })

  test('takes an actor’s token with its type or neither, and names the actor', async () => {
    expect(await refusal('web', own({ actor_token: token }))).toBe('400 invalid_request')
    expect(await refusal('web', own({ actor_token_type: accessTokenType }))).toBe('400 invalid_request')
    const actor = await setting.given({ subject: '', clientId: 'reports-api' })
    const acting = (actor_token: string) => own({ actor_token, actor_token_type: accessTokenType })
    expect(await refusal('reports-api', acting('cs_at_x'))).toBe('400 invalid_request')
    expect(await refusal('web', acting(actor))).toBe('400 invalid_request')
    const { body } = await setting.exchange('reports-api', acting(actor))
    expect(await setting.introspect(body.access_token)).toMatchObject({ sub: 'alice', actors: ['reports-api'] })
    const exchanged = (await setting.events()).filter(({ type }) => type === 'token.exchanged')
    expect(exchanged.map(({ attributes }) => attributes.actor)).toEqual(['reports-api'])
  })

  test('gives the requested type where the client has it', async () => {
    expect(await refusal('web', own({ requested_token_type: jwtType }))).toBe('400 invalid_request')
    for (const type of [idTokenType, 'urn:ietf:params:oauth:token-type:refresh_token', 'x']) {
      expect(await refusal('web', own({ requested_token_type: type }))).toBe('400 invalid_request')
    }
    const plain = await setting.exchange('web', own({ requested_token_type: accessTokenType }))
    expect(plain.body).toMatchObject({ issued_token_type: accessTokenType })
    const { body } = await setting.exchange('jwt-api', own({ requested_token_type: jwtType }))
    expect(body.issued_token_type).toBe(jwtType)
    expect((await setting.exchange('jwt-api', own())).body.issued_token_type).toBe(accessTokenType)
    expect(decodeJwt(body.access_token)).toMatchObject({
      iss: issuer,
      aud: audiences.mail,
      client_id: 'jwt-api',
      sub: 'alice',
    })
  })

  test('takes a JWT of ours as an access token, and not as what another issuer might have made', async () => {
    const { body } = await setting.exchange('jwt-api', own())
    const jwt = { subject_token: body.access_token, subject_token_type: accessTokenType }
    expect((await setting.exchange('jwt-api', jwt)).status).toBe(200)
    setting.providers = [{ id: 'ourselves', issuer, signUp: true, tokenExchange: { audience: [audiences.mail] } }]
    for (const subject_token_type of [jwtType, idTokenType]) {
      expect(await refusal('jwt-api', { ...jwt, subject_token_type })).toBe('400 invalid_request')
    }
    const [header, payload, signature] = body.access_token.split('.')
    const changed = Buffer.from(JSON.stringify({ ...decodeJwt(body.access_token), aud: '*' })).toString('base64url')
    expect(await refusal('jwt-api', { ...jwt, subject_token: `${header}.${changed}.${signature}` })).toBe(
      '400 invalid_request',
    )
    expect(payload).not.toBe(changed)
  })

  test('takes resources by URI and audiences by URI or id, both several times, and no others', async () => {
    const audienceOf = async (targets: [string, string][]) => {
      const { status, body } = await setting.exchange('web', [...Object.entries(own()), ...targets])
      return status === 200
        ? ((await setting.introspect(body.access_token)) as { aud: readonly string[] }).aud
        : body.error
    }
    expect(await audienceOf([['audience', 'mail']])).toEqual([audiences.mail])
    expect(await audienceOf([['audience', audiences.mail]])).toEqual([audiences.mail])
    expect(await audienceOf([['resource', audiences.mail]])).toEqual([audiences.mail])
    expect(
      await audienceOf([
        ['audience', 'mail'],
        ['audience', 'reports'],
        ['resource', audiences.mail],
      ]),
    ).toEqual([audiences.mail, audiences.reports])
    for (const target of ['unknown', 'https://evil.example', 'MAIL']) {
      expect(await audienceOf([['audience', target]])).toBe('invalid_target')
      expect(
        await audienceOf([
          ['audience', 'mail'],
          ['audience', target],
        ]),
      ).toBe('invalid_target')
      expect(await audienceOf([['resource', target]])).toBe('invalid_target')
    }
    expect(await audienceOf([['resource', 'mail']])).toBe('invalid_target')
    expect(await refusal('reports-api', own({ audience: 'reports' }))).toBe('400 invalid_target')
  })

  test('refuses a wider scope and ten thousand scopes', async () => {
    expect(await refusal('web', own({ scope: 'read admin' }))).toBe('400 invalid_scope')
    expect(await refusal('web', own({ scope: 'read '.repeat(10_000).trim() }))).toBe('400 invalid_scope')
    expect((await setting.exchange('web', own({ scope: 'read' }))).body.scope).toBe('read')
  })

  test('refuses a disabled client, and what it had exchanged is dead', async () => {
    const { body } = await setting.exchange('reports-api', own())
    expect(await setting.introspect(body.access_token)).toMatchObject({ active: true })
    await setting.putClient('reports-api', { disabledAt: 1 })
    expect(await refusal('reports-api', own())).toBe('401 invalid_client')
    expect(await setting.introspect(body.access_token)).toEqual({ active: false })
  })

  test('refuses the token of a disabled person, and what was exchanged from it is dead', async () => {
    const { body } = await setting.exchange('reports-api', own())
    await setting.putSubject(1, 'alice', { disabledAt: 1 })
    expect(await refusal('web', own())).toBe('400 invalid_request')
    expect(await setting.introspect(body.access_token)).toEqual({ active: false })
  })

  test('wants the key of a bound token from whom it was issued to', async () => {
    const key = { jkt: 'k'.repeat(43), x5tS256: '' }
    const bound = await setting.given({ confirmation: key })
    expect(await refusal('web', own({ subject_token: bound }))).toBe('400 invalid_request')
    setting.confirmation = key
    const { body } = await setting.exchange('web', own({ subject_token: bound }))
    expect(body.token_type).toBe('DPoP')
    expect(await setting.introspect(body.access_token)).toMatchObject({ confirmation: key })
  })

  test('keeps no token and tells none', async () => {
    const { body } = await setting.exchange('web', own())
    const events = JSON.stringify(await setting.events())
    for (const each of [token, body.access_token]) expect(events).not.toContain(each.slice(6, 40))
    expect(events).toContain('token.exchanged')
  })
})
