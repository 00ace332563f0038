import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Browser, type Page } from '../testing/browser.ts'
import { answer, client, done } from '../testing/fake-authorization.ts'
import { openWorld, password, type World } from '../testing/world.ts'

let world: World
let browser: Browser
beforeEach(async () => {
  world = await openWorld()
  await world.addAccount('alice')
  browser = new Browser(world.origin)
})
afterEach(() => world.close())

const hostile = `"><script>alert(1)</script>`

/** As a browser does: follows redirects within the service. */
async function follow(page: Page): Promise<Page> {
  for (let hops = 0; hops < 5 && page.location !== null && !page.location.includes('://'); hops++)
    page = await browser.open(`/${page.location}`)
  return page
}

async function signIn(path: string): Promise<Page> {
  const { fields } = await browser.open(path)
  return follow(await browser.send('/login', { ...fields, login_name: 'alice', password }))
}

describe('consent', () => {
  const scopes = [
    { scope: 'openid', description: '' },
    { scope: 'email', description: '' },
    { scope: 'read:reports', description: 'Read reports' },
    { scope: 'odd', description: '' },
  ]
  beforeEach(() => {
    const back = answer('https://app.example/cb?code=1')
    const denied = answer('https://app.example/cb?error=access_denied')
    world.authorization.waiting.set('r1', { client: client(), asks: true, scopes, end: back, denied })
  })

  test('is asked for in words, and gives what was left ticked', async () => {
    const page = await signIn('/login?request=r1')
    for (const words of ['See your e-mail address', 'Read reports', 'odd', 'Know who you are', '<bdi>alice</bdi>'])
      expect(page.text).toContain(words)
    expect(page.text.match(/type="checkbox"/g)).toHaveLength(3)
    expect(page.text).toContain('href="https://app.example/privacy"')
    const { 'scope:email': _unticked, ...fields } = page.fields
    const sent = await browser.send('/consent', { ...fields, decision: 'allow' })
    expect([sent.status, sent.location]).toEqual([303, 'https://app.example/cb?code=1'])
    expect(world.authorization.agreed).toEqual([['openid', 'read:reports', 'odd']])
  })

  test('can be refused, and must be decided', async () => {
    const { fields } = await signIn('/login?request=r1')
    expect((await browser.send('/consent', fields)).status).toBe(400)
    const sent = await browser.send('/consent', { ...fields, decision: 'deny' })
    expect([sent.status, sent.location]).toEqual([303, 'https://app.example/cb?error=access_denied'])
    expect(world.authorization.agreed).toEqual([])
  })

  test('shows what applications say of themselves as text, and links to the web alone', async () => {
    const asker = client({ name: hostile, registeredItself: true, tosUri: 'javascript:alert(1)', policyUri: '' })
    const end = answer('https://app.example/cb')
    const odd = [{ scope: 'x"y', description: hostile }]
    world.authorization.waiting.set('r2', { client: asker, loginHint: hostile, asks: true, scopes: odd, end })
    const signInPage = await browser.open('/login?request=r2')
    expect(signInPage.fields.login_name).toBe(hostile)
    const page = await signIn('/login?request=r2')
    expect(page.text).toContain('registered itself')
    for (const { text } of [signInPage, page]) expect(text).not.toMatch(/<script>alert|javascript:/)
    expect(page.fields).toHaveProperty('scope:x"y')
  })

  test('that is posted back carries its fields escaped, also after signing in', async () => {
    const end = answer('https://app.example/cb', [
      { name: 'state', value: hostile },
      { name: 'code', value: 'c1' },
    ])
    world.authorization.waiting.set('r3', { end })
    const page = await signIn('/login?request=r3')
    expect(page.status).toBe(200)
    expect(page.fields).toEqual({ state: hostile, code: 'c1' })
    expect(page.text).toContain('action="https://app.example/cb"')
    expect(page.text).not.toContain('<script>alert')
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'sha256-[^']+';/)
  })
})

describe('a device', () => {
  beforeEach(() => {
    const scopes = [{ scope: 'email', description: '' }]
    const ends = { end: done('device_allowed'), denied: done('device_denied') }
    world.authorization.waiting.set('BCDFGHJK', { client: client(), asks: true, scopes, userCode: 'BCDFGHJK', ...ends })
  })

  test.each(['bcdf-ghjk', 'BCDFGHJK', ' b c d f — g h j k '])(
    'is let in by the code %j, shown again',
    async (typed) => {
      const { fields } = await browser.open('/device')
      const page = await follow(await browser.send('/device', { ...fields, user_code: typed }))
      expect(page.text).toContain('<h1>Sign in</h1>')
      const sent = await browser.send('/login', { ...page.fields, login_name: 'alice', password })
      expect(sent.location).toBe('device?user_code=BCDFGHJK')
      const consent = await follow(sent)
      expect(consent.text).toContain('BCDF-GHJK')
      const end = await browser.send('/consent', { ...consent.fields, decision: 'allow' })
      expect([end.status, end.location]).toEqual([200, null])
      expect(end.text).toContain('Your device is connected')
    },
  )

  test('can be refused', async () => {
    const { fields } = await signIn('/device?user_code=BCDF-GHJK')
    expect((await browser.send('/consent', { ...fields, decision: 'deny' })).text).toContain('was not let in')
  })

  test.each(['BCDF', 'BCDFGHJKL', 'BCDF1234', 'BCDFGHJ<'])(
    'is not asked for by %j, which is no code',
    async (typed) => {
      const { fields } = await browser.open('/device')
      const page = await browser.send('/device', { ...fields, user_code: typed })
      expect(page.status).toBe(400)
      expect(page.fields.user_code).toBe(typed)
    },
  )

  test('cannot be guessed at for long', async () => {
    for (const last of ['B', 'C', 'D', 'F', 'G']) {
      const page = await browser.open(`/device?user_code=ZZZZZZZ${last}`)
      expect(page.status).toBe(404)
      expect(page.text).toContain('No device waits with this code')
    }
    const page = await browser.open('/device?user_code=BCDFGHJK')
    expect(page.status).toBe(429)
    expect(page.headers.get('retry-after')).toBeTruthy()
    const other = new Browser(world.origin, { 'x-forwarded-for': '203.0.113.1' })
    expect((await other.open('/device?user_code=BCDFGHJK')).status).toBe(200)
  })

  test.each(['/login', '/consent'])('is not found by guessing at %s either', async (path) => {
    for (const last of 'BCDFG') expect((await browser.open(`${path}?user_code=ZZZZZZZ${last}`)).status).toBe(404)
    for (const page of [path, '/device']) {
      expect((await browser.open(`${page}?user_code=BCDFGHJK`)).status).toBe(429)
    }
  })
})

describe('signing out', () => {
  test('is confirmed, ends the session and forgets its cookie', async () => {
    await signIn('/login')
    const asked = await browser.open('/logout')
    expect(asked.text).toContain('Sign out?')
    expect(world.authorization.sessions.size).toBe(1)
    const page = await browser.send('/logout', { ...asked.fields, decision: 'leave' })
    expect(page.text).toContain('You are signed out')
    expect(browser.cookies.has('cs_session')).toBe(false)
    expect(world.authorization.sessions.size).toBe(0)
  })

  test('for an application goes back to it', async () => {
    await signIn('/login')
    world.authorization.waiting.set('l1', { client: client(), end: done('signed_out', 'https://app.example/bye') })
    const asked = await browser.open('/logout?request=l1')
    expect(asked.text).toContain('The Web Application')
    const page = await browser.send('/logout', { ...asked.fields, decision: 'leave' })
    expect([page.status, page.location]).toEqual([303, 'https://app.example/bye'])
    expect(browser.cookies.has('cs_session')).toBe(false)
  })

  test('may be thought better of', async () => {
    await signIn('/login')
    world.authorization.waiting.set('l1', { client: client(), end: done('signed_out') })
    for (const path of ['/logout', '/logout?request=l1']) {
      const { fields } = await browser.open(path)
      expect(await browser.send('/logout', { ...fields, decision: 'stay' })).toMatchObject({
        status: 303,
        location: 'login',
      })
    }
    expect(world.authorization.sessions.size).toBe(1)
  })

  test('everywhere ends the sessions of all browsers', async () => {
    await signIn('/login')
    const here = browser
    browser = new Browser(world.origin)
    await signIn('/login')
    expect(world.authorization.sessions.size).toBe(2)
    const page = await here.send('/logout', { ...(await here.open('/login')).fields, decision: 'everywhere' })
    expect(page.text).toContain('You are signed out')
    expect(here.cookies.has('cs_session')).toBe(false)
    expect(world.authorization.sessions.size).toBe(0)
    expect((await browser.open('/login')).text).toContain('<h1>Sign in</h1>')
  })
})
