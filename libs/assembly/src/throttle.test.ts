import { createLimiters } from '@countersign/chassis'
import { redisCli, startRedis, startRedisCluster, until, type RedisServer } from '@countersign/servers'
import { openRedisConnection, type RedisConnection } from '@countersign/store/open'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'

/** Short, so that what is away is told soon; long enough for a busy machine. */
const commandTimeoutMs = 1_000

let server: RedisServer
const endings: (() => Promise<unknown>)[] = []
beforeAll(async () => void (server = await startRedis()))
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})
afterAll(async () => server.stop())

/** As one replica has them: on a connection of its own. */
async function replica(url = server.url) {
  let connection: RedisConnection | undefined
  // A cluster that has just been made may not be one yet.
  await until(async () => (connection = await openRedisConnection({ url, commandTimeoutMs })) !== undefined)
  endings.push(() => connection!.close())
  const states: string[] = []
  const clock = { nowMs: 0 }
  const onState = (state: string, detail: string) => void states.push(`${state}: ${detail}`)
  const limiters = createLimiters({ redis: connection, onState, nowMs: () => clock.nowMs })
  return { limiters, states, clock }
}

const minuteMs = 60_000
/** Seconds that are left of a minute which has just begun, on a slow machine too. */
const aMinute: unknown = expect.closeTo(56, -1)
const tooMany = expect.objectContaining({ code: 'too_many_requests', retryAfterSeconds: aMinute })
const cli = (...args: string[]) => redisCli(server.port, ...args).trim()

test('replicas share the counts; limiters of another name do not', async () => {
  const [one, other] = await Promise.all([replica(), replica()])
  const options = { name: 'shared', points: 4, durationMs: minuteMs }
  const [here, there] = [one.limiters(options), other.limiters(options)]
  await Promise.all([here.fail('a'), there.fail('a'), here.take('a')])
  expect(await there.blockedSeconds('a')).toBeUndefined()
  await there.take('a')
  expect(await here.blockedSeconds('a')).toEqual(aMinute)
  await expect(here.take('a')).rejects.toEqual(tooMany)
  await expect(there.take('a')).rejects.toEqual(tooMany)
  expect(await here.blockedSeconds('b')).toBeUndefined()
  await other.limiters({ ...options, name: 'another' }).take('a')
  expect(one.states).toEqual([])
})

test('100 requests at once, at two replicas, get as many points as there are', async () => {
  const [one, other] = await Promise.all([replica(), replica()])
  const options = { name: 'parallel', points: 10, durationMs: minuteMs }
  const limiters = [one.limiters(options), other.limiters(options)]
  const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => limiters[n % 2]!.take('a')))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
})

test('Redis holds no address and no name, and nothing for longer than the window', async () => {
  cli('FLUSHALL')
  const { limiters } = await replica()
  const limiter = limiters({ name: 'token', points: 2, durationMs: 2_000 })
  for (let n = 0; n < 5; n++) await limiter.fail('203.0.113.7 web')
  await limiter.fail('2001:db8::7 {tag}\r\n*')
  const keys = cli('KEYS', '*').split('\n')
  expect(keys).toHaveLength(2)
  for (const key of keys) {
    expect(key).toMatch(/^cs:throttle:token:[\w-]{22}$/)
    expect(Number(cli('PTTL', key))).toBeGreaterThan(0)
    expect(Number(cli('PTTL', key))).toBeLessThanOrEqual(2_000)
    expect(Number(cli('GET', key))).toBeLessThanOrEqual(5)
  }
  expect(await limiter.blockedSeconds('203.0.113.7 web')).toBeGreaterThan(0)
  await until(async () => (await limiter.blockedSeconds('203.0.113.7 web')) === undefined)
  await until(() => cli('DBSIZE') === '0')
})

test.each([
  ['killed', () => server.kill(), () => server.start()],
  ['stopped', async () => server.pause(), async () => server.resume()],
  [
    'out of memory',
    async () => cli('CONFIG', 'SET', 'maxmemory', '1'),
    async () => cli('CONFIG', 'SET', 'maxmemory', '0'),
  ],
] as const)(
  'Redis is %s: each counts in its memory, says so once, and shares again afterwards',
  async (_, fail, mend) => {
    cli('FLUSHALL')
    const { limiters, states, clock } = await replica()
    const [first, second] = ['a', 'b'].map((name) => limiters({ name, points: 3, durationMs: minuteMs }))
    await first!.take('k')
    await fail()
    try {
      const begun = performance.now()
      await Promise.all([first!.take('k'), second!.fail('k'), second!.fail('k'), first!.take('k')])
      expect(performance.now() - begun).toBeLessThan(2 * commandTimeoutMs)
      const away = performance.now()
      await Promise.all([first!.take('k'), second!.fail('k')])
      await expect(first!.take('k')).rejects.toEqual(tooMany)
      expect(await second!.blockedSeconds('k')).toEqual(aMinute)
      expect(performance.now() - away).toBeLessThan(commandTimeoutMs / 2)
      clock.nowMs += 10_000
      await expect(first!.take('k')).rejects.toEqual(tooMany)
      expect(states).toEqual([expect.stringMatching(/^down: the store cannot answer now/)])
    } finally {
      await mend()
    }
    await until(async () => {
      clock.nowMs += 10_000
      await second!.fail('probe')
      return states.length === 2
    })
    expect(states[1]).toBe('up: counts are shared again')
    expect(await second!.blockedSeconds('k')).toBeUndefined()
  },
)

test('Redis that answers with an error for one key refuses nobody', async () => {
  const { limiters, states } = await replica()
  const limiter = limiters({ name: 'wrong', points: 1, durationMs: minuteMs })
  await limiter.fail('k')
  const [key] = cli('KEYS', 'cs:throttle:wrong:*').split('\n')
  cli('SET', key!, 'words')
  await limiter.take('k')
  await expect(limiter.take('k')).rejects.toEqual(tooMany)
  expect(states).toHaveLength(1)
})

test('a cluster counts each key on its node', async () => {
  const cluster = await startRedisCluster()
  try {
    const [one, other] = await Promise.all([replica(cluster.url), replica(cluster.url)])
    const options = { name: 'cluster', points: 2, durationMs: minuteMs }
    const [here, there] = [one.limiters(options), other.limiters(options)]
    const keys = Array.from({ length: 30 }, (_, n) => `k${n}`)
    await Promise.all(keys.flatMap((key) => [here.take(key), there.fail(key)]))
    expect(await Promise.all(keys.map((key) => here.blockedSeconds(key)))).toEqual(keys.map(() => aMinute))
    const held = cluster.nodes.map(({ port }) => Number(redisCli(port, 'DBSIZE')))
    expect(held.reduce((sum, count) => sum + count)).toBe(30)
    expect(Math.min(...held)).toBeGreaterThan(0)
    expect([...one.states, ...other.states]).toEqual([])
  } finally {
    for (const end of endings.splice(0)) await end()
    await cluster.stop()
  }
})
