import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Browser } from '../testing/browser.ts'
import { answer, client } from '../testing/fake-authorization.ts'
import { openWorld, password, type World } from '../testing/world.ts'

let world: World
let browser: Browser
beforeEach(async () => {
  world = await openWorld()
  await world.addAccount('alice')
  browser = new Browser(world.origin)
  const scopes = [{ scope: 'email', description: '' }]
  for (const id of ['r1', 'r2'])
    world.authorization.waiting.set(id, { client: client(), asks: true, scopes, end: answer('https://app.example/cb') })
})
afterEach(() => world.close())

async function signIn(path: string, as = browser) {
  const { fields } = await as.open(path)
  return as.send('/login', { ...fields, login_name: 'alice', password })
}

describe('a form', () => {
  const without = ({ csrf: _csrf, ...fields }: Record<string, string>) => fields

  test('without its token is refused, before anything is looked at', async () => {
    const { fields } = await browser.open('/login?request=r1')
    const before = world.service.stats().passwordHashes
    const filled = { ...without(fields), login_name: 'alice', password }
    expect((await browser.send('/login', filled)).status).toBe(403)
    expect((await browser.send('/login', { ...filled, csrf: 'x'.repeat(43) })).status).toBe(403)
    expect(world.service.stats().passwordHashes).toBe(before)
    await signIn('/login?request=r1')
    const consent = await browser.open('/consent?request=r1')
    expect((await browser.send('/consent', { ...without(consent.fields), decision: 'allow' })).status).toBe(403)
    const own = await browser.open('/login')
    expect((await browser.send('/logout', { ...without(own.fields), decision: 'leave' })).status).toBe(403)
    const device = await browser.open('/device')
    expect((await browser.send('/device', { ...without(device.fields), user_code: 'BCDFGHJK' })).status).toBe(403)
    const setup = await browser.open('/setup?token=the-setup-token')
    expect((await browser.send('/setup', without(setup.fields))).status).toBe(403)
    expect(world.authorization.agreed).toEqual([])
    expect(world.authorization.sessions.size).toBe(1)
  })

  test('of another transaction is refused', async () => {
    const { fields } = await browser.open('/login?request=r1')
    const filled: Record<string, string> = { ...fields, login_name: 'alice', password }
    expect((await browser.send('/login', { ...filled, request: 'r2' })).status).toBe(403)
    const { request: _request, ...errandless } = filled
    expect((await browser.send('/login', errandless)).status).toBe(403)
    await signIn('/login?request=r1')
    const consent = await browser.open('/consent?request=r1')
    expect((await browser.send('/consent', { ...consent.fields, request: 'r2', decision: 'allow' })).status).toBe(403)
    expect((await browser.send('/consent', { ...consent.fields, decision: 'allow' })).status).toBe(303)
  })

  test('of another browser, or of one without cookies, is refused', async () => {
    const { fields } = await browser.open('/login?request=r1')
    const other = new Browser(world.origin)
    await other.open('/login?request=r1')
    const filled = { ...fields, login_name: 'alice', password }
    expect((await other.send('/login', filled)).status).toBe(403)
    expect((await new Browser(world.origin).send('/login', filled)).status).toBe(403)
    expect((await browser.send('/login', filled)).status).toBe(303)
  })

  test('of consent is refused once somebody else has signed in', async () => {
    await signIn('/login?request=r1')
    const { fields } = await browser.open('/consent?request=r1')
    const login = new Browser(world.origin)
    await signIn('/login', login)
    browser.cookies.set('cs_session', login.cookies.get('cs_session')!)
    expect((await browser.send('/consent', { ...fields, decision: 'allow' })).status).toBe(403)
  })

  test.each([
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'http://localhost:8080.evil.example' }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, 303],
    [{ 'sec-fetch-site': 'none' }, 303],
    [{ origin: 'http://localhost:8080' }, 303],
  ])('with the headers %j gets %i', async (headers: Record<string, string>, status) => {
    const { fields } = await browser.open('/login')
    const filled = { ...fields, login_name: 'alice', password }
    expect((await browser.send('/login', filled, headers)).status).toBe(status)
  })
})

describe('the cookies', () => {
  const attributesOf = (lines: string[], name: string) =>
    lines
      .find((line) => line.startsWith(`${name}=`))
      ?.split('; ')
      .slice(1)

  async function cookiesOn(issuer: string, persistent = false) {
    const session = { persistent, idleMs: 60_000, absoluteMs: 3_600_000 }
    const other = await openWorld({ issuer, session })
    try {
      await other.addAccount('alice')
      const visitor = new Browser(other.origin)
      const page = await visitor.open('/login')
      const signedIn = await visitor.send('/login', { ...page.fields, login_name: 'alice', password })
      const signedOut = await visitor.send('/logout', { ...(await visitor.open('/login')).fields, decision: 'leave' })
      return [page, signedIn, signedOut].map(({ setCookies }) => setCookies)
    } finally {
      await other.close()
    }
  }

  test('on https belong to this host alone, and no script reads them', async () => {
    const [page, signedIn, signedOut] = await cookiesOn('https://id.example')
    const attributes = ['Path=/', 'HttpOnly', 'SameSite=Lax', 'Secure']
    expect(attributesOf(page!, '__Host-cs_browser')).toEqual(attributes)
    expect(attributesOf(signedIn!, '__Host-cs_session')).toEqual(attributes)
    expect(attributesOf(signedOut!, '__Host-cs_session')).toEqual([...attributes, 'Max-Age=0'])
  })

  test('on http are as strict as http lets them be', async () => {
    const [page, signedIn, signedOut] = await cookiesOn('http://localhost:8080')
    const attributes = ['Path=/', 'HttpOnly', 'SameSite=Lax']
    expect(attributesOf(page!, 'cs_browser')).toEqual(attributes)
    expect(attributesOf(signedIn!, 'cs_session')).toEqual(attributes)
    expect(attributesOf(signedOut!, 'cs_session')).toEqual([...attributes, 'Max-Age=0'])
  })

  test('outlive the browser where sessions shall', async () => {
    const [, signedIn] = await cookiesOn('https://id.example', true)
    expect(attributesOf(signedIn!, '__Host-cs_session')).toContain('Max-Age=3600')
  })

  test.each(['', 'x', '!'.repeat(44), Buffer.alloc(33, 255).toString('base64url')])(
    'that hold something else (%j) name no session',
    async (value) => {
      browser.cookies.set('cs_session', value)
      expect((await signIn('/login')).status).toBe(303)
      expect(world.authorization.signIns[0]!.previous).toBeUndefined()
    },
  )

  test('that are there twice name no session: one of them is not ours', async () => {
    await signIn('/login')
    const cookie = `cs_session=${browser.cookies.get('cs_session')}; cs_session=${Buffer.alloc(33).toString('base64url')}`
    const page = await new Browser(world.origin).open('/login', { headers: { cookie } })
    expect(page.text).toContain('<h1>Sign in</h1>')
  })
})

describe('every page', () => {
  test.each([
    '/login',
    '/login?request=r1',
    '/login?request=gone',
    '/device',
    '/setup?token=the-setup-token',
    '/consent',
  ])('%s is kept by nobody, framed by nobody, and tells nobody where it was', async (path) => {
    const { headers } = await browser.open(path)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-frame-options')).toBe('DENY')
    const policy = headers.get('content-security-policy')!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
  })

  test('that sends the browser on is kept by nobody either', async () => {
    const { status, headers } = await signIn('/login')
    expect([status, headers.get('cache-control'), headers.get('referrer-policy')]).toEqual([
      303,
      'no-store',
      'no-referrer',
    ])
  })
})
