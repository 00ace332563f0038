import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mintLink } from '@countersign/accounts'
import { SubjectChange } from '@countersign/contracts/authorization'
import { system } from '@countersign/tokens'
import { Browser, type Page } from '../testing/browser.ts'
import { openWorld, password, type World } from '../testing/world.ts'

let world: World
let browser: Browser
let alice: string
let now: number
const linkKey = createSecretKey(randomBytes(32))
const chosen = 'four words nobody guesses'

beforeEach(async () => {
  now = Date.UTC(2026, 0, 1)
  world = await openWorld({ now: () => now, linkKey })
  alice = await world.addAccount('alice', { email: 'alice@example.org' })
  browser = new Browser(world.origin)
})
afterEach(() => world.close())

/** Letters are written once the answer is on its way. */
const afterAnswers = () => new Promise((resolve) => setImmediate(resolve))

async function ask(loginName: string, as = browser): Promise<Page> {
  const { fields } = await as.open('/login/reset')
  const page = await as.send('/login/reset', { ...fields, login_name: loginName })
  await afterAnswers()
  return page
}
const linkIn = (text: string): string => /http:\/\/localhost:8080(\/login\/password\?token=[\w-]+)/.exec(text)![1]!
const choose = async (link: string, fields: Record<string, string> = {}): Promise<Page> => {
  const page = await browser.open(link)
  return browser.send('/login/password', { ...page.fields, password: chosen, password_again: chosen, ...fields })
}
async function canSignIn(with_: string): Promise<boolean> {
  const other = new Browser(world.origin)
  const { fields } = await other.open('/login')
  return (await other.send('/login', { ...fields, login_name: 'alice', password: with_ })).status === 303
}
const account = async () => (await world.service.directory.findByLoginName('alice'))!

describe('a forgotten password', () => {
  test('is chosen anew by a link that comes by mail, which ends every session', async () => {
    const page = await ask(' ALICE ')
    expect(page.status).toBe(200)
    expect(world.letters).toMatchObject([{ to: 'alice@example.org' }])
    const link = linkIn(world.letters[0]!.text)
    expect((await choose(link)).status).toBe(303)
    const ended = { subject: alice, change: SubjectChange.SIGN_OUT }
    expect(world.authorization.changes).toMatchObject([ended, ended])
    await afterAnswers()
    expect(world.authorization.signIns).toMatchObject([{ subject: alice, amr: ['pwd'] }])
    expect(world.letters).toHaveLength(2)
    expect([await canSignIn(chosen), await canSignIn(password)]).toEqual([true, false])
    const told = (await world.events()).map(({ type, reason }) => `${type} ${reason}`)
    expect(told).toContain('account.password_changed reset')
    expect((await browser.open(link)).status).toBe(404)
  })

  test('looks alike whether there is such an account, and sends nothing for nobody', async () => {
    const [known, unknown, malformed] = [await ask('alice'), await ask('nobody'), await ask('\u202e')]
    for (const page of [unknown, malformed]) {
      expect([page.status, page.text]).toEqual([known.status, known.text])
    }
    expect(world.letters).toHaveLength(1)
  })

  test('is asked for five times a minute at most, of an account and from an address', async () => {
    for (let n = 0; n < 5; n++) expect((await ask('alice')).status).toBe(200)
    const blocked = await ask('alice', new Browser(world.origin, { 'x-forwarded-for': '203.0.113.9' }))
    expect([blocked.status, blocked.headers.get('retry-after')]).toEqual([429, '60'])
    expect((await ask('bob')).status).toBe(429)
    expect(world.letters).toHaveLength(5)
  })

  test('leaves the second factor as it is', async () => {
    await world.service.directory.change(await account(), system, (record) => ({
      record: { ...record, totp: { sealedSecret: Buffer.alloc(0), addedAt: 1, usedStep: 0, recoveryDigests: [] } },
    }))
    await ask('alice')
    const page = await choose(linkIn(world.letters[0]!.text))
    expect(page.status).toBe(200)
    expect(page.fields).toHaveProperty('ticket')
    expect(world.authorization.signIns).toEqual([])
  })

  test.each([
    ['in an hour', () => void (now += 3_600_001)],
    [
      'once the password changed',
      async () =>
        void (await world.service.directory.change(await account(), system, (record) => ({
          record: { ...record, passwordHash: 'another' },
        }))),
    ],
    [
      'once the account is disabled',
      async () =>
        void (await world.service.directory.change(await account(), system, (record) => ({
          record: { ...record, disabledAt: now },
        }))),
    ],
  ])('has a link that ends %s', async (_name, change) => {
    await ask('alice')
    const link = linkIn(world.letters[0]!.text)
    const open = await browser.open(link)
    await change()
    expect((await browser.open(link)).status).toBe(404)
    const sent = await browser.send('/login/password', { ...open.fields, password: chosen, password_again: chosen })
    expect(sent.status).toBe(404)
    expect(world.authorization.changes).toEqual([])
  })

  test.each([
    [{ password: 'short', password_again: 'short' }, 'at least 10'],
    [{ password_again: 'something else' }, 'not the same'],
    [{ password: 'password1234', password_again: 'password1234' }, 'easy'],
  ])('is not %j', async (fields, reason) => {
    await ask('alice')
    const page = await choose(linkIn(world.letters[0]!.text), fields)
    expect(page.status).toBe(400)
    expect(page.text.toLowerCase()).toContain(reason)
    expect(page.text).not.toContain(chosen)
    expect(await canSignIn(password)).toBe(true)
  })

  test('is changed by a form of ours alone', async () => {
    await ask('alice')
    const link = linkIn(world.letters[0]!.text)
    const { fields } = await browser.open(link)
    const other = new Browser(world.origin)
    await other.open('/login')
    const forged = { ...fields, password: chosen, password_again: chosen }
    expect((await other.send('/login/password', forged)).status).toBe(403)
    const { csrf: _csrf, ...without }: Record<string, string> = forged
    expect((await browser.send('/login/password', without)).status).toBe(403)
    expect(await canSignIn(password)).toBe(true)
  })
})

describe('an invitation', () => {
  test('is the same page, for an account that has no password, and ends nothing', async () => {
    const asker = { ...system, id: 'operator' }
    const draft = { loginName: 'bob', claims: { email: 'bob@example.org' } }
    const bob = (await world.service.directory.create(draft, asker, false))!
    expect(await canSignIn('')).toBe(false)
    const token = mintLink(linkKey, 'invitation', bob, now + 1_000)
    const link = `/login/password?token=${token}`
    expect((await browser.open(link)).text).toContain('Welcome')
    expect((await choose(link)).status).toBe(303)
    expect(world.authorization.changes).toEqual([])
    expect(world.authorization.signIns).toMatchObject([{ subject: bob.record.id }])
    expect((await browser.open(link)).status).toBe(404)
  })
})

test('where no mail is sent there is nothing to ask for, and no link to it', async () => {
  const other = await openWorld({ post: undefined })
  try {
    const stranger = new Browser(other.origin)
    expect((await stranger.open('/login/reset')).status).toBe(404)
    expect((await stranger.open('/login')).text).not.toContain('login/reset')
    expect((await browser.open('/login')).text).toContain('login/reset')
  } finally {
    await other.close()
  }
})
