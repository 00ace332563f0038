import { parseRevision, type Partition } from '@countersign/contracts'
import { redisCli, startRedis, type RedisServer } from '@countersign/servers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { commit, commitOf, freshKey, putOf, tokenFact } from '../conformance/harness.ts'
import { factsKeptMs, maxFactsKept, maxFactsPerRead } from '../limits.ts'
import type { Store } from '../port.ts'
import { harnessOf } from './harness.ts'
import { openRedisStore } from './redis-store.ts'

let server: RedisServer
let store: Store
beforeAll(async () => {
  server = await startRedis()
  store = await openRedisStore({ url: server.url })
})
afterAll(async () => {
  await store.close()
  await server.stop()
})

const cli = (...args: string[]): string => redisCli(server.port, ...args).trim()

describe('applied commit ids', () => {
  /** Commits once in a fresh partition, and makes it seem that minutes passed since. */
  async function commitMinutesAgo(partition: Partition, minutes: number) {
    const secondOfMinute = (Date.now() / 1_000) % 60
    if (secondOfMinute > 55) await sleep((61 - secondOfMinute) * 1_000)
    const harness = harnessOf(store, partition)
    const made = commitOf(harness, { puts: [putOf(freshKey(harness))] })
    await store.commit(made)
    const then = Number(cli('HGET', `cs{${partition}}:.meta`, 'bucket')) - minutes
    const set = `cs{${partition}}:.applied`
    if (minutes % 2 !== 0) cli('RENAME', set + ((then + minutes) % 2), set + (then % 2))
    cli('HSET', `cs{${partition}}:.meta`, 'bucket', String(then))
    const count = () => Number(cli('SCARD', `${set}0`)) + Number(cli('SCARD', `${set}1`))
    return { harness, made, count }
  }

  test('are still known a minute later', async () => {
    const { harness, made, count } = await commitMinutesAgo(1, 1)
    await commit(harness)
    expect(count()).toBe(2)
    await commit(harness, { deletes: [made.puts[0]!.key] })
    expect(await store.commit(made)).toMatchObject({ firstSequence: undefined })
    expect(await store.get([made.puts[0]!.key])).toEqual([undefined])
  })

  test.each([2, 3])('are forgotten %i minutes later, so that they do not pile up', async (minutes) => {
    const { harness, count } = await commitMinutesAgo(minutes, minutes)
    await commit(harness)
    expect(count()).toBe(1)
  })

  test('are kept when the clock goes back', async () => {
    const { harness, made, count } = await commitMinutesAgo(4, -5)
    await commit(harness)
    expect(count()).toBe(2)
    expect(await store.commit(made)).not.toBe('conflict')
    expect(count()).toBe(2)
  })
})

describe('facts', () => {
  /** As if so many facts had been committed, each so long ago. */
  function pretendFacts(partition: Partition, count: number, agoMs: number): void {
    const script = `for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], i .. '-0', 'k', 'token', 'i', 'x', 't', ARGV[2]) end`
    cli('EVAL', script, '1', `cs{${partition}}:.facts`, String(count), String(Date.now() - agoMs))
    cli('HSET', `cs{${partition}}:.meta`, 'facts', String(count))
  }

  test('are dropped when they are old, a bounded number at a time', async () => {
    const harness = harnessOf(store, 10)
    await commit(harness)
    pretendFacts(10, 100, factsKeptMs + 1_000)
    const left: number[] = []
    for (let n = 0; n < 5; n++) {
      await commit(harness, { facts: [tokenFact('new')] })
      left.push(Number(cli('XLEN', 'cs{10}:.facts')))
    }
    expect(left[0]).toBeGreaterThan(50)
    expect(left[4]).toBe(5)
  })

  test('are kept while they are young', async () => {
    const harness = harnessOf(store, 11)
    const { revision } = await commit(harness)
    pretendFacts(11, 50, factsKeptMs - 60_000)
    await commit(harness, { facts: [tokenFact('new')] })
    expect((await store.facts(11, revision)).facts).toHaveLength(51)
  })

  test('are never more than so many', async () => {
    const harness = harnessOf(store, 12)
    await commit(harness)
    pretendFacts(12, maxFactsKept, 0)
    await commit(harness, { facts: [tokenFact('one'), tokenFact('two')] })
    expect(cli('XLEN', 'cs{12}:.facts')).toBe(String(maxFactsKept))
  })

  test('are given up to so many at once; whoever is further behind starts anew', async () => {
    const { epoch } = parseRevision((await commit(harnessOf(store, 13))).revision)!
    pretendFacts(13, maxFactsPerRead + 1, 0)
    const log = await store.facts(13, `13:${epoch}:1`)
    expect([log.complete, log.facts.length]).toEqual([true, maxFactsPerRead])
    expect(await store.facts(13, `13:${epoch}:0`)).toMatchObject({ complete: false, facts: [] })
  })
})

describe('a listing', () => {
  test('goes when its last member expires, though nobody reads it or writes to it', async () => {
    const harness = harnessOf(store, 20)
    const [brief, lasting, listing] = [freshKey(harness), freshKey(harness), freshKey(harness, 'list')]
    const listedIn = [listing]
    const ttl = () => Number(cli('PTTL', `cs{20}:.l/${listing.slice('20:'.length)}`))
    await commit(harness, { puts: [putOf(brief, 'v', { listedIn, expiresAt: Date.now() + 60_000 })] })
    expect(ttl()).toBeGreaterThan(50_000)
    await commit(harness, { puts: [putOf(lasting, 'v', { listedIn, expiresAt: Date.now() + 600_000 })] })
    expect(ttl()).toBeGreaterThan(500_000)
    await commit(harness, { puts: [putOf(lasting)] })
    expect(ttl()).toBe(-1)
    await commit(harness, { deletes: [lasting] })
    expect(ttl()).toBeLessThanOrEqual(60_000)
    expect(ttl()).toBeGreaterThan(0)
  })

  test('is rid of an entry that went by no commit of ours', async () => {
    const harness = harnessOf(store, 21)
    const [gone, stays, listing] = [freshKey(harness), freshKey(harness), freshKey(harness, 'list')]
    await commit(harness, { puts: [gone, stays].map((key) => putOf(key, 'v', { listedIn: [listing] })) })
    cli('DEL', `cs{21}:${gone.slice('21:'.length)}`)
    const page = await store.list(listing, { limit: 10 })
    expect([page.entries.map(({ key }) => key), page.next]).toEqual([[stays], undefined])
    expect(cli('ZCARD', `cs{21}:.l/${listing.slice('21:'.length)}`)).toBe('1')
  })
})
