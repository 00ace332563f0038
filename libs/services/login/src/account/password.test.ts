import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SubjectChange } from '@countersign/contracts/authorization'
import { ActorKind } from '@countersign/contracts/events'
import { password } from '../testing/world.ts'
import type { Browser } from '../testing/browser.ts'
import { act, alertOf, noticeOf, People } from './testing/people.ts'

const path = '/account/password'
const next = 'seven green lanterns hum'
const change = { act: 'change', current_password: password, password: next, password_again: next }

let people: People
let browser: Browser
beforeEach(async () => {
  people = await People.open()
  await people.world.addAccount('alice', { email: 'alice@example.org' })
  browser = await people.withPassword('alice')
})
afterEach(() => people.world.close())

const signIn = async (secret: string) => {
  const { fields } = await browser.open('/login?again=1')
  return (await browser.send('/login', { ...fields, login_name: 'alice', password: secret })).status
}

describe('a password', () => {
  test('is changed by whoever knows it, and every other session and token ends', async () => {
    const other = await people.withPassword('alice')
    people.pass(1_000)
    const sent = await act(browser, path, change)
    expect([sent.status, sent.location]).toEqual([303, '../account/password?done=password_changed'])
    const { changes, sessions } = people.world.authorization
    expect([...sessions.keys()]).toEqual([people.sessionOf(browser)])
    expect(changes).toMatchObject([
      { change: SubjectChange.SIGN_OUT, reason: 'password_changed', except: { id: people.sessionOf(browser) } },
    ])
    expect((await other.open(path)).status).toBe(303)
    expect(noticeOf(await browser.open(path + '?done=password_changed'))).toBeDefined()
    expect((await people.accountOf(browser)).record.passwordChangedAt).toBe(people.now)
    expect(await signIn(password)).toBe(401)
    expect(await signIn(next)).toBe(303)
  })

  test('that was changed is told to its owner and the journal, as their own act', async () => {
    await act(browser, path, change)
    expect(people.world.letters).toMatchObject([
      { to: 'alice@example.org', subject: expect.stringContaining('password') },
    ])
    const { id } = (await people.accountOf(browser)).record
    const events = await people.told('account.password_changed')
    expect(events).toMatchObject([
      { actor: { kind: ActorKind.PERSON, id, address: '127.0.0.1' }, subject: id, reason: '' },
    ])
  })

  test('stays when the present one is wrong, and cannot be guessed', async () => {
    const wrong = await act(browser, path, { ...change, current_password: 'wrong' })
    expect([wrong.status, wrong.text.includes('not your current password')]).toEqual([401, true])
    expect(wrong.text).not.toContain(next)
    for (let n = 1; n < 5; n++) await act(browser, path, { ...change, current_password: 'wrong' })
    const blocked = await act(browser, path, change)
    expect([blocked.status, alertOf(blocked)]).toEqual([429, expect.stringContaining('Too many')])
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(people.world.authorization.changes).toEqual([])
  })

  test.each([
    [{ password: 'short', password_again: 'short' }, 'at least 10'],
    [{ password: 'password1234', password_again: 'password1234' }, 'easy to guess'],
    [{ password_again: 'seven green lanterns hmm' }, 'not the same'],
    [{ password: '' }, 'at least 10'],
  ])('is not changed to what will not do: %j', async (fields, words) => {
    const page = await act(browser, path, { ...change, ...fields })
    expect([page.status, page.text.includes(words)]).toEqual([400, true])
    expect((await people.accountOf(browser)).record.passwordChangedAt).toBeLessThanOrEqual(people.now)
    expect(await people.told('account.password_changed')).toEqual([])
  })

  test('that somebody else changed at the same moment is not changed once more', async () => {
    const { store, authorization } = people.world
    const replica = await People.open({ store, authorization })
    const other = await replica.withPassword('alice')
    const both = await Promise.all([act(browser, path, change), act(other, path, change)])
    await replica.world.close()
    expect(both.map(({ status }) => status).sort()).toEqual([303, 409])
    expect(await people.told('account.password_changed')).toHaveLength(1)
  })

  test('is checked one at a time, and before what would take its place is looked at', async () => {
    const hashes = () => people.world.service.stats().passwordHashes
    const before = hashes()
    const { csrf } = (await browser.open(path)).fields
    const unfit = { ...change, csrf: csrf!, password: 'short', password_again: 'other' }
    const all = await Promise.all(
      Array.from({ length: 4 }, () => browser.send(path, { ...unfit, current_password: 'x' })),
    )
    expect(all.map(({ status }) => status).sort()).toEqual([401, 429, 429, 429])
    expect(hashes() - before).toBe(1)
    expect(all.find(({ status }) => status === 401)!.text).not.toContain('at least 10')
    expect(all.find(({ status }) => status === 429)!.headers.get('retry-after')).toBe('1')
    const confirming = { act: 'begin', confirmed: 'yes', current_password: 'wrong' }
    const other = '/account/second-factor'
    const token = (await browser.open(other)).fields.csrf!
    const asked = await Promise.all([1, 2].map(() => browser.send(other, { csrf: token, ...confirming })))
    expect(asked.map(({ status }) => status).sort()).toEqual([401, 429])
    expect((await browser.send(path, { ...unfit })).status).toBe(400)
  })

  test('is none of somebody who signs in elsewhere', async () => {
    const carol = await people.withGoogle('carol')
    const page = await carol.open(path)
    expect(page.text).toContain('no password here')
    expect(page.text).not.toContain('name="password"')
    const { csrf } = (await carol.open('/account/sessions')).fields
    expect((await carol.send(path, { csrf: csrf!, ...change })).status).toBe(403)
    expect((await people.accountOf(carol)).record.passwordHash).toBe('')
  })
})
