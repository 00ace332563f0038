import { generateKeyPairSync } from 'node:crypto'
import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())

const second = (line: string, rest?: string) => folder.second(line, rest)
const clientOf = (keys: string) => folder.load(`version: 1\nclients: [{ id: a, ${keys} }]`).config.clients[0]!
const problemsOf = (keys: string) =>
  second(`clients: [{ id: a, ${keys} }]`).map((text) => text.replace(/^\d+:\d+: /, ''))

const publicKey = { kty: 'EC', crv: 'P-256', ...publicPoint() }
const jwks = `jwks: { keys: [${JSON.stringify(publicKey)}] }`

function publicPoint() {
  const { x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  return { x, y }
}

describe('a client', () => {
  test('that says little gets what is safe', () => {
    expect(clientOf('secret: s')).toEqual({
      id: 'a',
      public: false,
      secret: expect.anything(),
      grants: [],
      scopes: [],
      audience: [],
      redirectUris: [],
      requirePkce: true,
      requirePushedRequests: false,
      consent: true,
      accessTokenFormat: 'opaque',
      requireDpop: false,
      bindCertificate: false,
      idTokenAlgorithm: 'RS256',
      postLogoutRedirectUris: [],
      introspect: [],
      audit: false,
      admin: false,
    })
  })

  test('gets every key that it has', () => {
    const given = clientOf(`name: App, uri: "https://a.example", logo_uri: "https://a.example/logo.png",
      policy_uri: "https://a.example/privacy", tos_uri: "https://a.example/terms", auth_method: private_key_jwt,
      secret: s, previous_secret: t, ${jwks}, grants: [authorization_code], redirect_uris: ["com.example.app:/cb"],
      require_pkce: false, require_pushed_requests: true, consent: false, access_token_format: jwt,
      access_token_lifetime: 1m, refresh_token_lifetime: 2m, require_dpop: true, bind_certificate: true,
      id_token_alg: EdDSA, subject_type: pairwise, sector_identifier: Sector.Example, audit: true, admin: true,
      post_logout_redirect_uris: ["https://a.example/bye"], backchannel_logout_uri: "https://a.example/logout"`)
    expect({ ...given, secret: given.secret?.reveal(), previousSecret: given.previousSecret?.reveal() }).toEqual({
      id: 'a',
      name: 'App',
      uri: 'https://a.example',
      logoUri: 'https://a.example/logo.png',
      policyUri: 'https://a.example/privacy',
      tosUri: 'https://a.example/terms',
      public: false,
      authenticationMethod: 'private_key_jwt',
      secret: 's',
      previousSecret: 't',
      jwks: { keys: [publicKey] },
      grants: ['authorization_code'],
      scopes: [],
      audience: [],
      redirectUris: ['com.example.app:/cb'],
      requirePkce: false,
      requirePushedRequests: true,
      consent: false,
      accessTokenFormat: 'jwt',
      accessTokenLifetimeMs: 60_000,
      refreshTokenLifetimeMs: 120_000,
      requireDpop: true,
      bindCertificate: true,
      idTokenAlgorithm: 'EdDSA',
      pairwiseSector: 'sector.example',
      postLogoutRedirectUris: ['https://a.example/bye'],
      backchannelLogoutUri: 'https://a.example/logout',
      introspect: [],
      audit: true,
      admin: true,
    })
  })

  test.each([
    ['several URIs of one host', '["https://a.example/1", "https://a.example:8443/2"]'],
    ['one URI', '["https://a.example/"]'],
  ])('with pairwise subjects and %s has that host as its sector', (_, uris) => {
    expect(clientOf(`public: true, subject_type: pairwise, redirect_uris: ${uris}`).pairwiseSector).toBe('a.example')
    expect(clientOf(`public: true, redirect_uris: ${uris}`).pairwiseSector).toBeUndefined()
  })

  test.each([
    ['secret: s, auth_method: client_secret_post'],
    ['secret: s, auth_method: client_secret_basic'],
    [jwks],
    ['jwks_uri: "https://a.example/jwks"'],
    [`${jwks}, auth_method: private_key_jwt`],
    ['jwks_uri: "https://a.example/jwks", auth_method: self_signed_tls_client_auth'],
    ['tls_client_auth_san_dns: a.example, auth_method: tls_client_auth'],
    ['tls_client_auth_subject_dn: CN=a, auth_method: tls_client_auth'],
    ['public: true, auth_method: none'],
    [`public: true, ${jwks}`],
    ['public: true, bind_certificate: true, require_dpop: true'],
    [
      'secret: s, subject_type: pairwise, sector_identifier: a.example, redirect_uris: ["https://b.example/", "https://c.example/"]',
    ],
  ])('may have %s', (keys) => {
    expect(problemsOf(keys)).toEqual([])
  })
})

describe('clients that do not fit together', () => {
  const sector =
    'clients[0].subject_type: pairwise needs sector_identifier where redirect_uris do not share one host (OpenID Connect Core section 8.1)'

  test.each([
    [
      'name: A',
      'clients[0]: needs secret, jwks, jwks_uri, tls_client_auth_san_dns or tls_client_auth_subject_dn, or public: true',
    ],
    ['public: true, secret: s', 'clients[0].secret: is not for a public client, which cannot keep a secret'],
    [
      'public: true, grants: [client_credentials]',
      'clients[0].grants[0]: client_credentials is not for a public client (RFC 6749 section 4.4)',
    ],
    ['public: true, introspect: ["*"]', 'clients[0].introspect: is not for a public client (RFC 7662 section 2.1)'],
    ['public: true, audit: true', 'clients[0].audit: is not for a public client'],
    ['public: true, admin: true', 'clients[0].admin: is not for a public client'],
    ['tls_client_auth_san_dns: a.example, previous_secret: s', 'clients[0].previous_secret: needs secret beside it'],
    [
      'tls_client_auth_san_dns: a.example, tls_client_auth_subject_dn: CN=a',
      'clients[0].tls_client_auth_subject_dn: is instead of tls_client_auth_san_dns, not beside it (RFC 8705)',
    ],
    [
      `${jwks}, jwks_uri: "https://a.example/jwks"`,
      'clients[0].jwks_uri: is instead of jwks, not beside it (RFC 7591 section 2)',
    ],
    ['secret: s, grants: [authorization_code]', 'clients[0].grants[0]: authorization_code needs redirect_uris'],
    [
      'public: true, require_pkce: false',
      'clients[0].require_pkce: is required of a public client (RFC 9700 section 2.1.1)',
    ],
    ['secret: s, auth_method: private_key_jwt', 'clients[0].auth_method: private_key_jwt needs jwks or jwks_uri'],
    [
      'secret: s, auth_method: self_signed_tls_client_auth',
      'clients[0].auth_method: self_signed_tls_client_auth needs jwks or jwks_uri',
    ],
    [
      `${jwks}, auth_method: tls_client_auth`,
      'clients[0].auth_method: tls_client_auth needs tls_client_auth_san_dns or tls_client_auth_subject_dn',
    ],
    [`${jwks}, auth_method: client_secret_basic`, 'clients[0].auth_method: client_secret_basic needs secret'],
    ['auth_method: client_secret_post', 'clients[0].auth_method: client_secret_post needs secret'],
    ['secret: s, auth_method: none', 'clients[0].auth_method: none needs public: true'],
    [
      `public: true, ${jwks}, auth_method: private_key_jwt`,
      'clients[0].auth_method: is none for a public client, which cannot keep a secret',
    ],
    ['secret: s, subject_type: pairwise', sector],
    ['secret: s, subject_type: pairwise, redirect_uris: ["https://b.example/", "https://c.example/"]', sector],
    ['secret: s, subject_type: pairwise, redirect_uris: ["com.example.app:/cb"]', sector],
    ['secret: s, sector_identifier: a.example', 'clients[0].sector_identifier: needs subject_type: pairwise'],
  ])('%s', (keys, line) => {
    expect(problemsOf(keys)).toEqual([line])
  })

  test('whoever may register has to show a token for it', () => {
    const token = 'initial_access_tokens: [0123456789abcdef]'
    expect(second('registration: { enabled: true }')).toEqual([
      '2:26: registration.enabled: needs initial_access_tokens, or anybody could register',
    ])
    expect(second(`registration: { enabled: true, ${token} }`)).toEqual([])
  })
})

describe('the keys of a client', () => {
  const ofKey = (jwk: object) => problemsOf(`jwks: { keys: [${JSON.stringify(jwk)}] }`)
  const first = 'clients[0].jwks.keys[0]:'
  const privateRsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ format: 'jwk' })

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi'])('have no private member %s', (member) => {
    const { kty, n, e } = privateRsa
    expect(ofKey({ kty, n, e })).toEqual([])
    expect(ofKey({ kty, n, e, [member]: privateRsa[member] })).toEqual([
      `${first} has the private member ${member}; give only the public part of the key`,
    ])
  })

  test('are not secrets shared with it', () => {
    const symmetric = `${first} is a symmetric key (kty oct), which is a secret; public keys are expected`
    expect(ofKey({ kty: 'oct', k: 'c2VjcmV0' })).toEqual([symmetric])
    expect(ofKey({ ...publicKey, k: 'c2VjcmV0' })).toEqual([
      `${first} has the private member k; give only the public part of the key`,
    ])
  })

  test.each([
    ['of no kind', {}],
    ['with a member missing', { ...publicKey, y: undefined }],
    ['off its curve', { ...publicKey, y: publicKey.x }],
  ])('are keys, not something %s', (_, jwk) => {
    expect(ofKey(jwk)).toEqual([
      `${first} is not a public key (RFC 7517): kty EC, RSA or OKP with its members is expected`,
    ])
  })

  test('are too long to be broken', () => {
    const { publicKey: short } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    expect(ofKey(short.export({ format: 'jwk' }))).toEqual([`${first} is an RSA key of less than 2048 bits`])
  })

  test.each([
    ['jwks: {}', 'clients[0].jwks.keys: expected a list, got nothing'],
    ['jwks: { keys: [] }', 'clients[0].jwks.keys: expected a list of 1 to 32 keys, got a list'],
    ['jwks: { keys: [x] }', `${first} expected a map, got a string`],
  ])('%s is none', (keys, line) => {
    expect(problemsOf(keys)).toEqual([line])
  })

  test('stand in a list', () => {
    expect(problemsOf('jwks: { kty: EC }')).toEqual([
      'clients[0].jwks.keys: expected a list, got nothing',
      'clients[0].jwks: expected a JWK Set (RFC 7517 section 5), { keys: [ … ] }, got a map',
    ])
  })
})
