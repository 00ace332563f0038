import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SubjectChange } from '@countersign/contracts/authorization'
import { ActorKind } from '@countersign/contracts/events'
import { Browser, type Page } from '../testing/browser.ts'
import { act, alertOf, confirmed, noticeOf, People } from './testing/people.ts'
import { Authenticator, type Twist } from './testing/authenticator.ts'

const path = '/account/passkeys'
const origin = 'http://localhost:8080'

let people: People
let browser: Browser
beforeEach(async () => {
  people = await People.open()
  await people.world.addAccount('alice', { email: 'alice@example.org' })
  browser = await people.withPassword('alice')
})
afterEach(() => people.world.close())

const optionsIn = ({ text }: Page) => /data-options="([^"]+)"/.exec(text)![1]!.replaceAll('&quot;', '"')
/** Whether it is the page that asks for the password, and makes no passkey. */
const asks = ({ text }: Page) => text.includes('name="current_password"') && !text.includes('data-passkey')
const begin = (of = browser) => act(of, path, { act: 'add', ...confirmed })
const passkeysOf = async (of = browser) => (await people.accountOf(of)).record.passkeys

function send(page: Page, device: Authenticator, twist: Twist = {}, fields: Record<string, string> = {}, of = browser) {
  const credential = device.create(optionsIn(page), twist)
  return of.send(path, { ...page.fields, credential, name: 'My phone', ...fields })
}

async function add(device = new Authenticator(origin)): Promise<Authenticator> {
  expect((await send(await begin(), device)).location).toBe('../account/passkeys?done=passkey_added')
  return device
}

async function signIn(device: Authenticator, twist: Twist = {}): Promise<Page> {
  const elsewhere = new Browser(people.world.origin)
  const page = await elsewhere.open('/login')
  const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)![1]!
  return elsewhere.send('/login', { csrf: page.fields.csrf!, ticket, passkey: device.get(optionsIn(page), twist) })
}

describe('a passkey', () => {
  test('is added, and signs in by itself', async () => {
    const page = await begin()
    expect(JSON.parse(optionsIn(page))).toMatchObject({
      rp: { id: 'localhost', name: 'Example' },
      user: { name: 'alice' },
    })
    const device = await add()
    expect(await passkeysOf()).toMatchObject([{ name: 'My phone', transports: ['internal'], addedAt: people.now }])
    expect((await browser.open(path)).text).toContain('<bdi>My phone</bdi>')
    expect((await signIn(device)).status).toBe(303)
    expect(people.world.authorization.signIns.at(-1)).toMatchObject({ amr: ['hwk', 'user', 'mfa'], provider: 'staff' })
  })

  test('is told to its owner and the journal', async () => {
    const device = await add()
    await act(browser, path, { act: 'remove', id: device.id.toString('base64url'), ...confirmed })
    const { id } = (await people.accountOf(browser)).record
    const actor = { kind: ActorKind.PERSON, id }
    expect(await people.told('account.passkey')).toMatchObject([
      { type: 'account.passkey_added', subject: id, actor },
      { type: 'account.passkey_removed', subject: id, actor },
    ])
    const subjects = people.world.letters.map(({ subject }) => subject)
    expect(subjects).toEqual([expect.stringContaining('was added'), expect.stringContaining('was removed')])
  })

  test.each([
    ['of another site', { origin: 'https://evil.example' }],
    ['of another relying party', { rpId: 'evil.example' }],
    ['whose user was not verified', { flags: 0x01 }],
    ['whose user was not there', { flags: 0x04 }],
  ])('%s is refused, and another takes the password again; its name is kept', async (_what, twist) => {
    const page = await send(await begin(), new Authenticator(origin), twist)
    expect([page.status, alertOf(page), asks(page)]).toEqual([400, expect.any(String), true])
    expect(await passkeysOf()).toEqual([])
    const again = await browser.send(path, { ...page.fields, ...confirmed })
    expect(again.fields.name).toBe('My phone')
    expect((await send(again, new Authenticator(origin))).status).toBe(303)
  })

  test('is refused for a challenge that was used, is too old, or was never made', async () => {
    const page = await begin()
    const device = new Authenticator(origin)
    await send(page, device)
    for (const name of ['Another', '']) {
      const replayed = await send(page, new Authenticator(origin), {}, { name })
      expect([replayed.status, asks(replayed), (await passkeysOf()).length]).toEqual([400, true, 1])
    }
    const late = await begin()
    people.pass(300_000)
    const refused = await send(late, new Authenticator(origin))
    expect([refused.status, alertOf(refused), asks(refused)]).toEqual([400, expect.stringContaining('too long'), true])
    for (const credential of ['null', '[]', '{', '{"id":"x"}', JSON.stringify({ id: 'x', response: {} })])
      expect((await send(await begin(), device, {}, { credential })).status).toBe(400)
    expect(await passkeysOf()).toHaveLength(1)
  })

  test('has only what a browser may say of it', async () => {
    const transports = ['x'.repeat(1_000), 'usb', 'internal', 'usb']
    expect((await send(await begin(), new Authenticator(origin), { transports })).status).toBe(303)
    expect((await passkeysOf())[0]!.transports).toEqual(['usb', 'internal'])
  })

  test.each(['', '   ', 'x'.repeat(65)])('needs a name of some letters: %j', async (name) => {
    const page = await send(await begin(), new Authenticator(origin), {}, { name })
    expect([page.status, alertOf(page), await passkeysOf()]).toEqual([400, expect.stringContaining('64'), []])
  })

  test('is not put off for ever by a name that will not do: the password was given once for five minutes', async () => {
    const first = await begin()
    people.pass(200_000)
    const second = await send(first, new Authenticator(origin), {}, { name: '' })
    expect([second.status, asks(second)]).toEqual([400, false])
    const later = second.fields.ticket!.replace(/\d+$/, String(people.now))
    expect((await send(second, new Authenticator(origin), {}, { ticket: later })).status).toBe(403)
    people.pass(100_000)
    for (const name of ['', 'My phone']) {
      const sent = await send(second, new Authenticator(origin), {}, { name })
      expect([sent.status, asks(sent), await passkeysOf()]).toEqual([400, true, []])
    }
  })

  test('is there once, and 20 are as many as there can be', async () => {
    const device = await add()
    const again = await send(await begin(), device)
    expect([again.status, alertOf(again)]).toEqual([409, expect.stringContaining('already')])
    const last = await begin()
    for (let n = 1; n < 20; n++) await add()
    expect(alertOf(await send(last, new Authenticator(origin)))).toContain('no room')
    expect((await begin()).status).toBe(409)
    expect(await passkeysOf()).toHaveLength(20)
  })

  test('is removed by whoever confirms it, and signs in no more', async () => {
    const device = await add()
    const id = device.id.toString('base64url')
    const asked = await act(browser, path, { act: 'remove', id })
    expect([asked.status, asked.text.includes('<bdi>My phone</bdi>')]).toEqual([200, true])
    expect((await browser.send(path, { ...asked.fields, current_password: 'wrong' })).status).toBe(401)
    expect(await passkeysOf()).toHaveLength(1)
    const sent = await browser.send(path, { ...asked.fields, ...confirmed })
    expect([sent.status, sent.location]).toEqual([303, '../account/passkeys?done=passkey_removed'])
    expect(noticeOf(await browser.open(`${path}?done=passkey_removed`))).toBeDefined()
    expect((await signIn(device)).status).toBe(401)
    expect((await act(browser, path, { act: 'remove', id })).location).toBe('../account/passkeys')
  })

  test('that is removed ends every other session and token', async () => {
    const device = await add()
    const other = await people.withPassword('alice')
    await act(browser, path, { act: 'remove', id: device.id.toString('base64url'), ...confirmed })
    const { changes, sessions } = people.world.authorization
    const own = people.sessionOf(browser)
    expect(changes).toMatchObject([{ change: SubjectChange.SIGN_OUT, reason: 'passkey_removed', except: { id: own } }])
    expect([...sessions.keys()]).toEqual([own])
    expect((await other.open(path)).location).toContain('login')
  })

  test('that signs in is the one of that device', async () => {
    const device = await add()
    expect((await signIn(device, { origin: 'https://evil.example' })).status).toBe(401)
    expect((await signIn(device, { flags: 0x01 })).status).toBe(401)
    expect((await signIn(new Authenticator(origin))).status).toBe(401)
  })
})

describe('adding a passkey', () => {
  test('takes the password', async () => {
    const asked = await act(browser, path, { act: 'add' })
    expect([asked.status, asked.text.includes('data-passkey')]).toEqual([200, false])
    const wrong = await browser.send(path, { ...asked.fields, current_password: 'wrong' })
    expect([wrong.status, wrong.text.includes('data-passkey')]).toEqual([401, false])
  })

  test('takes a challenge that was made for it: one of the sign-in page is none', async () => {
    const page = await browser.open('/login?again=1')
    const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)![1]!
    const { challenge } = JSON.parse(optionsIn(page)) as { challenge: string }
    const options = JSON.stringify({ challenge, rp: { id: 'localhost' }, user: { id: 'x' } })
    const credential = new Authenticator(origin).create(options)
    const { csrf } = (await browser.open(path)).fields
    expect((await browser.send(path, { csrf: csrf!, ticket, credential, name: 'x' })).status).toBe(403)
    expect(await passkeysOf()).toEqual([])
  })
})

describe('somebody without a password', () => {
  test('has signed in just now, or does so once more', async () => {
    const carol = await people.withGoogle('carol')
    await people.nameLogin(carol, 'carol')
    const page = await act(carol, path, { act: 'add' })
    expect(page.text).toContain('data-passkey="create"')
    people.pass(300_000)
    const asked = await act(carol, path, { act: 'add', confirmed: 'yes' })
    expect([asked.status, alertOf(asked)]).toEqual([401, expect.stringContaining('too long ago')])
    const link = /href="\.\.\/(login\?again=1[^"]+)"/.exec(asked.text)![1]!.replaceAll('&amp;', '&')
    expect(link).toBe('login?again=1&return_to=%2Faccount%2Fpasskeys')
    const { fields } = await carol.open(`/${link}`)
    const away = await carol.send('/login', { csrf: fields.csrf!, return_to: path, provider: 'google' })
    expect((await people.comeBack(carol, away, 'carol')).location).toBe(path)
    expect((await act(carol, path, { act: 'add' })).text).toContain('data-passkey="create"')
  })
})

describe('somebody who came by a provider', () => {
  test('reads that passkeys are none of ours, and has no form', async () => {
    const carol = await people.withGoogle('carol')
    const { text } = await carol.open(path)
    expect(text).toContain('You sign in elsewhere')
    expect(text).not.toContain('<form')
  })

  test('is refused to add one, also with an answer that is right', async () => {
    const carol = await people.withGoogle('carol')
    await people.nameLogin(carol, 'carol')
    const { csrf } = (await carol.open(path)).fields
    const pages = [await act(carol, path, { act: 'add' }), await act(carol, path, { act: 'add' })]
    await people.nameLogin(carol, '')
    expect((await carol.send(path, { csrf: csrf!, act: 'add' })).status).toBe(403)
    expect((await send(pages[0]!, new Authenticator(origin), {}, {}, carol)).status).toBe(403)
    expect(await passkeysOf(carol)).toEqual([])
    await people.nameLogin(carol, 'carol')
    expect((await send(pages[1]!, new Authenticator(origin), {}, {}, carol)).status).toBe(303)
    // One of before this was so: it signs in no more, and goes although it is the last.
    await people.nameLogin(carol, '')
    const { id } = (await passkeysOf(carol))[0]!
    const gone = await act(carol, path, { act: 'remove', id, confirmed: 'yes' })
    expect([gone.location, await passkeysOf(carol)]).toEqual(['../account/passkeys?done=passkey_removed', []])
  })
})
