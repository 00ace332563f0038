import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Browser } from '../testing/browser.ts'
import { client } from '../testing/fake-authorization.ts'
import { deviceOf } from './devices.ts'
import { act, noticeOf, People } from './testing/people.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const hostile = '<img src=x>/1 x'
const path = '/account/sessions'

let people: People
let browser: Browser
let other: Browser
beforeEach(async () => {
  people = await People.open()
  await people.world.addAccount('alice')
  await people.world.addAccount('bob')
  browser = await people.withPassword('alice', { 'user-agent': firefox })
  other = await people.withPassword('alice', { 'user-agent': hostile })
})
afterEach(() => people.world.close())

const isSignedIn = async (of: Browser) => (await of.open('/account')).status === 200

describe('the devices', () => {
  test('are listed with what is known of each, as text', async () => {
    const page = await browser.open(path)
    expect(page.text).toMatch(/<bdi>Firefox<\/bdi> on <bdi>Linux<\/bdi><\/strong>\s*<span class="tag">this one/)
    expect(page.text).toContain('<bdi>127.0.0.1</bdi>')
    expect(page.text).toContain('<bdi>&lt;img src=x&gt;</bdi>')
    expect(page.text.match(/class="tag"/g)).toHaveLength(1)
  })

  test('are signed out, one', async () => {
    const sent = await act(browser, path, { act: 'end', id: people.sessionOf(other) })
    expect([sent.status, sent.location]).toEqual([303, '../account/sessions?done=session_ended'])
    expect(noticeOf(await browser.open(`${path}?done=session_ended`))).toBeDefined()
    expect([await isSignedIn(browser), await isSignedIn(other)]).toEqual([true, false])
  })

  test('are signed out, all others', async () => {
    const bob = await people.withPassword('bob')
    expect((await act(browser, path, { act: 'others' })).location).toBe('../account/sessions?done=others_ended')
    expect(await Promise.all([browser, other, bob].map(isSignedIn))).toEqual([true, false, true])
  })

  test('are signed out everywhere, once it was asked whether that is meant', async () => {
    const asked = await act(browser, path, { act: 'everywhere' })
    expect([asked.status, await isSignedIn(other)]).toEqual([200, true])
    const sent = await browser.send(path, asked.fields)
    expect([sent.status, sent.text.includes('You are signed out')]).toEqual([200, true])
    expect(browser.cookies.has('cs_session')).toBe(false)
    expect([await isSignedIn(browser), await isSignedIn(other)]).toEqual([false, false])
  })

  test.each(['', '*', 'x', 'x'.repeat(44)])('are none by the name of %j', async (id) => {
    expect((await act(browser, path, { act: 'end', id })).status).toBe(400)
    expect([await isSignedIn(browser), await isSignedIn(other)]).toEqual([true, true])
  })

  test('of somebody else are none of theirs', async () => {
    const bob = await people.withPassword('bob')
    await act(browser, path, { act: 'end', id: people.sessionOf(bob) })
    expect(await isSignedIn(bob)).toBe(true)
  })
})

describe('what a browser says of itself', () => {
  test.each([
    [firefox, 'Firefox', 'Linux'],
    ['', '', ''],
    ['curl/8', '', ''],
    [`${'x'.repeat(500)}/1 x`, '', ''],
    [`${'x'.repeat(200)}/1 x`, 'x'.repeat(40), ''],
  ])('is short: %s', (userAgent, browserName, system) => {
    expect(deviceOf(userAgent)).toEqual({ browser: browserName, system })
  })
})

describe('the applications', () => {
  const hostileName = '<script>alert(1)</script>'
  beforeEach(() => {
    const scopes = [
      { scope: 'email', description: '' },
      { scope: 'read:reports', description: 'Read <i>reports</i>' },
      { scope: 'odd', description: '' },
    ]
    const asked = { scopes, givenAt: people.now, grantedAt: 0 }
    const { applications } = people.world.authorization
    applications.set('web', { ...asked, client: client({ name: hostileName, registeredItself: true }) })
    applications.set('other', { ...asked, client: client({ id: 'other', name: '' }) })
  })

  test('are listed with what they may do in words, as text', async () => {
    const { text } = await browser.open('/account/applications')
    expect(text).toContain('May: <bdi>See your e-mail address · Read &lt;i&gt;reports&lt;/i&gt; · odd</bdi>')
    expect(text).toContain('registered itself')
    expect(text).toContain('<bdi>other</bdi>')
    expect(text).not.toMatch(/<script>alert|<i>/)
  })

  test('are taken back what they were allowed', async () => {
    const sent = await act(browser, '/account/applications', { act: 'withdraw', client: 'web' })
    expect([sent.status, sent.location]).toEqual([303, '../account/applications?done=application_removed'])
    expect([...people.world.authorization.applications.keys()]).toEqual(['other'])
    expect(noticeOf(await browser.open('/account/applications?done=application_removed'))).toBeDefined()
    expect((await act(browser, '/account/applications', { act: 'withdraw' })).status).toBe(400)
  })
})
