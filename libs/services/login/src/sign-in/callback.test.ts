import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createRemoteBreaker } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { Browser, type Page } from '../testing/browser.ts'
import { answer, client } from '../testing/fake-authorization.ts'
import { openWorld, type World } from '../testing/world.ts'
import { json } from '../upstream/testing/behaviour.ts'
import { HostileProvider } from '../upstream/testing/hostile-provider.ts'
import { oauth2, oidc } from '../upstream/testing/setting.ts'
import { createUpstreams } from '../upstream/upstreams.ts'

let one: HostileProvider
let two: HostileProvider
let three: HostileProvider
let world: World
let browser: Browser
let closed: Set<string>
let lookedUp: object[]

beforeEach(async () => {
  ;[one, two, three] = [new HostileProvider(), new HostileProvider(), new HostileProvider()]
  await Promise.all([one.start(), two.start(), three.start()])
  three.callback = { iss: undefined }
  closed = new Set()
  lookedUp = []
  const log = { error: () => {}, warn: () => {} }
  const upstreams = createUpstreams({
    providers: [
      { ...oidc(one), id: 'one', rolesClaim: ['groups'], attributes: { team: 'team' } },
      { ...oidc(two), id: 'two' },
      { ...oauth2(three), id: 'plain' },
    ],
    reach: { allowLoopback: true },
    now: Date.now,
    log,
    breaker: () => createRemoteBreaker(),
    pem: () => '',
  })
  const rules = [
    { grant: ['boss'], when: { provider: 'one', email: ['ann@example.org'] } },
    { grant: ['lead'], when: { roles: ['staff', 'directory'] } },
  ]
  const directories = {
    lookUp: async (who: object) => {
      lookedUp.push(who)
      return { roles: ['directory'], attributes: [{ name: 'team', values: ['b'] }] }
    },
    stats: () => [],
  }
  world = await openWorld({ upstreams, rules, directories, mayBegin: (id) => !closed.has(id) })
  world.authorization.waiting.set('r1', { client: client(), asks: false, end: answer('https://app.example/cb?code=1') })
  browser = new Browser(world.origin)
})
afterEach(async () => {
  await Promise.all([world.close(), one.stop(), two.stop(), three.stop()])
})

/** To the provider, and what it sends the browser back with. */
async function depart(
  provider: string,
  path = '/login',
  as = browser,
  upstream = { one, two, plain: three }[provider]!,
) {
  const { fields } = await as.open(path)
  const sent = await as.send('/login', { ...fields, provider })
  expect(sent.status).toBe(303)
  return upstream.authorize(new URL(sent.location!))
}
const come = (back: URL, as = browser): Promise<Page> => as.open(`${back.pathname}${back.search}`)
const signIn = async (provider: string, path = '/login', as = browser) => come(await depart(provider, path, as), as)
const calls = () => one.callsTo('token') + two.callsTo('token')
const signedIn = () => world.authorization.signIns.at(-1)!

describe('signing in with a provider', () => {
  test('makes an account of who is new, and finds it again', async () => {
    const page = await signIn('one', '/login?request=r1')
    expect([page.status, page.location]).toEqual([303, 'https://app.example/cb?code=1'])
    expect(signedIn()).toMatchObject({ provider: 'one', errand: { errand: { value: 'r1' } } })
    const { subject } = signedIn()
    expect(calls()).toBe(1)
    await signIn('one', '/login', new Browser(world.origin))
    expect(signedIn().subject).toBe(subject)
    const told = (await world.events()).filter(({ type }) => type.startsWith('account.'))
    expect(told).toMatchObject([{ type: 'account.created', subject, attributes: { provider: 'one' } }])
  })

  test('tells token-issuer the roles and attributes that provider, rules and directories give together', async () => {
    one.person = { ...one.person, groups: ['staff'], team: ['a'] }
    await signIn('one')
    expect(signedIn()).toMatchObject({
      roles: ['boss', 'directory', 'lead', 'staff'],
      attributes: [{ name: 'team', values: ['a', 'b'] }],
    })
    const who = { provider: 'one', subject: 'ann-1', email: 'ann@example.org', accountId: signedIn().subject }
    expect(lookedUp).toMatchObject([who])
    two.person = { ...two.person, groups: ['admin'] }
    await signIn('two', '/login', new Browser(world.origin))
    expect(signedIn().roles).toEqual(['directory', 'lead'])
  })

  test('the same address at another provider is somebody else', async () => {
    await signIn('one')
    const { subject } = signedIn()
    await signIn('two', '/login', new Browser(world.origin))
    const other = signedIn().subject
    expect(await signIn('plain', '/login', new Browser(world.origin))).toMatchObject({ status: 303 })
    expect(new Set([subject, other, signedIn().subject]).size).toBe(3)
  })

  test('keeps up with what the provider says of a person, and with nothing else', async () => {
    await signIn('one')
    one.person = { ...one.person, name: 'Ann Other' }
    await signIn('one', '/login', new Browser(world.origin))
    const { subject, session } = signedIn()
    const { record } = (await world.service.directory.read(session!.partition, subject))!
    expect(JSON.parse(record.claims)).toMatchObject({ name: 'Ann Other', email: 'ann@example.org' })
    const commits = world.authorization.signIns.length
    await signIn('one', '/login', new Browser(world.origin))
    expect(world.authorization.signIns.length).toBe(commits + 1)
    expect((await world.service.directory.read(session!.partition, subject))!.record).toEqual(record)
  })

  test('is for those who are known where nobody new may begin', async () => {
    closed.add('one')
    const page = await signIn('one')
    expect(page.status).toBe(403)
    expect(page.text).toContain('invitation')
    expect(world.authorization.signIns).toEqual([])
    closed.clear()
    await signIn('one')
    closed.add('one')
    expect((await signIn('one', '/login', new Browser(world.origin))).status).toBe(303)
  })

  test('of many new at once makes one account', async () => {
    const browsers = Array.from({ length: 5 }, () => new Browser(world.origin))
    const backs: URL[] = []
    for (const each of browsers) backs.push(await depart('one', '/login', each))
    const pages = await Promise.all(browsers.map((each, n) => come(backs[n]!, each)))
    const subjects = new Set(world.authorization.signIns.map(({ subject }) => subject))
    expect(subjects.size).toBe(1)
    for (const { status } of pages) expect([303, 409]).toContain(status)
  })

  test('of somebody who is disabled ends at a page', async () => {
    world.authorization.failure = undefined
    const back = await depart('one')
    world.authorization.failure = new Failure('access_denied', 'this account is disabled')
    const page = await come(back)
    expect(page.status).toBe(403)
    expect(page.setCookies.filter((line) => line.startsWith('cs_session='))).toEqual([])
  })
})

describe('the way to a provider', () => {
  test('that is down is a page that leads to the others, and keeps what brought the person here', async () => {
    one.misbehaviour.discovery = (response) => void response.writeHead(500).end('<html>')
    const { fields } = await browser.open('/login?request=r1')
    const page = await browser.send('/login', { ...fields, provider: 'one' })
    expect(page.status).toBe(503)
    expect(page.text).toContain('href="login?request=r1"')
    expect(page.text).toContain('<bdi>one</bdi>')
    expect((await signIn('two', '/login?request=r1')).status).toBe(303)
  })

  test('that there is not is none', async () => {
    const { fields } = await browser.open('/login')
    for (const provider of ['three', 'constructor', 'staff'])
      expect((await browser.send('/login', { ...fields, provider })).status).toBe(404)
  })
})

describe('the way back', () => {
  test.each<[string, (back: URL) => void]>([
    ['without a state', (back) => back.searchParams.delete('state')],
    ['with another state', (back) => back.searchParams.set('state', 'x'.repeat(60))],
    ['with a state that was changed', (back) => back.searchParams.set('state', `${back.searchParams.get('state')}A`)],
    ['with a state that is far too long', (back) => back.searchParams.set('state', 'A'.repeat(9_000))],
    ['of another provider', (back) => (back.pathname = '/login/callback/two')],
    ['of a provider that there is not', (back) => (back.pathname = '/login/callback/three')],
  ])('%s is refused, and the provider is not asked', async (_name, change) => {
    const back = await depart('one')
    change(back)
    const page = await come(back)
    expect(page.status).toBe(400)
    expect(calls()).toBe(0)
    expect(world.authorization.signIns).toEqual([])
  })

  test('is open to the browser that left alone', async () => {
    const back = await depart('one')
    const other = new Browser(world.origin)
    await other.open('/login')
    expect((await come(back, other)).status).toBe(400)
    expect((await come(back, new Browser(world.origin))).status).toBe(400)
    expect(calls()).toBe(0)
    expect((await come(back)).status).toBe(303)
  })

  test('is open once', async () => {
    const back = await depart('one')
    const [first, second] = await Promise.all([come(back), come(back)])
    expect([first.status, second.status].sort()).toEqual([303, 400])
    expect((await come(back)).status).toBe(400)
    expect(calls()).toBe(1)
  })

  test('with a mismatched issuer, or a code of the other provider, ends without a session', async () => {
    const wrongIssuer = await depart('one')
    wrongIssuer.searchParams.set('iss', two.issuer)
    expect((await come(wrongIssuer)).status).toBe(400)
    expect(calls()).toBe(0)
    const stolen = await depart('two', '/login', new Browser(world.origin))
    const back = await depart('one')
    back.searchParams.set('code', stolen.searchParams.get('code')!)
    expect((await come(back)).status).toBe(400)
    expect(world.authorization.signIns).toEqual([])
  })

  test('with an ID token for somebody else’s sign-in ends without a session', async () => {
    one.idToken = { nonce: 'another' }
    const page = await signIn('one', '/login?request=r1')
    expect(page.status).toBe(400)
    expect(page.text).toContain('request=r1')
    expect(world.authorization.signIns).toEqual([])
    const [told] = await world.events()
    expect(told).toMatchObject({ type: 'login.failed', attributes: { provider: 'one' } })
  })

  test('of a person who refused leads to the other ways', async () => {
    const back = await depart('one', '/login?request=r1')
    back.searchParams.delete('code')
    back.searchParams.set('error', 'access_denied')
    back.searchParams.set('error_description', '<script>alert(1)</script>')
    const page = await come(back)
    expect(page.status).toBe(403)
    expect(page.text).toContain('../../login?request=r1')
    expect(page.text).not.toContain('alert(1)')
  })

  test('of a provider that answers nonsense is a page, and the other one goes on', async () => {
    one.misbehaviour.token = (response) => void response.writeHead(500).end('<html>')
    const page = await signIn('one', '/login?request=r1')
    expect(page.status).toBe(503)
    expect(page.text).toContain('login?request=r1')
    expect((await signIn('two', '/login?request=r1')).status).toBe(303)
    one.misbehaviour.token = json({ error: 'invalid_grant' }, 400)
    expect((await signIn('one', '/login', new Browser(world.origin))).status).toBe(400)
  })
})
