import { redisCli, startRedis, type RedisServer } from '@countersign/servers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newCommitId } from '../commit-id.ts'
import { failure } from '../conformance/failure.ts'
import { cleanup } from '../conformance/cleanup.ts'
import { until } from '../conformance/harness.ts'
import { inspectRedis, openRedisStore } from './redis-store.ts'
import { UnsafeStoreError } from './safety.ts'

const required = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' }
const ending = cleanup()
const empty = { partition: 0, checks: [], puts: [], deletes: [], events: [], facts: [] }

describe('a Redis that may lose what it acknowledged', () => {
  let server: RedisServer
  beforeAll(async () => void (server = await startRedis()))
  beforeEach(() => {
    for (const [setting, value] of Object.entries(required)) redisCli(server.port, 'CONFIG', 'SET', setting, value)
  })
  afterAll(async () => server.stop())

  test.each([
    ['appendonly', 'no'],
    ['appendfsync', 'everysec'],
    ['maxmemory-policy', 'allkeys-lru'],
  ])('is refused for %s %s, with how to mend it, unless that is allowed', async (setting, value) => {
    redisCli(server.port, 'CONFIG', 'SET', setting, value)
    const opening = openRedisStore({ url: server.url })
    await expect(opening).rejects.toBeInstanceOf(UnsafeStoreError)
    const mend = `redis-cli CONFIG SET ${setting} ${required[setting as 'appendonly']}`
    await expect(opening).rejects.toThrow(`127.0.0.1:${server.port}: ${setting} is ${value}`)
    await expect(opening).rejects.toThrow(mend)
    ending(await openRedisStore({ url: server.url, allowUnsafe: true }))
    redisCli(server.port, ...mend.split(' ').slice(1))
    ending(await openRedisStore({ url: server.url }))
  })

  test('is refused with every setting that is wrong', async () => {
    redisCli(server.port, 'CONFIG', 'SET', 'appendfsync', 'no', 'maxmemory-policy', 'allkeys-lfu')
    const refusal: unknown = await openRedisStore({ url: server.url }).catch((error: unknown) => error)
    expect((refusal as UnsafeStoreError).settings.map(({ setting }) => setting)).toEqual([
      'appendfsync',
      'maxmemory-policy',
    ])
  })

  test('is refused when it does not say what it is set to; the password is not shown', async () => {
    redisCli(server.port, 'ACL', 'SETUSER', 'ann', 'on', '>sesame', '~*', '+@all', '-config')
    const opening = openRedisStore({ url: `redis://ann:sesame@127.0.0.1:${server.port}` })
    await expect(opening).rejects.toThrow('CONFIG GET is refused')
    await expect(opening).rejects.toThrow('ACL SETUSER')
    await expect(opening).rejects.not.toThrow('sesame')
  })

  test('that becomes so while in use is refused once it is connected to anew, until it is mended', async () => {
    const states: string[] = []
    const onState = (state: string, detail: string) => void states.push(`${state} ${detail}`)
    const store = ending(await openRedisStore({ url: server.url, onState, commandTimeoutMs: 500 }))
    redisCli(server.port, 'CONFIG', 'SET', 'appendfsync', 'everysec')
    redisCli(server.port, 'CLIENT', 'KILL', 'TYPE', 'normal')
    await until(() => states.some((state) => state.includes('appendfsync is everysec')))
    await expect(store.commit({ ...empty, id: newCommitId() })).rejects.toEqual(failure('unavailable'))
    redisCli(server.port, 'CONFIG', 'SET', 'appendfsync', 'always')
    await until(() => states.at(-1) === 'up connected to Redis')
    expect(await store.commit({ ...empty, id: newCommitId() })).toMatchObject({ backlogEvents: 0 })
  })
})

describe('what a Redis is set to', () => {
  test('is told, setting by setting, also when some of it is wrong', async () => {
    const server = ending(await startRedis({ appendfsync: 'everysec' }))
    const settings = await inspectRedis({ url: server.url })
    expect(settings.map(({ setting, value, ok }) => [setting, value, ok])).toEqual([
      ['redis_version', expect.stringMatching(/^\d/), true],
      ['role', 'master', true],
      ['appendonly', 'yes', true],
      ['appendfsync', 'everysec', false],
      ['maxmemory-policy', 'noeviction', true],
    ])
    await server.stop()
    await expect(inspectRedis({ url: server.url, commandTimeoutMs: 300 })).rejects.toEqual(failure('unavailable'))
  })

  test('tells a replica apart, which is refused', async () => {
    const primary = ending(await startRedis())
    const replica = ending(await startRedis({ config: [`replicaof 127.0.0.1 ${primary.port}`] }))
    await expect(openRedisStore({ url: replica.url, commandTimeoutMs: 1_000 })).rejects.toThrow('role is slave')
  })
})
