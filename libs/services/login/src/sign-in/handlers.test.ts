import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { hash } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import { Outcome } from '@countersign/contracts/events'
import { Browser } from '../testing/browser.ts'
import { answer, client } from '../testing/fake-authorization.ts'
import { openWorld, password, type World } from '../testing/world.ts'

let world: World
let browser: Browser
let alice: string
beforeEach(async () => {
  world = await openWorld()
  alice = await world.addAccount('Alice', { name: 'Alice Example' })
  browser = new Browser(world.origin)
  world.authorization.waiting.set('r1', { client: client(), end: answer('https://app.example/cb?code=1&iss=x') })
})
afterEach(() => world.close())

async function signIn(path: string, loginName = 'alice', given = password, as = browser) {
  const { fields } = await as.open(path)
  return as.send('/login', { ...fields, login_name: loginName, password: given })
}

describe('signing in', () => {
  test('shows who asks, and sends the browser back to them with 303, and nowhere else', async () => {
    const page = await browser.open('/login?request=r1')
    expect(page.status).toBe(200)
    expect(page.text).toContain('<bdi>The Web Application</bdi>')
    const fields = {
      ...page.fields,
      login_name: ' ALICE ',
      password,
      return_to: '//evil.example',
      uri: 'https://evil.example',
    }
    const { status, location } = await browser.send('/login', fields)
    expect([status, location]).toEqual([303, 'https://app.example/cb?code=1&iss=x'])
  })

  test('tells token-issuer who it is, how they showed it, and the session by its digest alone', async () => {
    await signIn('/login?request=r1')
    const value = browser.cookies.get('cs_session')!
    const [told] = world.authorization.signIns
    expect(told).toMatchObject({
      errand: { errand: { $case: 'requestId', value: 'r1' } },
      subject: alice,
      amr: ['pwd'],
      provider: 'staff',
      idleMs: 1_800_000,
      absoluteMs: 43_200_000,
      session: { id: hash('sha256', value, 'base64url'), partition: Buffer.from(value, 'base64url')[0] },
    })
    const account = await world.service.directory.findByLoginName('alice')
    expect(told!.session!.partition).toBe(account!.partition)
    expect(Buffer.from(value, 'base64url')).toHaveLength(33)
  })

  test.each([
    ['with a wrong password', 'alice', 'wrong password'],
    ['without a password', 'alice', ''],
    ['as somebody unknown', 'mallory', password],
    ['as nobody', '', password],
    ['with a name that cannot be one', 'a\u202eb', password],
  ])('%s gives one and the same page, after a hash was computed', async (_what, loginName, given) => {
    const before = world.service.stats().passwordHashes
    const page = await signIn('/login?request=r1', loginName, given)
    expect(world.service.stats().passwordHashes).toBe(before + 1)
    expect(page.status).toBe(401)
    expect(page.text).toContain('The login name or the password is not right.')
    expect(page.text).toContain('The Web Application')
    expect(page.fields).toMatchObject({ login_name: loginName, request: 'r1' })
    expect(page.setCookies.join()).not.toContain('cs_session')
    expect(world.authorization.signIns).toEqual([])
    expect((await browser.send('/login', { ...page.fields, login_name: 'alice', password })).status).toBe(303)
  })

  test('as somebody who was disabled is refused as a wrong password is', async () => {
    const { directory } = world.service
    const { partition, record } = (await directory.findByLoginName('alice'))!
    const { AccountRecord } = await import('@countersign/contracts/records')
    const value = AccountRecord.encode({ ...record, disabledAt: 1 }).finish()
    const commit = { id: 'a'.repeat(32), partition, checks: [], deletes: [], events: [], facts: [] }
    await world.store.commit({ ...commit, puts: [{ key: `${partition}:account/${record.id}`, value }] })
    expect((await signIn('/login')).status).toBe(401)
    expect((await world.events(partition)).at(-1)).toMatchObject({ type: 'login.failed', reason: 'account_disabled' })
  })

  test('that fails is told, without what was typed', async () => {
    await signIn('/login', 'alice', 'wrong password')
    await signIn('/login', 'hunter2-typed-into-the-wrong-field', password)
    const failed = (await world.events()).filter(({ type }) => type === 'login.failed')
    expect(failed).toHaveLength(2)
    const byReason = new Map(failed.map((event) => [event.reason, event]))
    expect(byReason.get('wrong_password')).toMatchObject({ subject: alice, outcome: Outcome.FAILURE })
    expect(byReason.get('unknown_account')).toMatchObject({
      subject: '',
      partition: 0,
      actor: { address: '127.0.0.1' },
    })
    expect(JSON.stringify(failed)).not.toMatch(/hunter2|wrong password|correct horse/)
  })

  test('replaces a session that was there before, whoever put it there', async () => {
    const preset = Buffer.alloc(33).toString('base64url')
    browser.cookies.set('cs_session', preset)
    await signIn('/login?request=r1')
    const first = browser.cookies.get('cs_session')!
    expect(first).not.toBe(preset)
    expect(world.authorization.signIns[0]!.previous!.id).toBe(hash('sha256', preset, 'base64url'))
    world.authorization.waiting.set('r2', { again: true, end: answer('https://app.example/cb') })
    expect((await browser.open('/login?request=r2')).text).toContain('once more')
    await signIn('/login?request=r2')
    expect(browser.cookies.get('cs_session')).not.toBe(first)
    expect([...world.authorization.sessions.keys()]).toEqual([
      hash('sha256', browser.cookies.get('cs_session')!, 'base64url'),
    ])
  })

  test('on nobody’s behalf leads to a page that says so', async () => {
    expect(await signIn('/login')).toMatchObject({ status: 303, location: 'login' })
    const page = await browser.open('/login')
    expect(page.text).toContain('You are signed in')
    expect(page.text).toContain('<bdi>Alice</bdi>')
  })
})

describe('guessing', () => {
  test('at one account is stopped, from whatever address, and then also with the right password', async () => {
    for (let n = 0; n < 5; n++) {
      const elsewhere = new Browser(world.origin, { 'x-forwarded-for': `203.0.113.${n}` })
      expect((await signIn('/login', 'ALICE', `guess ${n}`, elsewhere)).status).toBe(401)
    }
    const before = world.service.stats().passwordHashes
    const page = await signIn('/login', 'alice')
    expect(page.status).toBe(429)
    expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(page.text).toContain('Too many failed attempts')
    expect(world.service.stats().passwordHashes).toBe(before)
    expect(world.authorization.signIns).toEqual([])
  })

  test('from one address is stopped, at whatever account; others go on', async () => {
    const guesser = new Browser(world.origin, { 'x-forwarded-for': '203.0.113.9' })
    for (let n = 0; n < 5; n++) await signIn('/login', `nobody-${n}`, 'guess', guesser)
    expect((await signIn('/login', 'alice', password, guesser)).status).toBe(429)
    expect((await signIn('/login', 'alice')).status).toBe(303)
  })

  test('many times at once gets no more attempts', async () => {
    const { fields } = await browser.open('/login')
    const guesses = Array.from({ length: 20 }, (_, n) => (n === 19 ? password : `guess ${n}`))
    const pages = await Promise.all(
      guesses.map((guess) => browser.send('/login', { ...fields, login_name: 'alice', password: guess })),
    )
    expect(pages.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(6)
    expect(pages.at(-1)!.status).toBe(429)
    expect(world.authorization.signIns).toEqual([])
  })
})

describe('what fails', () => {
  test('is a page that a person understands', async () => {
    const page = await browser.open('/login?request=gone')
    expect(page.status).toBe(404)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.text).toContain('This request is not known, or it has expired.')
  })

  test('for want of something else says when to come back, and is logged', async () => {
    world.authorization.failure = new Failure('unavailable', 'no connection to 10.0.0.1')
    const page = await browser.open('/login?request=r1')
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '1'])
    expect(page.text).not.toContain('10.0.0.1')
    expect(world.logged).toEqual(['no connection to 10.0.0.1'])
  })

  test('inside shows nothing of it', async () => {
    world.authorization.failure = new TypeError('x of undefined') as unknown as Failure
    const page = await browser.open('/login?request=r1')
    expect(page.status).toBe(500)
    expect(page.text).not.toMatch(/undefined|\.ts/)
  })

  test.each([
    ['/login?request=a&request=b', 400],
    ['/login?request=%3Cscript%3E', 400],
    ['/login?request=%ff', 400],
    [`/login?request=${'x'.repeat(600)}`, 400],
    ['/consent', 400],
  ])('%s is %i', async (path, status) => {
    expect((await browser.open(path)).status).toBe(status)
  })

  test('is a form that is too large, compressed or no form, and every other method', async () => {
    const post = (body: string, headers: Record<string, string>) =>
      browser.open('/login', { method: 'POST', body, headers })
    const type = 'application/x-www-form-urlencoded'
    expect((await post('x'.repeat(70_000), { 'content-type': type })).status).toBe(413)
    expect((await post('x=1', { 'content-type': type, 'content-encoding': 'gzip' })).status).toBe(415)
    expect((await post('{}', { 'content-type': 'application/json' })).status).toBe(415)
    const put = await browser.open('/login', { method: 'PUT' })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
  })
})

describe('a page to go to after signing in', () => {
  test('is one of this server, or the page that says who is signed in', async () => {
    for (const [path, location] of [
      ['/account/sessions?a=1', '/account/sessions?a=1'],
      ['//evil.example', 'login'],
      ['/\\evil.example', 'login'],
      ['/%0d%0alocation:%20//evil.example', '/%0d%0alocation:%20//evil.example'],
    ] as const) {
      const other = new Browser(world.origin)
      const { fields } = await other.open(`/login?${new URLSearchParams({ return_to: path })}`)
      const page = await other.send('/login', { ...fields, login_name: 'alice', password })
      expect([page.status, page.location]).toEqual([303, location])
      expect((await other.open(`/login?${new URLSearchParams({ return_to: path })}`)).location).toBe(
        location === 'login' ? null : location,
      )
    }
  })

  test('is tied to the form', async () => {
    const { fields } = await browser.open('/login?return_to=/account')
    const sent = { ...fields, return_to: '/logout', login_name: 'alice', password }
    expect((await browser.send('/login', sent)).status).toBe(403)
  })
})
