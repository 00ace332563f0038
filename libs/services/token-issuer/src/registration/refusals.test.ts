import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { generateKeyPairSync } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import { openReplica, type Replica } from './testing/world.ts'

const web = { redirect_uris: ['https://app.example/callback'] }
const native = { application_type: 'native', token_endpoint_auth_method: 'none' }
const rsa = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits })
const small = rsa(1024).publicKey.export({ format: 'jwk' })
const privateJwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
/** A valid key with a certificate's worth of padding. */
const padded = { ...privateJwk, d: undefined, x5c: ['A'.repeat(5_000)] }
const keyed = (jwks: unknown) => ({ ...web, token_endpoint_auth_method: 'private_key_jwt', jwks })
const many = <T>(of: (n: number) => T, length = 33) => Array.from({ length }, (_, n) => of(n))

let replica: Replica
const sectors: Record<string, unknown> = {
  'https://sector.example/all': ['https://a.example/', 'https://b.example/', 'https://c.example/'],
  'https://sector.example/some': ['https://a.example/'],
  'https://sector.example/odd': { redirect_uris: ['https://a.example/', 'https://b.example/'] },
}
const fetched: string[] = []

beforeAll(async () => {
  replica = await openReplica({
    fetchJson: async (url) => {
      fetched.push(url)
      if (!(url in sectors)) throw new Failure('unavailable', 'not there')
      return sectors[url]
    },
  })
})
afterAll(() => replica.close())

describe('redirect URIs that are refused', () => {
  const error = 'invalid_redirect_uri'
  test.each([
    'https://app.example/callback#fragment',
    'https://app.example/callback#',
    '/callback',
    'app.example/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'https://user@app.example/',
    'https://user:password@app.example/',
    'https://*.app.example/',
    'https://app.example/*',
    'https://app.example\\@evil.example/',
    'https://app.example/\u0000',
    'https:///app.example/',
    'https://bücher.example/',
    'http://app.example/',
    'http://localhost/',
    'https://localhost/',
    'https://app.localhost/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://[::1]/',
    'https://169.254.169.254/latest',
    'http://127.0.0.1/',
    'com.example.app:/callback',
    ' https://app.example/',
    '',
    `https://app.example/${'x'.repeat(2_048)}`,
    17,
    null,
  ])('%j of a web application', async (uri) => {
    const answer = await replica.register({ redirect_uris: ['https://app.example/', uri] })
    expect(answer).toMatchObject({ status: 400, told: { error } })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test.each([
    'http://localhost/callback',
    'http://127.0.0.1.evil.example/',
    'http://127.0.0.1:80@evil.example/',
    'http://127.0.0.1:99999/',
    'http://10.0.0.1/',
    'http://app.example/',
    'javascript:alert(1)',
    'myapp:/callback',
    'data:com.example/x',
    'com.example.app:/callback#x',
  ])('%j of a native application', async (uri) => {
    expect(await replica.register({ ...native, redirect_uris: [uri] })).toMatchObject({ status: 400, told: { error } })
  })

  test('none, where codes need one; and too many', async () => {
    for (const redirect_uris of [undefined, [], 'https://app.example/', many((n) => `https://app.example/${n}`)]) {
      expect(await replica.register({ redirect_uris })).toMatchObject({ status: 400, told: { error } })
    }
  })
})

describe('metadata that is refused', () => {
  test.each<[string, object]>([
    ['an unknown way to authenticate', { token_endpoint_auth_method: 'client_secret_jwt' }],
    ['a grant that is not allowed', { grant_types: ['authorization_code', 'implicit'] }],
    [
      'a grant that is not allowed to registered clients',
      { grant_types: ['urn:ietf:params:oauth:grant-type:device_code'] },
    ],
    [
      'client_credentials without a secret',
      { grant_types: ['client_credentials'], token_endpoint_auth_method: 'none' },
    ],
    ['response_types without their grant', { response_types: ['code'], grant_types: ['client_credentials'] }],
    ['tokens from the authorization endpoint', { response_types: ['code', 'token'] }],
    ['more scope than there is', { scope: 'openid admin' }],
    ['a scope that is no text', { scope: ['openid'] }],
    ['keys missing', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['keys twice', { jwks_uri: 'https://app.example/', ...keyed({ keys: [{ ...privateJwk, d: undefined }] }) }],
    ['a private key', keyed({ keys: [privateJwk] })],
    ['a symmetric key', keyed({ keys: [{ kty: 'oct', k: 'AAAA' }] })],
    ['a small key', keyed({ keys: [small] })],
    ['no key', keyed({ keys: [] })],
    ['what is no key', keyed({ keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] })],
    ['a key of odd members', keyed({ keys: [{ kty: 'EC', crv: ['P-256', 1] }] })],
    ['what is no key set', keyed('x')],
    ['plain jwks_uri', { jwks_uri: 'http://app.example/jwks' }],
    ['loopback jwks_uri', { jwks_uri: 'https://127.0.0.1/jwks' }],
    ['private jwks_uri', { jwks_uri: 'https://10.1.2.3/jwks' }],
    ['metadata jwks_uri', { jwks_uri: 'https://169.254.169.254/jwks' }],
    ['localhost', { backchannel_logout_uri: 'https://localhost/x' }],
    ['IPv6 in disguise', { backchannel_logout_uri: 'https://[::ffff:127.0.0.1]/x' }],
    ['a fragment', { backchannel_logout_uri: 'https://app.example/#x' }],
    ['a private sector', { sector_identifier_uri: 'https://192.168.0.1/' }],
    ['a plain page', { client_uri: 'http://app.example/' }],
    ['a page that is script', { logo_uri: 'javascript:alert(1)' }],
    ['a name that turns text around', { client_name: 'good \u202e live' }],
    ['a name of two lines', { client_name: 'a\nb' }],
    ['a long name', { client_name: 'x'.repeat(257) }],
    ['a lone surrogate', { client_name: '\ud800' }],
    ['a name that is none', { client_name: {} }],
    ['contacts that are none', { contacts: [{}] }],
    ['many contacts', { contacts: many((n) => `${n}@app.example`) }],
    ['an unknown algorithm', { id_token_signed_response_alg: 'none' }],
    ['an unknown subject type', { subject_type: 'anonymous' }],
    ['an unknown kind', { application_type: 'toaster' }],
    ['a flag that is none', { dpop_bound_access_tokens: 'true' }],
    ['a certificate without a name', { token_endpoint_auth_method: 'tls_client_auth' }],
    [
      'a certificate of two names',
      {
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_san_dns: 'a.b',
        tls_client_auth_subject_dn: 'CN=x',
      },
    ],
    ['a certificate of many', { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: '*.b' }],
    ['a sign-out to elsewhere', { post_logout_redirect_uris: ['http://app.example/'] }],
    [
      'pairwise for two hosts',
      { subject_type: 'pairwise', redirect_uris: ['https://a.example/', 'https://b.example/'] },
    ],
    ['more than is kept', { contacts: many(() => 'x'.repeat(256), 32), ...keyed({ keys: many(() => padded, 9) }) }],
  ])('%s', async (_, metadata) => {
    const { status, told } = await replica.register({ ...web, ...metadata })
    expect({ status, told }).toMatchObject({ status: 400, told: { error: 'invalid_client_metadata' } })
    expect(told['error_description']).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,200}$/)
  })

  test('a way to authenticate that is not served here', async () => {
    const plain = await openReplica({ authenticationMethods: ['client_secret_basic', 'none'] })
    const metadata = keyed({ keys: [{ ...privateJwk, d: undefined }] })
    expect(await plain.register(metadata)).toMatchObject({ status: 400, told: { error: 'invalid_client_metadata' } })
    await plain.close()
  })

  test('software statements', async () => {
    const answer = await replica.register({ ...web, software_statement: 'eyJ.x.y' })
    expect(answer).toMatchObject({ status: 400, told: { error: 'invalid_software_statement' } })
  })
})

describe('a sector', () => {
  const metadata = { redirect_uris: ['https://a.example/', 'https://b.example/'], subject_type: 'pairwise' }

  test('is fetched, and must name every redirect URI', async () => {
    const { told } = await replica.register({ ...metadata, sector_identifier_uri: 'https://sector.example/all' })
    expect(await replica.find(String(told['client_id']))).toMatchObject({ pairwiseSector: 'sector.example' })
    for (const at of ['some', 'odd', 'none']) {
      const answer = await replica.register({ ...metadata, sector_identifier_uri: `https://sector.example/${at}` })
      expect(answer).toMatchObject({ status: 400, told: { error: 'invalid_client_metadata' } })
    }
    expect(fetched).toEqual(['all', 'some', 'odd', 'none'].map((at) => `https://sector.example/${at}`))
  })
})
