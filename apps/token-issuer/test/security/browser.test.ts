import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ask, Visitor } from '@countersign/servers'
import { letIn } from '../clients/person.ts'
import { send } from './proofs.ts'
import { callback, challenge, outcomeOf, person, Setting, type Tokens } from './setting.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const initialToken = 'an-initial-access-token-of-forty-characters'
const signedOut = 'https://app.example/signed-out'

describe('what browsers bring is withstood', () => {
  let setting: Setting
  beforeAll(async () => {
    const registration = `registration: { enabled: true, initial_access_tokens: [${initialToken}], scopes: [openid] }`
    setting = await Setting.start(registration, [
      `{ id: television, public: true, grants: ['${deviceGrant}'], scopes: [openid], audience: [reports] }`,
      `{ id: leaving, public: true, consent: false, redirect_uris: ['${callback}'], post_logout_redirect_uris: ['${signedOut}'], grants: [authorization_code], scopes: [openid] }`,
    ])
  }, 60_000)
  afterAll(() => setting?.stop())

  const signedIn = async (): Promise<Visitor> => {
    const visitor = new Visitor(setting.at.issuerUrl)
    await visitor.go('/login')
    await visitor.submit({ login_name: person.loginName, password: person.password })
    return visitor
  }
  const isSignedIn = async (visitor: Visitor): Promise<boolean> => {
    await visitor.go(`${setting.at.issuerUrl}/login`)
    return visitor.reply.text.includes('You are signed in')
  }
  const begin = async () => {
    const begun = await send(setting, 'television', {}, { path: '/oauth2/device_authorization' })
    return begun.json<{ device_code: string; user_code: string }>()
  }
  const poll = async (code: string) =>
    outcomeOf(await send(setting, 'television', { grant_type: deviceGrant, device_code: code }))

  test('line breaks in whatever is sent back: one Location, and one line', async () => {
    for (const name of ['state', 'scope', 'prompt', 'resource', 'response_mode']) {
      const { headers, status } = await setting.authorize({ [name]: 'x\r\nset-cookie: a=b\r\n\r\n<script>' })
      expect([name, status, headers['set-cookie']]).toEqual([name, 303, undefined])
      expect(String(headers['location'])).toMatch(/^[\x21-\x7e]+$/)
    }
  })

  test('a session that somebody else has put there is not the one after signing in', async () => {
    const planted = (await signedIn()).cookies.get('cs_session')!
    for (const value of [planted, 'A'.repeat(44), 'x']) {
      const visitor = new Visitor(setting.at.issuerUrl)
      await visitor.go(setting.url({ prompt: 'login' }))
      visitor.cookies.set('cs_session', value)
      await visitor.go(setting.url({ prompt: 'login' }))
      await visitor.submit({ login_name: person.loginName, password: person.password })
      expect(visitor.cookies.get('cs_session')).not.toBe(value)
    }
    const thief = new Visitor(setting.at.issuerUrl)
    thief.cookies.set('cs_session', planted)
    expect(await isSignedIn(thief)).toBe(false)
  })

  test('what a person unticks is not given, not even silently and not if it was agreed to before', async () => {
    const asked = { client_id: 'asking', scope: 'openid read:reports' }
    const visitor = await signedIn()
    await visitor.go(setting.url(asked))
    expect(await visitor.submit({ decision: 'allow' })).toContain('code=')
    expect(await visitor.go(setting.url({ ...asked, prompt: 'none' }))).toContain('code=')
    await visitor.go(setting.url({ ...asked, prompt: 'consent' }))
    const [form] = visitor.forms()
    const { 'scope:read:reports': unticked, ...fields } = form!.fields
    expect(unticked).toBe('on')
    const end = await visitor.go(form!.action, { ...fields, decision: 'allow' })
    const code = new URL(end).searchParams.get('code')!
    expect((await setting.redeem(code, {}, 'asking')).json<Tokens>().scope).toBe('openid')
    expect(await visitor.go(setting.url({ ...asked, prompt: 'none' }))).toContain('error=consent_required')
  })

  test('prompt=none with a hint of somebody else, or an age that is over', async () => {
    const claims = JSON.stringify({ id_token: { sub: { value: 'somebody-else' } } })
    for (const more of [{ claims }, { max_age: '0' }]) {
      const answer = await setting.answer({ prompt: 'none', ...more })
      expect([more, answer.get('error'), answer.get('code')]).toEqual([more, 'login_required', null])
    }
  })

  test('a pushed hint is checked when it is pushed, and counts without being kept', async () => {
    const push = (hint: string) =>
      send(
        setting,
        'web',
        {
          ...{ response_type: 'code', redirect_uri: callback, scope: 'openid', prompt: 'none', id_token_hint: hint },
          ...{ code_challenge: challenge, code_challenge_method: 'S256' },
        },
        { path: '/oauth2/par' },
      )
    expect(outcomeOf(await push('eyJhbGciOiJub25lIn0.e30.'))).toBe('400 invalid_request')
    const { id_token: hint } = (await setting.tokens()) as Tokens & { id_token: string }
    const use = async (visitor: Visitor) => {
      const { request_uri: uri } = (await push(hint)).json<{ request_uri: string }>()
      const query = new URLSearchParams({ client_id: 'web', request_uri: uri })
      return visitor.go(`${setting.at.issuerUrl}/oauth2/authorize?${query}`)
    }
    expect(await use(setting.visitor)).toContain('code=')
    expect(await use(new Visitor(setting.at.issuerUrl))).toContain('error=login_required')
  })

  test('a sign-out that nobody asked for, and one that leads elsewhere', async () => {
    const visitor = await signedIn()
    const leave = (query: Record<string, string>) =>
      visitor.go(`${setting.at.issuerUrl}/oauth2/logout?${new URLSearchParams(query)}`)
    for (const uri of ['https://evil.example/', `${signedOut}/`, `${signedOut}?x`, 'javascript:alert(1)', callback]) {
      await leave({ client_id: 'leaving', post_logout_redirect_uri: uri })
      expect([uri, visitor.reply.status]).toEqual([uri, 400])
    }
    await leave({ post_logout_redirect_uri: signedOut })
    expect(visitor.reply.status).toBe(400)
    // Another session's ID token does not prove that this one is meant.
    const { id_token: other } = (await setting.tokens()) as Tokens & { id_token: string }
    await leave({ id_token_hint: other })
    expect(visitor.reply.text).toContain('Sign out?')
    await leave({ client_id: 'leaving', post_logout_redirect_uri: signedOut })
    expect(visitor.reply.text).toContain('Sign out?')
    expect(await isSignedIn(visitor)).toBe(true)
  })

  test('a redirect_uri that its application gave up while the person was asked', async () => {
    const register = (method: string, path: string, token: string, body: object) =>
      ask(`${setting.at.issuerUrl}/oauth2/register${path}`, {
        method,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      })
    const metadata = { redirect_uris: [callback], token_endpoint_auth_method: 'none' }
    const registered = await register('POST', '', initialToken, metadata)
    const { client_id: id, registration_access_token: token } = registered.json<Record<string, string>>()
    const visitor = await signedIn()
    await visitor.go(setting.url({ client_id: id, scope: 'openid' }))
    expect(visitor.reply.text).toContain('Allow access?')
    const changed = { ...metadata, client_id: id, redirect_uris: ['https://new.example/cb'] }
    expect((await register('PUT', `/${id}`, token!, changed)).status).toBe(200)
    const end = await visitor.submit({ decision: 'allow' })
    expect([visitor.reply.status, end.includes('code=')]).toEqual([404, false])
  })

  test('a user code that is used twice, and a device that was let in once', async () => {
    const { device_code: device, user_code: shown } = await begin()
    expect(await poll(device)).toBe('400 authorization_pending')
    expect(await letIn(new Visitor(setting.at.issuerUrl), '/device', shown)).toContain('Your device is connected')
    const late = await signedIn()
    await late.go(`/device?user_code=${shown}`)
    expect(late.reply.status).toBe(404)
    const polls = await Promise.all(Array.from({ length: 10 }, () => poll(device)))
    expect(polls.filter((outcome) => outcome === '200')).toHaveLength(1)
    expect(await poll(device)).toBe('400 expired_token')
    expect(await poll((await begin()).device_code.slice(0, -1))).toBe('400 invalid_grant')
  })

  // The last one: it uses up the attempts of this address.
  test('user codes that are guessed, at whatever page', async () => {
    const { user_code: shown } = await begin()
    const statuses: number[] = []
    for (let n = 0; n < 30; n++) {
      const page = ['login', 'consent', 'device'][n % 3]
      statuses.push((await setting.send(`/${page}?user_code=BCDFGHJ${'BCDFGHJKLM'[n % 10]}`, {})).status)
    }
    expect(statuses.filter((status) => status === 404).length).toBeLessThanOrEqual(10)
    for (const page of ['login', 'consent', 'device']) {
      expect((await setting.send(`/${page}?user_code=${shown}`, {})).status).toBe(429)
    }
  })
})
