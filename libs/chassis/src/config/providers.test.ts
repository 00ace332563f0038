import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())
const ca = folder.write('ca.pem', 'PEM')

const load = (provider: string, env = {}) =>
  folder.load(`version: 1\nproviders: [{ ${provider} }]`, env).config.providers[0]
const problems = (provider: string, rest?: string) =>
  folder.second(`providers: [{ ${provider} }]`, rest).map((line) => line.replace(/^\d+:\d+: providers\[0\]\.?/, ''))

/** What every provider elsewhere has where the file says nothing. */
const defaults = { clientId: 'x', rolesClaim: [], attributes: {}, signUp: true, trustEmail: false, timeoutMs: 5_000 }

describe('a provider', () => {
  test.each([
    ['google', '', {}],
    ['oidc', 'issuer: "https://p.example/"', { issuer: 'https://p.example/', accessTokenClaims: false }],
    ['github', '', { url: 'https://github.com' }],
    [
      'oauth2',
      'authorization_url: "https://p.example/a", token_url: "https://p.example/t", userinfo_url: "https://p.example/u"',
      {
        authorizationUrl: 'https://p.example/a',
        tokenUrl: 'https://p.example/t',
        userinfoUrl: 'https://p.example/u',
        clientAuthentication: 'form',
        emailField: 'email',
        nameField: 'name',
      },
    ],
  ])('of kind %s needs little', (kind, keys, own) => {
    const given = [`id: p, kind: ${kind}, client_id: x`, keys].filter(Boolean).join()
    expect(load(given)).toEqual({ id: 'p', kind, ...defaults, ...own })
  })

  test('of kind oidc takes everything', () => {
    const provider = load(
      `id: cern, kind: oidc, name: CERN, issuer: "https://auth.example/realms/x", client_id: x, client_secret: { env: S },
       scopes: [email, groups], roles_claim: [groups, realm_access.roles], attributes: { team: address.team },
       email_domains: [CERN.example], sign_up: false, trust_email: true, ca: ca.pem, timeout: 2s, access_token_claims: true,
       token_exchange: { audience: [a], authorized_parties: [b] }`,
      { S: 's3cret' },
    )
    expect(provider).toEqual({
      id: 'cern',
      kind: 'oidc',
      name: 'CERN',
      issuer: 'https://auth.example/realms/x',
      clientId: 'x',
      clientSecret: expect.anything(),
      scopes: ['openid', 'email', 'groups'],
      rolesClaim: ['groups', 'realm_access.roles'],
      attributes: { team: 'address.team' },
      emailDomains: ['cern.example'],
      signUp: false,
      trustEmail: true,
      ca,
      timeoutMs: 2_000,
      accessTokenClaims: true,
      tokenExchange: { audience: ['a'], authorizedParties: ['b'] },
    })
    expect(provider?.kind === 'oidc' && provider.clientSecret?.reveal()).toBe('s3cret')
  })

  test('of every other kind takes what is its own', () => {
    expect(load('id: g, kind: google, client_id: x, hosted_domain: A.example')).toMatchObject({
      hostedDomain: 'a.example',
    })
    expect(load('id: h, kind: github, client_id: x, url: "https://git.example"')).toMatchObject({
      url: 'https://git.example',
    })
    const urls = 'authorization_url: "https://p/a", token_url: "https://p/t", userinfo_url: "https://p/u"'
    const fields = 'issuer: "https://p", email_field: mail, subject_field: id, name_field: full.name'
    expect(load(`id: o, kind: oauth2, client_id: x, ${urls}, ${fields}`)).toMatchObject({
      issuer: 'https://p',
      emailField: 'mail',
      subjectField: 'id',
      nameField: 'full.name',
    })
    expect(load('id: l, kind: local, name: Staff')).toEqual({ id: 'l', kind: 'local', name: 'Staff' })
  })

  test('of OpenID asks for openid whatever else it asks for, the others for what they are told', () => {
    const scopes = (kind: string) => load(`id: p, kind: ${kind}, client_id: x, scopes: [b, openid, a]`)
    expect(scopes('google')).toMatchObject({ scopes: ['openid', 'b', 'a'] })
    expect(load('id: p, kind: oidc, issuer: "https://p", client_id: x, scopes: []')).toMatchObject({
      scopes: ['openid'],
    })
    expect(load('id: p, kind: github, client_id: x, scopes: [user]')).toMatchObject({ scopes: ['user'] })
    expect(load('id: p, kind: google, client_id: x')).not.toHaveProperty('scopes')
  })

  test('reads its roles from one claim or several, in a variable, too', () => {
    const yaml = 'id: p, kind: google, client_id: x'
    const from = (text: string) => load(yaml, { COUNTERSIGN_PROVIDERS__0__ROLES_CLAIM: text })
    expect(load(`${yaml}, roles_claim: groups`)).toMatchObject({ rolesClaim: ['groups'] })
    expect(from('realm_access.roles')).toMatchObject({ rolesClaim: ['realm_access.roles'] })
    expect(from('[a, b]')).toMatchObject({ rolesClaim: ['a', 'b'] })
    expect(from('"[a, b]"')).toMatchObject({ rolesClaim: ['[a, b]'] })
  })

  test.each([
    [
      'kind: google, client_id: x, client_secret: ""',
      'client_secret: expected text in quotes, { env: NAME } or { file: path }, got empty text',
    ],
    [
      'kind: google, client_id: x, client_secret: { env: NOPE }',
      'client_secret: the environment variable NOPE is not set',
    ],
    ['kind: google, client_id: ""', 'client_id: expected text on one line, got ""'],
    ['kind: google, client_id: x, roles_claim: 5', 'roles_claim: expected a claim, or a list of claims, got 5'],
    [
      'kind: google, client_id: x, roles_claim: [a, ""]',
      'roles_claim: expected a claim, or a list of claims, got a list',
    ],
    ['kind: google, client_id: x, attributes: { team: [a] }', 'attributes.team: expected text on one line, got a list'],
    ['kind: google, client_id: x, attributes: [team]', 'attributes: expected a map of our names to claims, got a list'],
    ['kind: google, client_id: x, email_domains: []', 'email_domains: expected a list of 1 or more, got a list'],
    [
      'kind: google, client_id: x, email_domains: ["@a.example"]',
      'email_domains[0]: expected a host name, got "@a.example"',
    ],
    ['kind: google, client_id: x, sign_up: no', 'sign_up: expected true or false, got "no"'],
    [
      'kind: google, client_id: x, timeout: 31s',
      'timeout: expected a duration such as 30s, 12h or 30d, from 100ms to 30s, got "31s"',
    ],
    ['kind: google, client_id: x, issuer: "https://a"', 'issuer: is not a key'],
    [
      'kind: github, client_id: x, url: "https://git.example/"',
      'url: expected an https:// URL (http:// on loopback) without query, fragment and slash at the end, got "https://git.example/"; did you mean https://git.example?',
    ],
    [
      'kind: oauth2, client_id: x, authorization_url: "https://p/a", token_url: "https://p/t"',
      'userinfo_url: expected an https:// URL (http:// on loopback) without fragment, got nothing',
    ],
    ['kind: local, client_id: x', 'client_id: is not a key'],
  ])('with %s is refused', (keys, line) => {
    expect(problems(`id: p, ${keys}`)).toEqual([line])
  })

  test('of kind local is one at most', () => {
    expect(
      folder.second(
        'providers: [{ id: a, kind: local }, { id: g, kind: google, client_id: x }, { id: b, kind: local }]',
      ),
    ).toEqual(['2:91: providers[2].kind: local is providers[0] already; there is one at most'])
  })
})
