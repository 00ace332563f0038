import { describe, expect, test } from '@jest/globals'
import { checkAuthorizationRequest, type AuthorizationRequest } from './authorization-request.ts'
import { buildClients } from './build-clients.ts'
import { Secrets } from './secret.ts'

const code = { grants: ['authorization_code'], scopes: ['openid', 'profile', 'read'], audience: ['reports', 'mail'] }
const clients = buildClients(
  [
    { id: 'web', public: true, redirectUris: ['https://app.example/cb'], ...code },
    {
      id: 'server',
      redirectUris: ['https://server.example/cb', 'https://server.example/other'],
      requirePkce: false,
      ...code,
    },
    { id: 'careless', public: true, redirectUris: ['https://app.example/cb'], requirePkce: false, ...code },
    { id: 'batch', redirectUris: ['https://app.example/cb'], grants: ['client_credentials'] },
  ],
  [
    { id: 'reports', audience: 'https://reports.example' },
    { id: 'mail', audience: 'https://mail.example' },
  ],
  new Secrets(),
  { accessTokenMs: 60_000, refreshTokenMs: 60_000 },
)
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const good = {
  response_type: 'code',
  redirect_uri: 'https://app.example/cb',
  code_challenge: challenge,
  code_challenge_method: 'S256',
  state: 'xyz',
}

const check = (id: string, given: Record<string, string | undefined>) => {
  const parameters = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return checkAuthorizationRequest(clients.get(id), new Map(parameters), false)
}
const accepted = (id: string, given: Record<string, string | undefined>): AuthorizationRequest => {
  const checked = check(id, given)
  if ('refused' in checked) throw new Error(checked.refused.description)
  return checked.request
}

describe('an authorization request', () => {
  test('is taken as it is, with what was left out', () => {
    expect(accepted('web', good)).toEqual({
      clientId: 'web',
      redirectUri: 'https://app.example/cb',
      isRedirectNamed: true,
      responseMode: 'query',
      state: 'xyz',
      scope: 'openid profile read',
      audience: ['https://reports.example', 'https://mail.example'],
      codeChallenge: challenge,
      nonce: '',
      prompts: [],
      maxAgeSeconds: undefined,
      loginHint: '',
      idTokenHint: '',
      uiLocales: [],
      acrValues: [],
      claims: '',
      display: '',
      dpopJkt: '',
    })
  })

  test('may say a great deal more, and what nobody knows', () => {
    const more = {
      scope: 'openid read',
      resource: 'https://mail.example',
      response_mode: 'form_post',
      nonce: 'n',
      prompt: 'login consent',
      max_age: '0',
      login_hint: 'ada',
      ui_locales: 'fr de',
      acr_values: '1 2',
      claims: '{"userinfo":{"name":null}}',
      unheard_of: 'x',
    }
    expect(accepted('web', { ...good, ...more })).toMatchObject({
      scope: 'openid read',
      audience: ['https://mail.example'],
      responseMode: 'form_post',
      prompts: ['login', 'consent'],
      maxAgeSeconds: 0,
      uiLocales: ['fr', 'de'],
      acrValues: ['1', '2'],
    })
  })

  test('needs no redirect URI where there is one to choose from', () => {
    expect(accepted('web', { ...good, redirect_uri: undefined })).toMatchObject({
      redirectUri: 'https://app.example/cb',
      isRedirectNamed: false,
    })
  })

  test('needs no proof key of a confidential client that does without, and may have one', () => {
    const server = { response_type: 'code', redirect_uri: 'https://server.example/cb' }
    expect(accepted('server', server).codeChallenge).toBe('')
    expect(accepted('server', { ...good, ...server }).codeChallenge).toBe(challenge)
  })

  test.each([
    ['of an unknown client', 'nobody', good, 'client_id'],
    ['to an unregistered place', 'web', { ...good, redirect_uri: 'https://app.example/CB' }, 'redirect_uri'],
    ['to none of several', 'server', { ...good, redirect_uri: undefined }, 'the redirect_uri is missing'],
  ])('%s is told to the person, and to nobody else', (_, id, given, reason) => {
    expect(() => check(id, given)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    expect(() => check(id, given)).toThrow(reason)
  })

  test.each([
    ['without response_type', { response_type: undefined }, 'invalid_request'],
    ['for a token', { response_type: 'token' }, 'unsupported_response_type'],
    ['for an id_token', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['without a proof key', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['with a method and no proof key', { code_challenge: undefined }, 'invalid_request'],
    ['with a plain proof key', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['with a proof key of no method', { code_challenge_method: undefined }, 'invalid_request'],
    ['with a proof key that is none', { code_challenge: 'short' }, 'invalid_request'],
    ['for a scope that it may not have', { scope: 'openid write' }, 'invalid_scope'],
    ['for a resource that it may not have', { resource: 'https://other.example' }, 'invalid_target'],
    ['with a request object', { request: 'x.y.' }, 'request_not_supported'],
    ['with a request_uri', { request_uri: 'https://app.example/r' }, 'request_uri_not_supported'],
    ['with an unknown prompt', { prompt: 'dance' }, 'invalid_request'],
    ['with prompt=none and more', { prompt: 'none login' }, 'invalid_request'],
    ['with a negative max_age', { max_age: '-1' }, 'invalid_request'],
    ['with a max_age that is no number', { max_age: 'NaN' }, 'invalid_request'],
    ['with claims that are none', { claims: '[]' }, 'invalid_request'],
    ['with claims that are no JSON', { claims: '{' }, 'invalid_request'],
    ['with an endless nonce', { nonce: 'x'.repeat(5_000) }, 'invalid_request'],
    ['with an unknown response_mode', { response_mode: 'web_message' }, 'invalid_request'],
  ])('%s goes back to the client as an error', (_, change, error) => {
    expect(check('web', { ...good, ...change })).toEqual({
      refused: {
        error,
        description: expect.any(String),
        redirectUri: 'https://app.example/cb',
        responseMode: 'query',
        state: 'xyz',
      },
    })
  })

  test('of a public client needs a proof key, whatever its registration says', () => {
    const given = { ...good, code_challenge: undefined, code_challenge_method: undefined }
    expect(check('careless', given)).toMatchObject({ refused: { error: 'invalid_request' } })
  })

  test('of a client without that grant goes back as unauthorized_client', () => {
    expect(check('batch', good)).toMatchObject({ refused: { error: 'unauthorized_client' } })
  })
})
