import { afterEach, describe, expect, test } from '@jest/globals'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { ServerResponse } from 'node:http'
import { LogoutNoticeRecord } from '@countersign/contracts/records'
import type { ClientDefinition } from '@countersign/tokens'
import { limits } from '../limits.ts'
import { logoutNotices, noticePut } from './notices.ts'
import { LogoutNotifier } from './notifier.ts'
import { createNoticePost } from './post.ts'
import { answering, Receiver } from './testing/receiver.ts'
import { issuer, World } from './testing/world.ts'

const { attempts, retryMs, timeoutMs } = limits.notice
const post = createNoticePost({ allowLoopback: true })
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function receiver(...given: ConstructorParameters<typeof Receiver>) {
  const made = new Receiver(...given)
  closing.push(() => made.close())
  return { made, uri: await made.listen() }
}

const application = (id: string, uri: string, more: Partial<ClientDefinition> = {}): ClientDefinition => ({
  id,
  public: true,
  grants: ['authorization_code'],
  backchannelLogoutUri: uri,
  ...more,
})

/** A replica's notifier, whose timer only runs when it is told to. */
function notifierOf(world: World, more: Partial<ConstructorParameters<typeof LogoutNotifier>[0]> = {}) {
  const logged: string[] = []
  const timers: (() => void)[] = []
  const notifier = new LogoutNotifier({
    ...world,
    issuer,
    post,
    clock: { after: (_ms, call) => (timers.push(call), () => undefined) },
    log: { warn: (_fields, message) => void logged.push(message) },
    ...more,
  })
  closing.push(() => notifier.stop())
  return { notifier, logged, timers }
}

const waiting = async (world: World) => (await world.store.list(logoutNotices(0), { limit: 1_000 })).entries.length
const outcomes = async (world: World) =>
  (await world.told())
    .filter(({ type }) => type.startsWith('logout.'))
    .map(({ type, clientId, reason, attributes }) => [type, clientId, reason, attributes.attempts].join(' ').trim())

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const give = performance.now() + 8_000
  while (!(await isSo())) {
    if (performance.now() > give) throw new Error('it never came to be')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Anna has signed out, of a session in which she gave these clients a grant. */
async function signedOut(definitions: readonly ClientDefinition[], toldSubject = ''): Promise<World> {
  const world = await new World(definitions).open()
  const browser = await world.signIn('anna')
  for (const { id } of definitions) await world.grant(id, browser, toldSubject)
  await world.endings.session(browser, 'signed_out', world.by())
  return world
}

/** As if so many attempts to tell a client had been made. */
async function skipTo(world: World, made: number, clientId: string): Promise<void> {
  for (const { value } of (await world.store.list(logoutNotices(0), { limit: 1_000 })).entries) {
    const record = LogoutNoticeRecord.decode(value)
    if (record.clientId !== clientId) continue
    await world.write(0, (commit) => commit.puts.push(noticePut(0, { ...record, attempts: made })))
  }
}

/** Lets replicas look at once, and again when the next attempt is due, until one has made the nth. */
async function attempt(
  world: World,
  replicas: readonly ReturnType<typeof notifierOf>[],
  n: number,
  made: () => number,
) {
  for (const { notifier } of replicas) notifier.nudge(0)
  await until(() => made() >= n)
  world.at += timeoutMs + retryMs * 2 ** (n - 1) - 1
  for (const { notifier } of replicas) notifier.nudge(0)
  // What would be sent too early would have come by now.
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(made()).toBe(n)
  world.at += 1
}

describe('a back-channel logout', () => {
  test('is told with a logout token, and is done with 200 or 204', async () => {
    const [first, second] = [await receiver(answering(200)), await receiver(answering(204))]
    const world = await signedOut([
      application('first', first.uri),
      application('second', second.uri, { idTokenAlgorithm: 'ES256' }),
    ])
    expect(world.woken).toEqual([0])
    notifierOf(world).notifier.nudge(0)
    await until(async () => (await waiting(world)) === 0)
    expect((await outcomes(world)).toSorted()).toEqual(['logout.notified first  1', 'logout.notified second  1'])
    const keys = createLocalJWKSet({ keys: await world.keyRing.publicKeys() })
    for (const [client, alg, { received }] of [
      ['first', 'RS256', first.made],
      ['second', 'ES256', second.made],
    ] as const) {
      expect(received).toHaveLength(1)
      const { headers, body } = received[0]!
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'content-type': 'application/x-www-form-urlencoded',
      })
      const expected = { issuer, audience: client, typ: 'logout+jwt', algorithms: [alg] }
      const { payload } = await jwtVerify(body.get('logout_token')!, keys, expected)
      expect(payload).toMatchObject({
        sub: 'anna',
        sid: expect.stringMatching(/^[\w-]{43}$/),
        jti: expect.any(String),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      })
      expect(payload.exp! - payload.iat!).toBe(120)
      expect(payload).not.toHaveProperty('nonce')
    }
  })

  test('names the person as the application does, and events do not', async () => {
    const { made, uri } = await receiver(answering(200))
    const world = await signedOut([application('pairwise', uri, { pairwiseSector: 'pairwise.example' })], 'p-anna')
    notifierOf(world).notifier.nudge(0)
    await until(async () => (await waiting(world)) === 0)
    const { payload } = (await world.keyRing.verify(made.received[0]!.body.get('logout_token')!))!
    expect(payload.sub).toBe('p-anna')
    expect((await world.told()).at(-1)).toMatchObject({ type: 'logout.notified', subject: '' })
  })

  test('is tried again after failures, with a token of its own each time, and waits in between', async () => {
    const { made, uri } = await receiver((response, n) => void response.writeHead(n < 3 ? 500 : 200).end())
    const world = await signedOut([application('web', uri)])
    const replicas = [notifierOf(world), notifierOf(world)]
    for (let n = 1; n <= 3; n++) await attempt(world, replicas, n, () => made.received.length)
    await until(async () => (await waiting(world)) === 0)
    expect(await outcomes(world)).toEqual(['logout.notified web  3'])
    const ids = await Promise.all(
      made.received.map(async ({ body }) => (await world.keyRing.verify(body.get('logout_token')!))!.payload.jti),
    )
    expect(new Set(ids).size).toBe(3)
  })

  test('is given up after so many attempts, and that is told', async () => {
    const { made, uri } = await receiver(answering(400))
    const world = await signedOut([application('web', uri)])
    const replica = notifierOf(world)
    for (let n = 1; n <= attempts; n++) await attempt(world, [replica], n, () => made.received.length)
    await until(async () => (await waiting(world)) === 0)
    expect(await outcomes(world)).toEqual([`logout.failed web status_400 ${attempts}`])
  })

  test('that a crash cut off in its last attempt is given up, and not sent for ever', async () => {
    const { made, uri } = await receiver(answering(200))
    const world = await signedOut([application('web', uri)])
    await skipTo(world, attempts, 'web')
    notifierOf(world).notifier.nudge(0)
    await until(async () => (await waiting(world)) === 0)
    expect(made.received).toEqual([])
    expect(await outcomes(world)).toEqual([`logout.failed web no_answer ${attempts}`])
  })

  test('to an application that is gone is given up at once', async () => {
    const world = await signedOut([application('web', 'http://127.0.0.1:9/')])
    notifierOf(world, { find: () => undefined }).notifier.nudge(0)
    await until(async () => (await waiting(world)) === 0)
    expect(await outcomes(world)).toEqual(['logout.failed web client_gone 0'])
  })
})

describe('the notifier', () => {
  test('of several replicas sends each notice once', async () => {
    const { made, uri } = await receiver(answering(200))
    const world = await signedOut(Array.from({ length: 20 }, (_, n) => application(`web-${n}`, uri)))
    for (const { notifier } of [notifierOf(world), notifierOf(world), notifierOf(world)]) notifier.nudge(0)
    await until(async () => (await waiting(world)) === 0)
    expect(made.received).toHaveLength(20)
    expect(new Set(await outcomes(world)).size).toBe(20)
  })

  test('finds what a crash has left, when it starts and whenever it looks again', async () => {
    const { made, uri } = await receiver(answering(200))
    const world = await signedOut([application('web', uri)])
    const { notifier, timers } = notifierOf(world)
    notifier.start()
    await until(async () => (await waiting(world)) === 0)
    const browser = await world.signIn('berta')
    await world.grant('web', browser)
    await world.endings.session(browser, 'signed_out', world.by())
    await until(() => timers.length === 1)
    timers[0]!()
    await until(async () => (await waiting(world)) === 0)
    expect(made.received).toHaveLength(2)
  })

  test.each([
    ['hangs', () => undefined, 'no_answer'],
    ['answers 5 MB', (response: ServerResponse) => void response.end(Buffer.alloc(5_000_000)), 'no_answer'],
    [
      'redirects',
      (response: ServerResponse) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
      'status_302',
    ],
  ])('bounds what an application does that %s, and tells others meanwhile', async (_name, answer, reason) => {
    const [bad, good] = [await receiver(answer), await receiver(answering(200))]
    const world = await signedOut([application('bad', bad.uri), application('good', good.uri)])
    const { notifier } = notifierOf(world)
    const beganAt = performance.now()
    await skipTo(world, attempts - 1, 'bad')
    notifier.nudge(0)
    await until(() => good.made.received.length === 1)
    expect(performance.now() - beganAt).toBeLessThan(timeoutMs)
    await until(async () => (await waiting(world)) === 0)
    expect((await outcomes(world)).toSorted()).toEqual([
      `logout.failed bad ${reason} ${attempts}`,
      'logout.notified good  1',
    ])
    expect(bad.made.received).toHaveLength(1)
  })

  test('goes on with the others while one application keeps it waiting for many notices', async () => {
    const [bad, good] = [await receiver(() => undefined), await receiver(answering(200))]
    const world = await new World([application('bad', bad.uri), application('good', good.uri)]).open()
    for (let n = 0; n < 20; n++) {
      const browser = await world.signIn(`person-${n}`)
      await world.grant('bad', browser)
      if (n === 19) await world.grant('good', browser)
      await world.endings.session(browser, 'signed_out', world.by())
    }
    notifierOf(world).notifier.nudge(0)
    await until(() => good.made.received.length === 1)
    expect(bad.made.received.length).toBeLessThanOrEqual(1)
  })

  test('does not go where requests may not go', async () => {
    const { made, uri } = await receiver(answering(200))
    const world = await signedOut([application('web', uri)])
    const { notifier } = notifierOf(world, { post: createNoticePost({ allowLoopback: false }) })
    await skipTo(world, attempts - 1, 'web')
    notifier.nudge(0)
    await until(async () => (await waiting(world)) === 0)
    expect(made.received).toEqual([])
    expect(await outcomes(world)).toEqual([`logout.failed web no_answer ${attempts}`])
  })

  test('begins nothing once it is stopped, and waits for what it has begun', async () => {
    let answer: ServerResponse | undefined
    const { made, uri } = await receiver((response) => (answer = response))
    const world = await signedOut([application('web', uri)])
    const { notifier, timers } = notifierOf(world)
    notifier.start()
    await until(() => answer !== undefined && timers.length === 1)
    const stopped = notifier.stop()
    answer!.end()
    await stopped
    expect(await waiting(world)).toBe(0)
    timers[0]!()
    await notifier.stop()
    expect(made.received).toHaveLength(1)
  })
})
