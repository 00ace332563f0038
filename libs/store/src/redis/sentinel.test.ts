import { redisCli, startRedis, startRedisSentinel, type RedisSentinel } from '@countersign/servers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newCommitId } from '../commit-id.ts'
import { failure } from '../conformance/failure.ts'
import { cleanup } from '../conformance/cleanup.ts'
import { commit, freshKey, putOf, until, valueOf } from '../conformance/harness.ts'
import { checkLoad } from '../conformance/check-load.ts'
import { startLoad } from '../conformance/load.ts'
import { storeConformanceCore } from '../conformance/suite.ts'
import { harnessOf, openWhenUp, succeeds } from './harness.ts'
import { openRedisStore } from './redis-store.ts'

const ending = cleanup()

describe('behind Sentinel', () => {
  let sentinel: RedisSentinel
  beforeAll(async () => void (sentinel = await startRedisSentinel()))
  afterAll(async () => sentinel.stop())

  storeConformanceCore('the store behind Sentinel', async () =>
    harnessOf(await openRedisStore({ url: sentinel.url }), 0, [sentinel.primary.port]),
  )

  test('when the primary dies, calls go on at the new one, which has what waited for its replica', async () => {
    const waiting = ending(await openRedisStore({ url: sentinel.url, waitReplicas: 1, commandTimeoutMs: 2_000 }))
    const plain = ending(harnessOf(await openRedisStore({ url: sentinel.url, commandTimeoutMs: 2_000 }), 1))
    const key = freshKey(plain)
    await commit(plain, { puts: [putOf(key, 'before')] })
    const loaded = harnessOf(waiting, 2)
    await until(() => succeeds(commit(loaded)))
    const { revision } = await waiting.facts(2, undefined)
    const load = ending(startLoad(loaded, 8))
    await until(() => load.acknowledged.size > 100)
    await sentinel.primary.kill()
    await until(() => succeeds(commit(plain, { puts: [putOf(key, 'after')] })))
    expect(redisCli(sentinel.replica.port, 'ROLE')).toContain('master')
    expect(await valueOf(plain, key)).toBe('after')
    await load.stop()
    await checkLoad({ ...loaded, store: plain.store }, load, revision)
  }, 60_000)
})

describe('with replicas to wait for', () => {
  test('a commit is acknowledged once enough have it, else unavailable; made again, it waits again', async () => {
    const primary = ending(await startRedis({ config: ['repl-diskless-sync-delay 0'] }))
    const replica = ending(await startRedis({ config: [`replicaof 127.0.0.1 ${primary.port}`] }))
    await until(() => redisCli(primary.port, 'INFO', 'replication').includes('state=online'))
    const store = ending(await openRedisStore({ url: primary.url, waitReplicas: 1, commandTimeoutMs: 1_000 }))
    const harness = harnessOf(store, 0)
    const key = freshKey(harness)
    const redisKey = `cs{0}:${key.slice('0:'.length)}`
    await until(() => succeeds(commit(harness)))
    await Promise.all(Array.from({ length: 50 }, () => commit(harness)))
    await commit(harness, { puts: [putOf(key)] })
    expect(redisCli(replica.port, 'EXISTS', redisKey)).toContain('1')
    replica.pause()
    const made = { id: newCommitId(), puts: [putOf(key, 'alone')] }
    await expect(commit(harness, made)).rejects.toEqual(failure('unavailable'))
    await expect(commit(harness, made)).rejects.toEqual(failure('unavailable'))
    expect(await valueOf(harness, key)).toBe('alone')
    const another = ending(await openRedisStore({ url: primary.url, waitReplicas: 1, commandTimeoutMs: 1_000 }))
    await expect(commit({ ...harness, store: another }, made)).rejects.toEqual(failure('unavailable'))
    replica.resume()
    await until(() => succeeds(commit(harness, made)))
    expect(redisCli(replica.port, 'GETRANGE', redisKey, '18', '-1')).toContain('alone')
  })
})

describe('reads', () => {
  test('are not answered by a primary that became a replica, nor by one cut off from its replicas', async () => {
    const server = ending(await startRedis({ config: ['repl-diskless-sync-delay 0'] }))
    const other = ending(await startRedis())
    const store = ending(await openRedisStore({ url: server.url, commandTimeoutMs: 500 }))
    const harness = harnessOf(store, 0)
    const key = freshKey(harness)
    await commit(harness, { puts: [putOf(key)] })
    const asks = [() => store.get([key]), () => store.follow(key), () => store.list(key, { limit: 1 })]
    const all = [...asks, () => store.facts(0, undefined), () => store.outbox(0).read(0, 1)]
    for (const [stray, back] of [
      [`REPLICAOF 127.0.0.1 ${other.port}`, 'REPLICAOF NO ONE'],
      ['CONFIG SET min-replicas-to-write 1', 'CONFIG SET min-replicas-to-write 0'],
    ] as const) {
      redisCli(server.port, ...stray.split(' '))
      for (const ask of all) await expect(ask()).rejects.toEqual(failure('unavailable'))
      redisCli(server.port, ...back.split(' '))
      const opened = await openWhenUp({ url: server.url })
      await opened.follow(key)
      await opened.close()
      await until(() => succeeds(store.follow(key)))
    }
  })
})
