import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ActorKind } from '@countersign/contracts/events'
import { noUpstreams } from '../testing/world.ts'
import { Browser } from '../testing/browser.ts'
import { languages } from '../speech.ts'
import { brokenReferences, elementsOf } from '../pages/testing/well-formed.ts'
import { act, alertOf, noticeOf, People } from './testing/people.ts'

const paths = ['', '/password', '/second-factor', '/passkeys', '/identities', '/sessions', '/applications'].map(
  (path) => `/account${path}`,
)
const forms = [
  ['/account/password', { act: 'change' }],
  ['/account/second-factor', { act: 'begin' }],
  ['/account/passkeys', { act: 'add' }],
  ['/account/passkeys', { credential: '{}', ticket: 'x', name: 'x' }],
  ['/account/identities', { act: 'add', provider: 'google' }],
  ['/account/sessions', { act: 'others' }],
  ['/account/applications', { act: 'withdraw', client: 'web' }],
] as const

let people: People
const opened: People[] = []
const openAnother = async (options: Parameters<typeof People.open>[0]) => {
  const other = await People.open(options)
  opened.push(other)
  return other
}
beforeEach(async () => {
  people = await openAnother({})
  await people.world.addAccount('alice', { name: 'Alice <b>', email: 'alice@example.org' })
})
afterEach(() => Promise.all(opened.splice(0).map(({ world }) => world.close())))

describe.each(paths)('%s', (path) => {
  test('sends whoever is not signed in to do so, and has them back', async () => {
    const browser = new Browser(people.world.origin)
    const root = path === '/account' ? '' : '../'
    const sent = await browser.open(`${path}?done=password_changed`)
    expect([sent.status, sent.location]).toEqual([303, `${root}login?return_to=${encodeURIComponent(path)}`])
    const { fields } = await browser.open(`/login?return_to=${encodeURIComponent(path)}`)
    const back = await browser.send('/login', { ...fields, login_name: 'alice', password: 'correct horse battery' })
    expect([back.status, back.location]).toEqual([303, path])
    expect((await browser.open(path)).status).toBe(200)
  })

  test.each(languages)('is there, well-formed and framed by nobody, in %s', async (language) => {
    const browser = await people.withPassword('alice', { 'accept-language': language })
    const page = await browser.open(path)
    expect(page.status).toBe(200)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    const elements = elementsOf(page.text)
    expect(brokenReferences(elements)).toEqual([])
    expect(elements.find(({ name }) => name === 'html')!.attributes.get('lang')).toBe(language)
    expect(elements.filter(({ attributes }) => attributes.get('aria-current') === 'page')).toHaveLength(1)
  })
})

describe('every form', () => {
  test.each(forms)('of %s that is not of this page is refused: %j', async (path, fields) => {
    const browser = await people.withPassword('alice')
    const other = await browser.open(path === '/account/sessions' ? '/account/password' : '/account/sessions')
    for (const csrf of ['', 'x', other.fields.csrf!]) {
      const sent = await browser.send(path, { csrf, ...fields })
      expect([sent.status, sent.location]).toEqual([403, null])
    }
    const { csrf } = (await browser.open(path)).fields
    const site = await browser.send(path, { csrf: csrf ?? '', ...fields }, { 'sec-fetch-site': 'cross-site' })
    expect(site.status).toBe(403)
    expect(people.world.authorization.sessions.size).toBe(1)
  })

  test.each(forms)('of %s is refused when somebody else has signed in meanwhile: %j', async (path, fields) => {
    await people.world.addAccount('bob')
    const browser = await people.withPassword('alice')
    const { csrf } = (await browser.open(path)).fields
    const { fields: again } = await browser.open('/login?again=1')
    await browser.send('/login', { ...again, login_name: 'bob', password: 'correct horse battery' })
    expect((await browser.send(path, { csrf: csrf ?? '', ...fields })).status).toBe(403)
  })

  test.each(forms)('of %s leads to the sign-in page once the session is over: %j', async (path, fields) => {
    const browser = await people.withPassword('alice')
    const { csrf } = (await browser.open(path)).fields
    people.world.authorization.sessions.clear()
    const sent = await browser.send(path, { csrf: csrf ?? '', ...fields })
    expect([sent.status, sent.location]).toEqual([303, `../login?return_to=${encodeURIComponent(path)}`])
  })

  test.each([...new Set(forms.map(([path]) => path))])('of %s does nothing that nobody knows of', async (path) => {
    const browser = await people.withPassword('alice')
    expect((await act(browser, path, { act: 'constructor' })).status).toBe(path === '/account/applications' ? 403 : 400)
  })
})

describe('the overview', () => {
  test('says who one is and how one signs in, as text', async () => {
    const page = await (await people.withPassword('alice')).open('/account')
    for (const words of ['<bdi>Alice &lt;b&gt;</bdi>', 'alice@example.org', 'Changed on', 'Not set up'])
      expect(page.text).toContain(words)
  })

  test('says what was done in words of its own', async () => {
    const browser = await people.withPassword('alice')
    expect(noticeOf(await browser.open('/account/password?done=password_changed'))).toContain('was changed')
    for (const done of ['constructor', '<b>', 'title']) {
      const page = await browser.open(`/account/password?done=${encodeURIComponent(done)}`)
      expect([page.status, noticeOf(page)]).toEqual([200, undefined])
    }
  })
})

describe('an account that is disabled or gone', () => {
  test('has no pages', async () => {
    const browser = await people.withPassword('alice')
    const account = await people.accountOf(browser)
    const asker = { kind: ActorKind.OPERATOR, id: 'x', address: '', userAgent: '', traceparent: '' }
    await people.world.service.directory.change(account, asker, (record) => ({ record: { ...record, disabledAt: 1 } }))
    const page = await browser.open('/account/password')
    expect([page.status, alertOf(page)]).toEqual([403, expect.stringContaining('access was taken back')])
  })
})

describe('where nobody signs in with an account of ours', () => {
  test('there is nothing about passwords, codes and passkeys', async () => {
    const other = await openAnother({ localProvider: undefined })
    const browser = await other.withGoogle('carol')
    for (const path of paths) {
      const isLocal = /password|second-factor|passkeys/.test(path)
      expect([path, (await browser.open(path)).status]).toEqual([path, isLocal ? 404 : 200])
    }
    expect((await browser.open('/account')).text).not.toMatch(/Password|Passkeys|Authenticator/)
  })
})

describe('where browsers know no passkeys', () => {
  test('none are offered', async () => {
    const other = await openAnother({ issuer: 'http://127.0.0.1:8080', upstreams: noUpstreams })
    await other.world.addAccount('alice')
    const browser = await other.withPassword('alice')
    expect((await browser.open('/account/passkeys')).status).toBe(404)
    expect((await browser.open('/account')).text).not.toContain('Passkeys')
  })
})
