import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SubjectChange } from '@countersign/contracts/authorization'
import { ActorKind } from '@countersign/contracts/events'
import type { Browser } from '../testing/browser.ts'
import { act, alertOf, confirmed, noticeOf, People } from './testing/people.ts'

const path = '/account/identities'
const identity = { issuer: 'https://google.example', subject: 'alice' }

let people: People
let browser: Browser
beforeEach(async () => {
  people = await People.open()
  await people.world.addAccount('alice', { email: 'alice@example.org' })
  browser = await people.withPassword('alice')
})
afterEach(() => people.world.close())

const identitiesOf = async (of = browser) => (await people.accountOf(of)).record.identities
const leave = () => act(browser, path, { act: 'add', provider: 'google', ...confirmed })

async function link(subject = 'alice') {
  return people.comeBack(browser, await leave(), subject)
}

describe('an account elsewhere', () => {
  test('is linked by whoever is signed in here and there, and signs in from then on', async () => {
    const back = await link()
    expect([back.status, back.location]).toEqual([303, '../../account/identities'])
    expect((await browser.open(path)).text).toContain('<bdi>alice@google.example</bdi>')
    expect(await identitiesOf()).toMatchObject([{ ...identity, provider: 'google' }])
    const other = await people.withGoogle('alice')
    expect((await people.accountOf(other)).record.id).toBe((await people.accountOf(browser)).record.id)
  })

  test('is linked by nobody without the password', async () => {
    const asked = await act(browser, path, { act: 'add', provider: 'google' })
    expect([asked.status, asked.location]).toEqual([200, null])
    // The browser goes on to the provider, and holds that to the policy of the page that the form is on.
    expect(asked.headers.get('content-security-policy')).not.toContain('form-action')
    const wrong = await browser.send(path, { ...asked.fields, current_password: 'wrong' })
    expect([wrong.status, alertOf(wrong)]).toEqual([401, 'This is not your current password.'])
    expect((await browser.send(path, { ...asked.fields, ...confirmed })).location).toMatch(/^https:\/\/google\.example/)
  })

  test('is not linked in another session than it was asked for in', async () => {
    await people.world.addAccount('bob')
    const away = await leave()
    const { fields } = await browser.open('/login?again=1')
    await browser.send('/login', { ...fields, login_name: 'bob', password: confirmed.current_password })
    expect((await people.comeBack(browser, away, 'alice')).status).toBe(403)
    expect(await identitiesOf()).toEqual([])
  })

  test('that is somebody else’s is not linked', async () => {
    await people.withGoogle('carol')
    const sent = await link('carol')
    expect([sent.status, sent.location]).toEqual([303, '../../account/identities?refused=taken'])
    const page = await browser.open(`${path}?refused=taken`)
    expect([page.status, page.text.includes('belongs to another account')]).toEqual([409, true])
    expect((await browser.open(`${path}?refused=constructor`)).status).toBe(200)
    expect(await identitiesOf()).toEqual([])
  })

  test('of an unknown provider is none', async () => {
    expect((await act(browser, path, { act: 'add', provider: 'constructor', ...confirmed })).status).toBe(404)
  })

  test('is removed, and told to its owner and the journal', async () => {
    await link()
    const asked = await act(browser, path, { act: 'remove', ...identity })
    expect([asked.status, asked.text.includes('<bdi>Google</bdi>')]).toEqual([200, true])
    expect((await browser.send(path, { ...asked.fields, current_password: 'wrong' })).status).toBe(401)
    expect(await identitiesOf()).toHaveLength(1)
    const sent = await browser.send(path, { ...asked.fields, ...confirmed })
    expect([sent.status, sent.location]).toEqual([303, '../account/identities?done=identity_removed'])
    expect(noticeOf(await browser.open(`${path}?done=identity_removed`))).toBeDefined()
    expect(await identitiesOf()).toEqual([])
    const { id } = (await people.accountOf(browser)).record
    expect(await people.told('account.identity_unlinked')).toMatchObject([{ actor: { kind: ActorKind.PERSON, id } }])
    expect(people.world.letters.map(({ subject }) => subject)).toContainEqual(expect.stringContaining('no longer'))
    const other = await people.withGoogle('alice')
    expect((await people.accountOf(other)).record.id).not.toBe(id)
  })

  test('that is removed ends every other session and token', async () => {
    await link()
    const other = await people.withGoogle('alice')
    await act(browser, path, { act: 'remove', ...identity, ...confirmed })
    const { changes, sessions } = people.world.authorization
    const own = people.sessionOf(browser)
    expect(changes).toMatchObject([{ change: SubjectChange.SIGN_OUT, reason: 'identity_removed', except: { id: own } }])
    expect([...sessions.keys()]).toEqual([own])
    expect((await other.open(path)).location).toContain('login')
  })

  test('that is the only way to sign in stays', async () => {
    const carol = await people.withGoogle('carol')
    const own = { issuer: 'https://google.example', subject: 'carol' }
    const page = await act(carol, path, { act: 'remove', confirmed: 'yes', ...own })
    expect([page.status, alertOf(page)]).toEqual([409, expect.stringContaining('only way')])
    expect(await identitiesOf(carol)).toHaveLength(1)
  })

  test('of somebody else is not removed', async () => {
    const carol = await people.withGoogle('carol')
    const own = { issuer: 'https://google.example', subject: 'carol' }
    expect((await act(browser, path, { act: 'remove', ...own, ...confirmed })).location).toBe('../account/identities')
    expect(await identitiesOf(carol)).toHaveLength(1)
  })
})
