import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { HostileProvider, type Members } from './testing/hostile-provider.ts'
import { json, text, type Behaviour } from './testing/behaviour.ts'
import { github, oauth2, oidc, proof, Setting } from './testing/setting.ts'

let upstream: HostileProvider

beforeEach(async () => {
  upstream = await new HostileProvider().start()
  // Nothing of OpenID Connect but an ID token that nobody asked for.
  upstream.callback = { iss: undefined }
  upstream.sealing = () => 'no.ID.token'
})
afterEach(() => upstream.stop())

const form = (answer: Record<string, string>): Behaviour =>
  text(String(new URLSearchParams(answer)), 200, 'application/x-www-form-urlencoded; charset=utf-8')
const endpoints = () => upstream.calls.map(({ endpoint }) => endpoint).join(' ')

describe('signing in with an OAuth 2.0 provider', () => {
  test('has state and PKCE, one token call, and who it is from userinfo', async () => {
    const setting = new Setting([oauth2(upstream, { scopes: ['who', 'mail'] })])
    const { searchParams } = await setting.upstreams.begin('hub', {
      ...proof('hub'),
      loginHint: 'ann',
      prompt: 'login',
    })
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: 'countersign',
      response_type: 'code',
      redirect_uri: 'https://login.example/login/callback/hub',
      scope: 'who mail',
      state: proof('hub').state,
      code_challenge: expect.any(String),
      code_challenge_method: 'S256',
    })
    expect(await setting.signIn(upstream, 'hub')).toEqual({
      provider: 'hub',
      issuer: 'urn:countersign:provider:hub',
      subject: 'sub:ann-1',
      claims: { name: 'Ann Example', email: 'ann@example.org', email_verified: true },
      email: 'ann@example.org',
      label: 'ann@example.org',
      roles: [],
      attributes: [],
      amr: [],
      acr: '',
    })
    expect(endpoints()).toBe('token userinfo')
    expect(upstream.calls[1]!.headers.authorization).toMatch(/^Bearer [\w-]{32}$/)
    expect(await setting.upstreams.signOutUrl('hub', { returnTo: 'https://login.example/' })).toBeUndefined()
  })

  test.each([
    ['form', /^$/, 'a-secret of the test'],
    ['basic', /^Basic /, null],
  ] as const)('sends the secret by %s', async (clientAuthentication, header, field) => {
    const setting = new Setting([oauth2(upstream, { clientAuthentication })])
    await setting.signIn(upstream, 'hub')
    const [{ headers, form: sent }] = upstream.calls as [(typeof upstream.calls)[0]]
    expect(headers.authorization ?? '').toMatch(header)
    expect(sent.get('client_secret')).toBe(field)
  })

  test('takes token answers that are forms, or say nothing of their type', async () => {
    const setting = new Setting([oauth2(upstream)])
    upstream.misbehaviour.token = form({ access_token: 'gho_x', token_type: 'bearer', scope: 'a,b' })
    await setting.signIn(upstream, 'hub')
    expect(upstream.calls.at(-1)!.headers.authorization).toBe('Bearer gho_x')
    upstream.misbehaviour.token = json({ access_token: 'x' })
    await expect(setting.signIn(upstream, 'hub')).resolves.toMatchObject({ provider: 'hub' })
  })

  test.each<[string, Behaviour, string]>([
    ['a form with an error', form({ error: 'bad_verification_code', error_description: 'x' }), 'invalid_request'],
    ['an error with 200', json({ error: 'invalid_grant' }), 'invalid_request'],
    ['400 and nothing else', text('', 400), 'invalid_request'],
    ['no token', json({ token_type: 'bearer' }), 'unavailable'],
    ['a token that is a map', json({ access_token: {}, token_type: 'bearer' }), 'unavailable'],
    ['a token of another type', json({ access_token: 'x', token_type: 'mac' }), 'invalid_request'],
    ['a token with a line break', json({ access_token: 'x\r\ny: z', token_type: 'bearer' }), 'unavailable'],
  ])('takes %s for what it is', async (_, behaviour, code) => {
    upstream.misbehaviour.token = behaviour
    await expect(new Setting([oauth2(upstream)]).signIn(upstream, 'hub')).rejects.toMatchObject({ code })
    expect(endpoints()).toBe('token')
  })

  test.each<[Record<string, string | undefined>]>([
    [{ state: 'of another browser' }],
    [{ state: undefined }],
    [{ code: undefined }],
    [{ error: 'invalid_scope', code: undefined }],
  ])('makes no token call for a callback with %j', async (over) => {
    const signingIn = new Setting([oauth2(upstream)]).signIn(upstream, 'hub', over)
    await expect(signingIn).rejects.toMatchObject({ code: 'invalid_request' })
    expect(upstream.calls).toEqual([])
  })

  test('compares iss where it knows an issuer, and knows that of another where not', async () => {
    const issuer = 'https://hub.example'
    const named = new Setting([oauth2(upstream, { issuer })])
    expect(await named.signIn(upstream, 'hub', { iss: issuer })).toMatchObject({ issuer })
    await expect(named.signIn(upstream, 'hub', { iss: `${issuer}/` })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    const other = oidc(upstream, { issuer })
    const unnamed = new Setting([oauth2(upstream), other])
    await expect(unnamed.signIn(upstream, 'hub', { iss: issuer })).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await unnamed.signIn(upstream, 'hub', { iss: 'https://unknown.example' })).toMatchObject({ provider: 'hub' })
    expect(upstream.callsTo('token')).toBe(2)
  })
})

describe('who somebody is there', () => {
  const email = 'ann@example.org'
  test.each<[string, Members, object]>([
    ['sub:7', { sub: '7', id: 8, email }, {}],
    ['id:8', { id: 8, email }, {}],
    ['id:0', { id: 0 }, {}],
    ['id:8', { sub: null, id: '8' }, {}],
    ['email:ann@example.org', { email }, {}],
    ['email:ann@example.org', { mail: email }, { emailField: 'mail' }],
    ['data.id:u1', { data: { id: 'u1' }, id: 9, sub: 's' }, { subjectField: 'data.id' }],
    ['email:ann@example.org', { email, id: 9 }, { subjectField: 'email' }],
  ])('is %s', async (subject, userinfo, over) => {
    upstream.userinfo = userinfo
    expect((await new Setting([oauth2(upstream, over)]).signIn(upstream, 'hub')).subject).toBe(subject)
  })

  test.each<[string, Members, object]>([
    ['nothing', {}, {}],
    ['a name', { name: 'Ann' }, {}],
    ['a number that is cut', { id: 2 ** 53 }, {}],
    ['half a number', { id: 0.5, email }, {}],
    ['a map', { sub: {}, email }, {}],
    ['an empty text', { sub: '', id: 8, email }, {}],
    ['a text of two lines', { sub: 'a\nb', id: 8 }, {}],
    ['a text of 256 characters', { id: 'x'.repeat(256), email }, {}],
    ['another field than the one', { id: 8, sub: '7', email }, { subjectField: 'uid' }],
    ['an address that is not confirmed', { email, email_verified: false }, {}],
    ['such an address by another name', { mail: email, email, email_verified: false }, { subjectField: 'mail' }],
  ])('is not said by %s', async (_, userinfo, over) => {
    upstream.userinfo = userinfo
    const signingIn = new Setting([oauth2(upstream, over)]).signIn(upstream, 'hub')
    await expect(signingIn).rejects.toMatchObject({ code: 'access_denied' })
  })

  test('comes with roles and attributes of the same answer, and an address trusted unless it is said not to be', async () => {
    upstream.userinfo = { id: 8, mail: email, nick: 'Ann', teams: ['a', 'b'], org: { unit: 'physics' } }
    const over = { emailField: 'mail', nameField: 'nick', rolesClaim: ['teams'], attributes: { unit: 'org.unit' } }
    const setting = new Setting([oauth2(upstream, over)])
    expect(await setting.signIn(upstream, 'hub')).toMatchObject({
      email,
      claims: { name: 'Ann', email, email_verified: true },
      roles: ['a', 'b'],
      attributes: [{ name: 'unit', values: ['physics'] }],
    })
    upstream.userinfo = { ...upstream.userinfo, email_verified: false }
    const person = await setting.signIn(upstream, 'hub')
    expect(person.email).toBeUndefined()
    expect(person.claims).toMatchObject({ email, email_verified: false })
  })
})

describe('signing in with GitHub', () => {
  test('asks for the primary verified address where the profile has none', async () => {
    const setting = new Setting([github(upstream)])
    const url = await setting.upstreams.begin('github', proof('github'))
    expect(url.pathname).toBe('/login/oauth/authorize')
    expect(url.searchParams.get('scope')).toBe('read:user user:email')
    upstream.misbehaviour.token = form({ access_token: 'gho_x', token_type: 'bearer' })
    expect(await setting.signIn(upstream, 'github')).toMatchObject({
      issuer: 'urn:countersign:provider:github',
      subject: '583231',
      email: 'ann@example.org',
      claims: { name: 'Ann Example', preferred_username: 'ann', email_verified: true },
    })
    expect(endpoints()).toBe('token user emails')
    upstream.user = { ...upstream.user, email: 'public@example.org' }
    expect((await setting.signIn(upstream, 'github')).email).toBe('public@example.org')
    expect(upstream.callsTo('emails')).toBe(1)
  })

  test.each<[unknown]>([[[]], [{}], [7], [[null, 7]], [[{ email: 'a@b', primary: true, verified: false }]]])(
    'has no address where the answer is %j',
    async (emails) => {
      upstream.emails = emails
      expect((await new Setting([github(upstream)]).signIn(upstream, 'github')).email).toBeUndefined()
    },
  )

  test.each([{ id: '583231' }, { id: undefined }, { id: 2 ** 60 }])('is refused where the id is %j', async (over) => {
    upstream.user = { ...upstream.user, ...over }
    const signingIn = new Setting([github(upstream)]).signIn(upstream, 'github')
    await expect(signingIn).rejects.toMatchObject({ code: 'access_denied' })
  })

  test('does not ask for addresses with scopes that do not let it', async () => {
    const person = await new Setting([github(upstream, { scopes: ['read:user'] })]).signIn(upstream, 'github')
    expect(person).toMatchObject({ email: undefined, label: 'ann' })
    expect(upstream.callsTo('emails')).toBe(0)
  })
})
