import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Browser } from '../testing/browser.ts'
import { openWorld, password, type World } from '../testing/world.ts'

let world: World
let browser: Browser
beforeEach(async () => {
  world = await openWorld()
  browser = new Browser(world.origin)
})
afterEach(() => world.close())

const link = '/setup?token=the-setup-token'
const filled = {
  login_name: 'Ada',
  name: 'Ada Lovelace',
  email: 'ada@example.org',
  password,
  password_again: password,
}

describe('setting up', () => {
  test('makes the first account, signs it in, and tells', async () => {
    const { fields } = await browser.open(link)
    const page = await browser.send('/setup', { ...fields, ...filled })
    expect([page.status, page.location]).toEqual([303, 'login'])
    expect((await browser.open('/login')).text).toContain('<bdi>Ada</bdi>')
    const account = (await world.service.directory.findByLoginName('ada'))!
    expect(account.record.id).toMatch(/^[\w-]{22}$/)
    expect(JSON.parse(account.record.claims)).toEqual({
      name: 'Ada Lovelace',
      email: 'ada@example.org',
      email_verified: false,
    })
    expect(world.authorization.signIns[0]!.subject).toBe(account.record.id)
    const [event] = await world.events()
    expect(event).toMatchObject({ type: 'account.created', subject: account.record.id, partition: account.partition })
    expect(JSON.stringify(event)).not.toMatch(/Ada|correct horse|setup-token/)
  })

  test('works once: the link is dead as soon as there is an account, however that came', async () => {
    const { fields } = await browser.open(link)
    await world.addAccount('somebody')
    expect((await browser.send('/setup', { ...fields, ...filled })).status).toBe(404)
    expect((await browser.open(link)).status).toBe(404)
    expect(await world.service.directory.findByLoginName('ada')).toBeUndefined()
  })

  test('by many at once makes one account', async () => {
    const visitors = Array.from({ length: 12 }, () => new Browser(world.origin))
    const opened = await Promise.all(visitors.map((visitor) => visitor.open(link)))
    const posts = visitors.map((visitor, n) =>
      visitor.send('/setup', { ...opened[n]!.fields, ...filled, login_name: `ada-${n}` }),
    )
    const statuses = (await Promise.all(posts)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 303)).toHaveLength(1)
    for (const status of statuses) expect([303, 404, 409]).toContain(status)
    const names = await Promise.all(statuses.map((_, n) => world.service.directory.findByLoginName(`ada-${n}`)))
    expect(names.filter(Boolean)).toHaveLength(1)
    expect((await world.events()).filter(({ type }) => type === 'account.created')).toHaveLength(1)
  })

  test.each(['', '?token=', '?token=the-setup-toke', '?token=the-setup-tokenn', '?token=x&token=the-setup-token'])(
    'needs the link whole: %j does not do',
    async (query) => {
      expect((await browser.open(`/setup${query}`)).status).toBeGreaterThanOrEqual(400)
      const { fields } = await browser.open(link)
      const posted = await browser.send('/setup', { ...fields, ...filled, token: query.slice(7) })
      expect(posted.status).toBe(404)
    },
  )

  test('is off where there is no link', async () => {
    const other = await openWorld({ setupToken: undefined })
    try {
      for (const path of [link, '/setup', '/setup?token=undefined'])
        expect((await new Browser(other.origin).open(path)).status).toBe(404)
    } finally {
      await other.close()
    }
  })

  test.each([
    [{ login_name: '' }, 'login name'],
    [{ login_name: 'a\u202eb' }, 'login name'],
    [{ email: 'not one' }, 'e-mail address'],
    [{ password: 'short', password_again: 'short' }, 'at least 10'],
    [{ password_again: `${password}.` }, 'not the same'],
    [{ login_name: password.toUpperCase() }, 'must not be made of your own name'],
  ])('with %j is refused for its reason, and nothing typed is lost but passwords', async (wrong, reason) => {
    const { fields } = await browser.open(link)
    const page = await browser.send('/setup', { ...fields, ...filled, ...wrong })
    expect(page.status).toBe(400)
    expect(page.text).toContain(reason)
    expect(page.fields.name).toBe('Ada Lovelace')
    expect(page.text).not.toContain(password)
    expect(await world.service.directory.hasAny()).toBe(false)
    expect((await browser.send('/setup', { ...page.fields, ...filled })).status).toBe(303)
  })
})
