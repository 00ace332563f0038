import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import { newRecoveryCodes, newTotpSecret, recoveryDigest, recoveryRandomBytes, totpText } from '@countersign/accounts'
import { seal, system } from '@countersign/tokens'
import { Secret, TOTP } from 'otpauth'
import type { Account } from '../account-directory.ts'
import { Browser, type Page } from '../testing/browser.ts'
import { answer, client } from '../testing/fake-authorization.ts'
import { openWorld, password, type World } from '../testing/world.ts'

let world: World
let browser: Browser
let alice: string
let now: number
let code: (at?: number) => string
let recovery: string[]

const sealKey = createSecretKey(randomBytes(32))

beforeEach(async () => {
  now = Date.UTC(2026, 0, 1)
  world = await openWorld({ now: () => now, sealKeys: [sealKey] })
  alice = await world.addAccount('alice', { name: 'Alice', email: 'alice@example.org' })
  const secret = newTotpSecret(randomBytes)
  const totp = new TOTP({ secret: Secret.fromBase32(totpText(secret).replaceAll(' ', '')) })
  code = (at = now) => totp.generate({ timestamp: at })
  recovery = newRecoveryCodes(randomBytes(recoveryRandomBytes))
  const account = (await world.service.directory.findByLoginName('alice'))!
  await world.service.directory.change(account, system, (record) => ({
    record: {
      ...record,
      totp: {
        sealedSecret: seal(sealKey, secret, `totp ${record.id}`),
        addedAt: now,
        usedStep: 0,
        recoveryDigests: recovery.map(recoveryDigest),
      },
    },
  }))
  world.authorization.waiting.set('r1', { client: client(), asks: false, end: answer('https://app.example/cb') })
  browser = new Browser(world.origin)
})
afterEach(() => world.close())

async function halfway(as = browser, path = '/login'): Promise<Page> {
  const { fields } = await as.open(path)
  return as.send('/login', { ...fields, login_name: 'alice', password })
}
const enter = (page: Page, typed: string, as = browser) => as.send('/login', { ...page.fields, code: typed })
const signIns = () => world.authorization.signIns
const read = async (): Promise<Account> => (await world.service.directory.findByLoginName('alice'))!

describe('somebody with a second factor', () => {
  test('is not signed in by the password alone', async () => {
    const page = await halfway()
    expect(page.status).toBe(200)
    expect(page.text).not.toContain(password)
    expect(signIns()).toEqual([])
    expect(page.setCookies.filter((line) => line.startsWith('cs_session='))).toEqual([])
  })

  test('is with the code, and goes on with what they came for', async () => {
    const page = await enter(await halfway(browser, '/login?request=r1'), code())
    expect([page.status, page.location]).toEqual([303, 'https://app.example/cb'])
    expect(signIns()).toMatchObject([{ subject: alice, amr: ['pwd', 'otp', 'mfa'], provider: 'staff' }])
  })

  test('uses each code once, also when it comes twice at the same moment', async () => {
    const other = new Browser(world.origin)
    const [first, second] = [await halfway(), await halfway(other)]
    const pages = await Promise.all([enter(first, code()), enter(second, code(), other)])
    expect(pages.map(({ status }) => status).sort()).toEqual([303, 401])
    const third = new Browser(world.origin)
    expect((await enter(await halfway(third), code(), third)).status).toBe(401)
    now += 30_000
    expect((await enter(await halfway(third), code(), third)).status).toBe(303)
  })

  test('may use a recovery code, once', async () => {
    const typed = recovery[3]!.toLowerCase()
    expect((await enter(await halfway(), typed)).status).toBe(303)
    expect((await read()).record.totp!.recoveryDigests).toHaveLength(9)
    await new Promise((resolve) => setImmediate(resolve))
    expect(world.letters).toMatchObject([{ to: 'alice@example.org' }])
    const other = new Browser(world.origin)
    expect((await enter(await halfway(other), typed, other)).status).toBe(401)
    expect((await enter(await halfway(other), recovery[4]!, other)).status).toBe(303)
  })

  test('has five guesses a minute, in all browsers together, and a right code does not count while blocked', async () => {
    const page = await halfway()
    for (let guess = 0; guess < 5; guess++) expect((await enter(page, '000000')).status).toBe(401)
    const other = new Browser(world.origin, { 'x-forwarded-for': '203.0.113.9' })
    const blocked = await enter(await halfway(other), code(), other)
    expect(blocked.status).toBe(429)
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(signIns()).toEqual([])
    const told = (await world.events()).filter(({ type }) => type === 'login.failed')
    expect(told).toHaveLength(5)
    expect(told[0]).toMatchObject({ subject: alice, reason: 'wrong_second_factor' })
    expect(JSON.stringify(told)).not.toContain('000000')
  })

  test('has five minutes, in the browser where the password was entered', async () => {
    const page = await halfway()
    const other = new Browser(world.origin)
    const form = await other.open('/login')
    const stolen = await other.send('/login', { ...form.fields, ticket: page.fields.ticket!, code: code() })
    expect(stolen.status).toBe(400)
    now += 300_001
    expect((await enter(page, code())).status).toBe(400)
    expect(signIns()).toEqual([])
  })

  test('cannot pass another kind of ticket, or one that was changed, for the password', async () => {
    const page = await halfway()
    for (const ticket of ['', 'x', page.fields.ticket!.slice(0, -2) + 'AA']) {
      expect((await browser.send('/login', { ...page.fields, ticket, code: code() })).status).toBe(400)
    }
    expect(signIns()).toEqual([])
  })

  test('who was disabled meanwhile stays outside', async () => {
    const page = await halfway()
    await world.service.directory.change(await read(), system, (record) => ({ record: { ...record, disabledAt: now } }))
    expect((await enter(page, code())).status).toBe(400)
    expect(signIns()).toEqual([])
  })
})
