import { freePort, startRedis, temporaryFolder } from '@countersign/servers'
import { afterAll, describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { cleanup } from './conformance/cleanup.ts'
import { until } from './conformance/harness.ts'
import { failure } from './conformance/failure.ts'
import { succeeds } from './redis/harness.ts'
import { inspectStore, openRedisConnection, openStore, UnsafeStoreError } from './open.ts'

const folder = temporaryFolder('open')
const ending = cleanup()
afterAll(() => rmSync(folder, { recursive: true }))

describe('a store is opened by its URL', () => {
  test.each(['memory:', `sqlite:${join(folder, 'one.db')}`])('%s', async (url) => {
    const store = ending(await openStore({ url }))
    await store.ping()
    expect(await inspectStore({ url })).toEqual([])
  })

  test('redis://…', async () => {
    const server = ending(await startRedis({ appendfsync: 'everysec' }))
    const states: string[] = []
    const options = { url: server.url, onState: (state: string) => void states.push(state) }
    await expect(openStore(options)).rejects.toBeInstanceOf(UnsafeStoreError)
    const store = ending(await openStore({ ...options, allowUnsafe: true }))
    await store.ping()
    const wrong = (await inspectStore(options)).filter(({ ok }) => !ok)
    expect(wrong).toMatchObject([{ setting: 'appendfsync', value: 'everysec', required: 'always' }])
    expect(states).toContain('up')
  })

  test.each(['', 'sqlite:', 'postgres://ann:hidden@h', 'redis', 'redis://ann:hidden@/x', 'memory:x'])(
    'but not by «%s», of which nothing is shown',
    async (url) => {
      await expect(openStore({ url })).rejects.toThrow(/^the URL of the store must/)
      await expect(openStore({ url })).rejects.not.toThrow('hidden')
    },
  )

  test('the embedded stores do not load what only Redis needs', () => {
    const open = JSON.stringify(new URL('./open.ts', import.meta.url).href)
    const program = `
      import { createRequire } from 'node:module'
      import { openStore } from ${open}
      const isLoaded = () => Object.keys(createRequire(${open}).cache).some((path) => path.includes('ioredis'))
      for (const url of ['memory:', 'sqlite:${join(folder, 'two.db')}']) await (await openStore({ url })).close()
      const before = isLoaded()
      await openStore({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 1 }).catch(() => undefined)
      console.log(before, isLoaded())
    `
    const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], { encoding: 'utf8' })
    expect(child.stdout.trim()).toBe('false true')
  })
})

describe('another connection to the Redis of a store', () => {
  test('is the same client until it is lost, then the next one', async () => {
    const server = ending(await startRedis({ appendfsync: 'no' }))
    const connection = ending((await openRedisConnection({ url: server.url }))!)
    const client = await connection.use(async (given) => given)
    expect(await connection.use((given) => given.set('k', 'v'))).toBe('OK')
    expect(await connection.use(async (given) => given)).toBe(client)
    await server.kill()
    await expect(connection.use((given) => given.get('k'))).rejects.toEqual(failure('unavailable'))
    await server.start()
    await until(() => succeeds(connection.use((given) => given.ping())))
    expect(await connection.use(async (given) => given)).not.toBe(client)
  })

  test('is none where the store is not in Redis, and fails where nobody listens', async () => {
    for (const url of ['memory:', `sqlite:${join(folder, 'three.db')}`])
      expect(await openRedisConnection({ url })).toBeUndefined()
    const nobody = { url: `redis://127.0.0.1:${await freePort()}`, commandTimeoutMs: 200 }
    await expect(openRedisConnection(nobody)).rejects.toEqual(failure('unavailable'))
  })
})
