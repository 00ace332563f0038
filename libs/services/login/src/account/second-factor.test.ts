import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { TOTP, Secret } from 'otpauth'
import { ActorKind } from '@countersign/contracts/events'
import { password } from '../testing/world.ts'
import type { Browser, Page } from '../testing/browser.ts'
import { act, alertOf, confirmed, noticeOf, People } from './testing/people.ts'

const path = '/account/second-factor'

let people: People
let browser: Browser
beforeEach(async () => {
  people = await People.open()
  await people.world.addAccount('alice', { email: 'alice@example.org' })
  browser = await people.withPassword('alice')
})
afterEach(() => people.world.close())

const secretIn = ({ text }: Page) => /<p class="code">([A-Z2-7 ]+)</.exec(text)![1]!.replaceAll(' ', '')
const codeOf = (secret: string) => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: people.now })
const codesIn = ({ text }: Page) => /<pre>([^<]+)</.exec(text)?.[1]?.split('\n') ?? []
const begin = () => act(browser, path, { act: 'begin', ...confirmed })
const totpOf = async (of = browser) => (await people.accountOf(of)).record.totp

async function setUp(): Promise<{ secret: string; codes: string[] }> {
  const page = await begin()
  const secret = secretIn(page)
  const done = await browser.send(path, { ...page.fields, code: codeOf(secret) })
  return { secret, codes: codesIn(done) }
}

/** Whether the second factor lets in. */
async function passes(code: string): Promise<boolean> {
  const { fields } = await browser.open('/login?again=1')
  const page = await browser.send('/login', { ...fields, login_name: 'alice', password })
  return (await browser.send('/login', { ...page.fields, code })).status === 303
}

describe('an authenticator app', () => {
  test('is set up once a code of it is right; nothing is kept of it before', async () => {
    const page = await begin()
    expect(page.text).toMatch(/<svg role="img"[\s\S]*<path d="M/)
    expect(page.text).toContain(`href="otpauth://totp/Example:alice?issuer=Example&amp;secret=${secretIn(page)}`)
    expect(await totpOf()).toBeUndefined()
    const wrong = await browser.send(path, { ...page.fields, code: '000000' })
    expect([wrong.status, alertOf(wrong), secretIn(wrong)]).toEqual([401, expect.any(String), secretIn(page)])
    expect(await totpOf()).toBeUndefined()
    const done = await browser.send(path, { ...wrong.fields, code: codeOf(secretIn(page)) })
    expect([done.status, codesIn(done).length, done.text.includes('only now')]).toEqual([200, 10, true])
    expect(await totpOf()).toMatchObject({ addedAt: people.now })
    expect(Buffer.from((await totpOf())!.sealedSecret).includes(Buffer.from(secretIn(page)))).toBe(false)
  })

  test('then lets in with a code, but not with the one that set it up', async () => {
    const { secret } = await setUp()
    expect(await passes(codeOf(secret))).toBe(false)
    people.pass(30_000)
    expect(await passes(codeOf(secret))).toBe(true)
  })

  test('is told to its owner and the journal', async () => {
    await setUp()
    await act(browser, path, { act: 'renew', ...confirmed })
    await act(browser, path, { act: 'remove', ...confirmed })
    const { id } = (await people.accountOf(browser)).record
    const actor = { kind: ActorKind.PERSON, id }
    expect(await people.told('account.second_factor')).toMatchObject([
      { type: 'account.second_factor_added', reason: '', actor },
      { type: 'account.second_factor_added', reason: 'recovery_codes', actor },
      { type: 'account.second_factor_removed', actor },
    ])
    const subjects = people.world.letters.map(({ subject }) => subject)
    expect(subjects).toEqual([
      expect.stringContaining('app was added'),
      expect.stringContaining('new recovery codes'),
      expect.stringContaining('app was removed'),
    ])
  })

  test('is not taken from a ticket that is too old, or of another account or session', async () => {
    await people.world.addAccount('bob')
    const page = await begin()
    const code = codeOf(secretIn(page))
    const { fields } = await browser.open('/login?again=1')
    for (const loginName of ['alice', 'bob']) {
      await browser.send('/login', { ...fields, login_name: loginName, password })
      const late = await act(browser, path, { act: 'enable', ticket: page.fields.ticket!, code })
      expect([late.status, alertOf(late), await totpOf()]).toEqual([
        400,
        expect.stringContaining('too long'),
        undefined,
      ])
    }
  })

  test('is set up within a quarter of an hour after the password was given, whatever was typed before', async () => {
    const page = await begin()
    people.pass(600_000)
    const wrong = await browser.send(path, { ...page.fields, code: '000000' })
    expect([wrong.status, secretIn(wrong)]).toEqual([401, secretIn(page)])
    people.pass(300_000)
    for (const { fields } of [page, wrong]) {
      const late = await browser.send(path, { ...fields, code: codeOf(secretIn(page)) })
      expect([late.status, alertOf(late), await totpOf()]).toEqual([
        400,
        expect.stringContaining('too long'),
        undefined,
      ])
      expect(late.text).toContain('name="current_password"')
      const again = await browser.send(path, { ...late.fields, ...confirmed })
      expect(secretIn(again)).not.toBe(secretIn(page))
    }
  })

  test('that is there already is not replaced', async () => {
    const [one, other] = [await begin(), await begin()]
    await browser.send(path, { ...one.fields, code: codeOf(secretIn(one)) })
    const kept = await totpOf()
    const sent = await browser.send(path, { ...other.fields, code: codeOf(secretIn(other)) })
    expect([sent.status, await totpOf()]).toEqual([409, kept])
    expect((await begin()).location).toBe('../account/second-factor')
  })

  test('is removed, and lets nobody wait for a code any more', async () => {
    await setUp()
    const sent = await act(browser, path, { act: 'remove', ...confirmed })
    expect([sent.status, sent.location]).toEqual([303, '../account/second-factor?done=second_factor_removed'])
    expect(noticeOf(await browser.open(`${path}?done=second_factor_removed`))).toBeDefined()
    const { fields } = await browser.open('/login?again=1')
    expect((await browser.send('/login', { ...fields, login_name: 'alice', password })).status).toBe(303)
  })
})

describe('recovery codes', () => {
  test('let in once each; new ones take the place of the old', async () => {
    const { codes } = await setUp()
    expect([await passes(codes[0]!), await passes(codes[0]!)]).toEqual([true, false])
    expect((await browser.open(path)).text).toContain('Left: 9')
    const fresh = codesIn(await act(browser, path, { act: 'renew', ...confirmed }))
    expect([await passes(codes[1]!), await passes(fresh[1]!)]).toEqual([false, true])
    expect(JSON.stringify(await totpOf())).not.toContain(fresh[2])
  })
})

describe('without the password', () => {
  test.each(['begin', 'renew', 'remove'])('nothing is done: %s', async (what) => {
    if (what !== 'begin') await setUp()
    const before = await totpOf()
    const asked = await act(browser, path, { act: what })
    expect([asked.status, asked.fields]).toEqual([200, expect.objectContaining({ act: what, confirmed: 'yes' })])
    const wrong = await browser.send(path, { ...asked.fields, current_password: 'wrong' })
    expect([wrong.status, alertOf(wrong)]).toEqual([401, 'This is not your current password.'])
    const none = await act(browser, path, { act: what, confirmed: 'yes' })
    expect([none.status, codesIn(none), await totpOf()]).toEqual([401, [], before])
    for (let n = 2; n < 5; n++) await act(browser, path, { act: what, confirmed: 'yes', current_password: 'wrong' })
    expect((await act(browser, path, { act: what, ...confirmed })).status).toBe(429)
  })

  test('that an account has, there is nothing to add', async () => {
    const carol = await people.withGoogle('carol')
    expect((await carol.open(path)).text).toContain('your account has none here')
    const csrf = (await carol.open('/account/sessions')).fields.csrf!
    expect((await carol.send(path, { csrf, act: 'begin' })).status).toBe(403)
    expect(await totpOf(carol)).toBeUndefined()
  })
})
