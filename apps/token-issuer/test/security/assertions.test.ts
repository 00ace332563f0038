import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { Key, part, seconds, send, type Made } from './proofs.ts'
import { outcomeOf, Setting } from './setting.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const invalidClient = '401 invalid_client'

describe('private_key_jwt withstands', () => {
  let setting: Setting
  let key: Key
  beforeAll(async () => {
    key = await Key.make()
    const keyed = (id: string) =>
      `{ id: ${id}, auth_method: private_key_jwt, jwks: ${JSON.stringify({ keys: [key.jwk] })}, grants: [client_credentials], scopes: ['read:reports'], audience: [reports], introspect: [reports] }`
    setting = await Setting.start('', [keyed('keyed'), keyed('twin')])
  }, 60_000)
  afterAll(() => setting?.stop())

  const present = (assertion: string, more: Record<string, string> = {}, path?: string) =>
    send(
      setting,
      undefined,
      {
        ...{ grant_type: 'client_credentials', client_assertion_type: assertionType, client_assertion: assertion },
        ...more,
      },
      path === undefined ? {} : { path },
    )
  const made = async (over: Made) => outcomeOf(await present(await key.assertion(setting, 'keyed', over)))

  test('nothing that is right', async () => {
    expect((await present(await key.assertion(setting, 'keyed'))).status).toBe(200)
    const aud = [`${setting.at.issuerUrl}/oauth2/token`]
    expect((await present(await key.assertion(setting, 'keyed', { claims: { aud } }))).status).toBe(200)
  })

  test.each([
    { claims: { aud: 'https://evil.example' } },
    { claims: { aud: undefined } },
    { claims: { aud: [] } },
    { claims: { exp: undefined } },
    { claims: { exp: seconds() - 60 } },
    { claims: { exp: String(seconds() + 60) } },
    { claims: { exp: seconds() + 86_400 } },
    { claims: { nbf: seconds() + 3_600 } },
    { claims: { iat: seconds() + 3_600 } },
    { claims: { jti: undefined } },
    { claims: { jti: '' } },
    { claims: { iss: 'twin' } },
    { claims: { sub: 'twin' } },
    { claims: { iss: undefined } },
    { claims: { iss: 'web', sub: 'web' } },
    { claims: { iss: 'nobody', sub: 'nobody' } },
    { header: { crit: ['b64'], b64: true } },
    { header: { kid: 'another' } },
  ])('an assertion with %j', async (over) => {
    expect(await made(over)).toBe(invalidClient)
  })

  test('an assertion for another place on this server, or that has its issuer’s name for a beginning', async () => {
    for (const more of ['/', '/oauth2/revoke', '.evil.example', '/oauth2/token?x', '/oauth2/TOKEN']) {
      expect(await made({ claims: { aud: setting.at.issuerUrl + more } })).toBe(invalidClient)
    }
  })

  test('an assertion that is used again, anywhere, or by many at once', async () => {
    const assertion = await key.assertion(setting, 'keyed')
    expect((await present(assertion)).status).toBe(200)
    expect(outcomeOf(await present(assertion))).toBe(invalidClient)
    for (const path of ['/oauth2/revoke', '/oauth2/introspect', '/oauth2/par']) {
      expect(outcomeOf(await present(assertion, { token: 'x' }, path))).toBe(invalidClient)
    }
    const raced = await key.assertion(setting, 'keyed')
    const replies = await Promise.all(Array.from({ length: 20 }, () => present(raced)))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('the same jti of two clients is two', async () => {
    const jti = 'the-same'
    for (const client of ['keyed', 'twin']) {
      expect((await present(await key.assertion(setting, client, { claims: { jti } }))).status).toBe(200)
    }
  })

  test('none, an empty signature, a signature with the public key as a secret', async () => {
    const [, claims] = (await key.assertion(setting, 'keyed')).split('.')
    const mac = (header: string) =>
      createHmac('sha256', JSON.stringify(key.jwk)).update(`${header}.${claims}`).digest('base64url')
    const [none, symmetric, signed] = ['none', 'HS256', 'ES256'].map((alg) => part({ alg, jwk: key.jwk }))
    for (const forged of [
      `${none}.${claims}.`,
      `${none}.${claims}.AAAA`,
      `${symmetric}.${claims}.${mac(symmetric!)}`,
      `${signed}.${claims}.`,
      `${signed}.${claims}.AAAA`,
    ]) {
      expect(outcomeOf(await present(forged))).toBe(invalidClient)
    }
  })

  test('another’s signature, whatever key it brings or names', async () => {
    const thief = await Key.make()
    const jku = 'https://evil.example/jwks'
    for (const header of [{}, { jwk: thief.jwk }, { jku }, { x5u: jku }, { jwk: thief.jwk, jku }]) {
      expect(outcomeOf(await present(await thief.assertion(setting, 'keyed', { header })))).toBe(invalidClient)
    }
  })

  test('a claim that is there twice, text for a date, and what is no JSON', async () => {
    const claims = { iss: 'keyed', sub: 'keyed', aud: setting.at.issuerUrl, jti: 'twice', exp: seconds() + 60 }
    const json = JSON.stringify(claims)
    for (const text of [json.replace('{', '{"sub":"twin",'), json.replace('{', '{"exp":9999999999,'), '[]', 'x']) {
      const input = `${part({ alg: 'ES256' })}.${part(text)}`
      const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, Buffer.from(input))
      const assertion = `${input}.${Buffer.from(signature).toString('base64url')}`
      expect(outcomeOf(await present(assertion))).toBe(invalidClient)
    }
  })

  test('another type, another client_id, a secret besides, and an assertion of megabytes', async () => {
    const assertion = () => key.assertion(setting, 'keyed')
    const saml = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'
    expect(outcomeOf(await present(await assertion(), { client_assertion_type: saml }))).toBe(invalidClient)
    expect(outcomeOf(await present(await assertion(), { client_assertion_type: '' }))).toBe(invalidClient)
    expect(outcomeOf(await present(await assertion(), { client_id: 'twin' }))).toBe(invalidClient)
    expect(outcomeOf(await present(await assertion(), { client_secret: 'x' }))).toBe('400 invalid_request')
    const twice = { client_assertion_type: assertionType, client_assertion: await assertion() }
    const form = { grant_type: 'client_credentials', ...twice }
    expect(outcomeOf(await send(setting, 'server', form, { secret: setting.secret }))).toBe('400 invalid_request')
    expect(await made({ claims: { more: 'x'.repeat(10_000) } })).toBe(invalidClient)
  })

  test('a client that has keys, and comes with its name or a secret alone', async () => {
    const form = { grant_type: 'client_credentials' }
    expect(outcomeOf(await send(setting, 'keyed', form))).toBe(invalidClient)
    for (const secret of ['', 'x'])
      expect(outcomeOf(await send(setting, 'keyed', form, { secret }))).toBe(invalidClient)
  })

  test('a DPoP proof in the place of an assertion', async () => {
    const proof = await key.proof(setting, '/oauth2/token', { claims: { iss: 'keyed', sub: 'keyed' } })
    expect(outcomeOf(await present(proof))).toBe(invalidClient)
  })
})
