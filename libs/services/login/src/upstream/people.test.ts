import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createRemoteBreaker } from '@countersign/chassis'
import { Line } from './line.ts'
import { openIdFlow } from './openid.ts'
import type { GoogleProvider } from './provider.ts'
import { HostileProvider, type Members } from './testing/hostile-provider.ts'
import { json } from './testing/behaviour.ts'
import { oauth2, oidc, proof, Setting } from './testing/setting.ts'

let upstream: HostileProvider

beforeEach(async () => {
  upstream = await new HostileProvider().start()
})
afterEach(() => upstream.stop())

const asked = () => upstream.calls.map(({ endpoint }) => endpoint).join(' ')

describe('userinfo', () => {
  test('is asked for what is wanted and not in the ID token, and never says more than the ID token does', async () => {
    upstream.idToken = { email: undefined, email_verified: undefined, name: 'Ann of the token' }
    upstream.userinfo = { ...upstream.person, name: 'Ann of userinfo', sub: 'ann-1', amr: ['none'] }
    const { claims, amr } = await new Setting([oidc(upstream)]).signIn(upstream)
    expect(claims).toEqual({ name: 'Ann of the token', email: 'ann@example.org', email_verified: true })
    expect(amr).toEqual([])
    expect(asked()).toBe('discovery token keys userinfo')
  })

  test.each<[string, Members, object, boolean]>([
    ['a name that was asked for', { name: undefined }, {}, true],
    ['a name that was not', { name: undefined }, { scopes: ['openid', 'email'] }, false],
    ['an address that was not', { email: undefined }, { scopes: ['openid', 'profile'] }, false],
    ['roles', {}, { rolesClaim: ['groups'] }, true],
    ['roles that are there', { groups: [] }, { rolesClaim: ['groups'] }, false],
    ['an attribute', {}, { attributes: { unit: 'org.unit' } }, true],
  ])('for want of %s', async (_, idToken, over, isAsked) => {
    upstream.idToken = idToken
    await new Setting([oidc(upstream, over)]).signIn(upstream)
    expect(upstream.callsTo('userinfo')).toBe(isAsked ? 1 : 0)
  })

  test.each([{ sub: 'bob-2' }, { sub: 'Ann-1' }, { sub: undefined }, { sub: 7 }])(
    'of another sub, %j',
    async (over) => {
      upstream.idToken = { email: undefined }
      upstream.userinfo = { ...upstream.person, ...over }
      const refused = new Setting([oidc(upstream)]).signIn(upstream)
      await expect(refused).rejects.toMatchObject({ code: 'invalid_request' })
    },
  )

  test('is done without where there is none', async () => {
    upstream.idToken = { email: undefined }
    upstream.metadata = { userinfo_endpoint: undefined, authorization_response_iss_parameter_supported: undefined }
    upstream.callback = { iss: undefined }
    const person = await new Setting([oidc(upstream)]).signIn(upstream)
    expect(person).toMatchObject({ email: undefined, label: 'Ann Example', claims: { name: 'Ann Example' } })
  })
})

describe('roles of Keycloak', () => {
  const rolesClaim = ['realm_access.roles', 'resource_access.countersign.roles', 'groups']
  const inToken: Members = {
    realm_access: { roles: ['staff'] },
    resource_access: { countersign: { roles: ['editor'] }, other: { roles: ['owner'] } },
    azp: 'countersign',
    aud: 'account',
    typ: 'Bearer',
  }
  const setting = (over = {}) => new Setting([oidc(upstream, { rolesClaim, accessTokenClaims: true, ...over })])
  const seal = (over: Members, header = {}) => {
    upstream.accessToken = (claims) => upstream.keys.sign({ ...claims, ...inToken, ...over }, header)
  }

  beforeEach(() => {
    upstream.idToken = { groups: ['/physics'] }
  })

  test('are read from its access token as well, where that is wanted', async () => {
    seal({})
    expect((await setting().signIn(upstream)).roles).toEqual(['/physics', 'staff', 'editor'])
    expect(upstream.callsTo('userinfo')).toBe(0)
    expect((await setting({ accessTokenClaims: false }).signIn(upstream)).roles).toEqual(['/physics'])
  })

  test.each<[string, Members, object]>([
    ['of another client', { azp: 'somebody' }, {}],
    ['of another client by client_id', { azp: undefined, client_id: 'somebody' }, {}],
    ['of no client', { azp: undefined }, {}],
    ['of somebody else', { sub: 'bob-2' }, {}],
    ['of another issuer', { iss: 'https://issuer.example' }, {}],
    ['that is expired', { exp: 1 }, {}],
    ['without exp', { exp: undefined }, {}],
    ['under an unknown key', {}, { kid: 'k9' }],
    ['with another algorithm', {}, { alg: 'RS256' }],
  ])('are not read from one %s, which is logged', async (_, claims, header) => {
    seal(claims, header)
    const made = setting()
    expect((await made.signIn(upstream)).roles).toEqual(['/physics'])
    expect(made.logged()).toContain('the access token is not taken')
  })

  test.each<[string, () => void]>([
    ['is opaque', () => undefined],
    ['has no signature', () => (upstream.accessToken = (c) => upstream.keys.unsecured({ ...c, ...inToken }))],
    [
      'is signed with our public key',
      () => (upstream.accessToken = (c) => upstream.keys.confused({ ...c, ...inToken })),
    ],
  ])('are not read from one that %s', async (_, turn) => {
    turn()
    expect((await setting().signIn(upstream)).roles).toEqual(['/physics'])
  })
})

describe('an e-mail address', () => {
  test.each<[string, Members, object, string | undefined]>([
    ['is trusted when it is verified', { email_verified: true }, {}, 'ann@example.org'],
    ['is not when it is not', { email_verified: false }, {}, undefined],
    ['is not when nothing is said of it', { email_verified: undefined }, {}, undefined],
    ['is when the operator says so', { email_verified: false }, { trustEmail: true }, 'ann@example.org'],
  ])('%s', async (_, idToken, over, email) => {
    upstream.idToken = idToken
    const person = await new Setting([oidc(upstream, over)]).signIn(upstream)
    expect(person.email).toBe(email)
    expect(person.claims).toMatchObject({ email: 'ann@example.org', email_verified: email !== undefined })
  })

  test.each<[string, Members, boolean]>([
    ['in one of the domains', { email: 'ann@EXAMPLE.org' }, true],
    ['in another of them', { email: 'ann@KELVIN.example' }, true],
    ['in one with a letter whose small one is theirs', { email: 'ann@\u212aelvin.example' }, false],
    ['in another', { email: 'ann@evil.example' }, false],
    ['in a domain within', { email: 'ann@a.example.org' }, false],
    ['in a domain that ends alike', { email: 'ann@notexample.org' }, false],
    ['that is not verified', { email_verified: false }, false],
    ['that is none', { email: 7 }, false],
  ])('%s may or may not sign in', async (_, idToken, may) => {
    upstream.idToken = idToken
    const signingIn = new Setting([oidc(upstream, { emailDomains: ['example.org', 'kelvin.example'] })]).signIn(
      upstream,
    )
    if (may) await expect(signingIn).resolves.toMatchObject({ subject: 'ann-1' })
    else await expect(signingIn).rejects.toMatchObject({ code: 'access_denied', message: expect.any(String) })
  })
})

describe('with Google', () => {
  const provider = (): GoogleProvider => {
    const { issuer: _issuer, accessTokenClaims: _claims, ...registration } = oidc(upstream)
    return { ...registration, kind: 'google', hostedDomain: 'example.org' }
  }
  const flow = () => {
    const reach = { allowLoopback: true }
    const now = Date.now
    const line = new Line(provider(), { reach, now, breaker: createRemoteBreaker(), pem: () => '' })
    return openIdFlow({ provider: provider(), issuer: upstream.issuer, line, reach, now, warn: () => undefined })
  }

  test('the scope is narrow, and only the hosted domain’s claim lets in', async () => {
    const made = flow()
    const url = await made.begin(proof('google'))
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ scope: 'openid email', hd: 'example.org' })
    const finish = () => made.finish({ ...proof('google'), callback: upstream.authorize(url) })
    upstream.idToken = { hd: 'example.org', name: undefined }
    expect(await finish()).toMatchObject({ issuer: 'https://accounts.google.com', email: 'ann@example.org' })
    expect(upstream.callsTo('userinfo')).toBe(0)
    expect(upstream.calls.find(({ endpoint }) => endpoint === 'token')!.form.has('client_secret')).toBe(true)
    for (const hd of [undefined, 'evil.example', ['example.org'], 'example.org.evil.example']) {
      upstream.idToken = { hd, email: 'ann@example.org' }
      await expect(finish()).rejects.toMatchObject({ code: 'access_denied' })
    }
  })
})

test('providers are listed in the order of the configuration, by the names that people know', async () => {
  const google: GoogleProvider = { ...oidc(upstream), kind: 'google', id: 'g' }
  const { upstreams } = new Setting([oauth2(upstream, { name: 'The hub' }), google, oidc(upstream)])
  expect(upstreams.list()).toEqual([
    { id: 'hub', name: 'The hub', kind: 'oauth2' },
    { id: 'g', name: 'Google', kind: 'google' },
    { id: 'oidc', name: 'oidc', kind: 'oidc' },
  ])
  expect([upstreams.has('g'), upstreams.has('local')]).toEqual([true, false])
  await expect(upstreams.begin('local', proof('local'))).rejects.toMatchObject({ code: 'not_found' })
  upstream.misbehaviour.discovery = json({}, 500)
  expect(upstream.calls).toEqual([])
})
