import { decodeEvent } from '@countersign/contracts'
import { freePort, redisCli, startRedis, type RedisServer } from '@countersign/servers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newCommitId } from '../commit-id.ts'
import { failure } from '../conformance/failure.ts'
import {
  commit,
  commitOf,
  eventsOf,
  freshKey,
  putOf,
  tokenFact,
  until,
  valueOf,
  type Harness,
} from '../conformance/harness.ts'
import { inspect } from 'node:util'
import type { Store } from '../port.ts'
import { openRedisStore } from './redis-store.ts'

let server: RedisServer
let store: Store
const states: string[] = []
let at: Harness

/** Short, so that failing is quick; long enough for a busy machine. */
const commandTimeoutMs = 1_000

beforeAll(async () => {
  server = await startRedis()
  store = await openRedisStore({ url: server.url, commandTimeoutMs, onState: (state) => void states.push(state) })
  at = { store, partition: 0 } as Harness
})
afterAll(async () => {
  await store.close()
  await server.stop()
})

const cli = (...args: string[]): string => redisCli(server.port, ...args).trim()
const calls = (command: string): number =>
  Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(cli('INFO', 'commandstats'))?.[1] ?? 0)

/** Everything that the store can be asked; each must fail as unavailable. */
const everyCall = (): Promise<unknown>[] => [
  commit(at, { puts: [putOf(freshKey(at))] }),
  store.get([freshKey(at)]),
  store.follow(freshKey(at)),
  store.list(freshKey(at), { limit: 1 }),
  store.facts(0, undefined),
  store.outbox(0).read(0, 1),
  store.outbox(0).size(),
  store.outbox(0).remove([{ sequence: 1, eventId: 'x' }]),
  store.ping(),
]

const unavailable = { status: 'rejected', reason: failure('unavailable') }

describe('one round trip', () => {
  test('a follow is one command, and follows of one turn share it', async () => {
    const [token, grant] = [freshKey(at), freshKey(at)]
    await commit(at, { puts: [putOf(grant), putOf(token, 'v', { links: [grant] })] })
    await store.follow(token)
    cli('CONFIG', 'RESETSTAT')
    for (let n = 0; n < 10; n++) await store.follow(token)
    expect(calls('evalsha')).toBe(10)
    const followed = await Promise.all(Array.from({ length: 100 }, () => store.follow(token)))
    expect(calls('evalsha')).toBe(11)
    await Promise.all(Array.from({ length: 300 }, () => store.follow(token)))
    expect([calls('evalsha'), calls('eval')]).toEqual([14, 0])
    expect(followed.map((entries) => entries?.length)).toEqual(followed.map(() => 2))
  })
})

describe('Redis forgets', () => {
  test('its scripts: they are sent again', async () => {
    const [key, listing] = [freshKey(at), freshKey(at)]
    for (const ask of [
      () => commit(at, { puts: [putOf(key, 'v', { listedIn: [listing] })] }),
      () => store.follow(key),
      () => store.list(listing, { limit: 1 }),
      () => store.facts(0, undefined),
      () => store.outbox(0).read(0, 1),
      async () => (await store.outbox(0).remove([{ sequence: 1, eventId: 'x' }])) ?? true,
    ]) {
      cli('SCRIPT', 'FLUSH')
      expect(await ask()).toBeDefined()
    }
    cli('SCRIPT', 'FLUSH')
    await Promise.all(Array.from({ length: 50 }, () => commit(at, { puts: [putOf(freshKey(at))] })))
  })

  test('the connection: calls under way go out again, and no commit is applied twice', async () => {
    const size = await store.outbox(0).size()
    const commits = Array.from({ length: 300 }, async (_, n) => {
      if (n % 60 === 30) cli('CLIENT', 'KILL', 'TYPE', 'normal')
      const id = newCommitId()
      return commit(at, { id, events: eventsOf(at, id) })
    })
    await Promise.all(commits)
    expect(await store.outbox(0).size()).toBe(size + commits.length)
    expect(states.slice(0, 3)).toEqual(['up', 'down', 'up'])
  })
})

describe('Redis is out of memory', () => {
  test('commits are refused with nothing half-written, reads go on, and so do commits once there is room', async () => {
    const probe = freshKey(at)
    await commit(at, { puts: [putOf(probe, 'held')] })
    const used = Number(/used_memory:(\d+)/.exec(cli('INFO', 'memory'))![1])
    cli('CONFIG', 'SET', 'maxmemory', String(used + 3_000_000))
    const { revision } = await store.facts(0, undefined)
    const size = await store.outbox(0).size()
    const made: { keys: string[]; ok: boolean }[] = []
    while (made.at(-1)?.ok !== false) {
      const id = newCommitId()
      const keys = Array.from({ length: 20 }, () => freshKey(at))
      const puts = keys.map((key) => ({ key, value: new Uint8Array(5_000) }))
      const outcome = await commit(at, { id, puts, events: eventsOf(at, id), facts: [tokenFact(id)] }).catch(
        (e: unknown) => e,
      )
      if (outcome instanceof Error) expect(outcome).toEqual(failure('unavailable'))
      made.push({ keys, ok: !(outcome instanceof Error) })
    }
    const applied = made.filter(({ ok }) => ok).length
    cli('CONFIG', 'SET', 'maxmemory', '1')
    expect(await store.get(made.at(-1)!.keys)).toEqual(made.at(-1)!.keys.map(() => undefined))
    expect(await store.outbox(0).size()).toBe(size + applied)
    expect((await store.facts(0, revision)).facts).toHaveLength(applied)
    expect(await valueOf(at, probe)).toBe('held')
    const events = await store.outbox(0).read(0, 1_000)
    await store.outbox(0).remove(events.map(({ sequence, event }) => ({ sequence, eventId: decodeEvent(event).id })))
    expect(await store.outbox(0).size()).toBe(0)
    cli('CONFIG', 'SET', 'maxmemory', '0')
    expect(await commit(at, { puts: [putOf(probe, 'again')] })).toBeDefined()
  })
})

describe('something else is where', () => {
  test.each(['.outbox', '.facts', '.applied0', '.applied1', '.meta', '.l/odd', 'checked', 'deleted'])(
    '%s should be: nothing is written, and it says internal',
    async (name) => {
      const partition = 7
      const there = { ...at, partition }
      const keep = freshKey(there)
      await commit(there, { puts: [putOf(keep, 'kept')] })
      cli('DEL', `cs{7}:${name}`)
      cli(
        ...(name === '.outbox' || name === '.facts'
          ? ['SET', `cs{7}:${name}`, 'x']
          : ['XADD', `cs{7}:${name}`, '*', 'a', 'b']),
      )
      const before = cli('KEYS', 'cs{7}:*').split('\n').sort()
      const id = newCommitId()
      const made = commitOf(there, {
        id,
        checks: [{ key: '7:checked', version: null }],
        puts: [putOf(keep, 'changed'), putOf(freshKey(there), 'v', { listedIn: ['7:odd'] })],
        deletes: ['7:deleted'],
        events: eventsOf(there, id),
        facts: [tokenFact(id)],
      })
      const error: unknown = await store.commit(made).catch((thrown: unknown) => thrown)
      expect(error).toEqual(failure('internal'))
      expect(inspect(error, { depth: 10 })).not.toContain(id)
      expect(cli('KEYS', 'cs{7}:*').split('\n').sort()).toEqual(before)
      expect(await valueOf(there, keep)).toBe('kept')
      redisCli(server.port, 'DEL', ...before)
    },
  )

  test('an epoch should be, but the outbox is there: nothing is written', async () => {
    const there = { ...at, partition: 8 }
    const id = newCommitId()
    await commit(there, { id, events: eventsOf(there, id) })
    cli('DEL', 'cs{8}:.meta')
    await expect(commit(there)).rejects.toEqual(failure('internal'))
    expect(cli('EXISTS', 'cs{8}:.meta')).toBe('0')
  })
})

describe('Redis answers nothing', () => {
  test('while it is stopped: every call is unavailable in time, and it recovers by itself', async () => {
    server.pause()
    const started = performance.now()
    expect(await Promise.allSettled(everyCall())).toEqual(Array(9).fill(unavailable))
    expect(performance.now() - started).toBeLessThan(commandTimeoutMs * 5)
    expect(await Promise.allSettled(everyCall())).toEqual(Array(9).fill(unavailable))
    server.resume()
    await until(async () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    )
    expect(await commit(at, { puts: [putOf(freshKey(at))] })).toBeDefined()
  })

  test('while it is down: every call is unavailable, after a while at once, and it recovers by itself', async () => {
    await server.kill()
    expect(await Promise.allSettled(everyCall())).toEqual(Array(9).fill(unavailable))
    await until(async () => {
      const started = performance.now()
      await Promise.allSettled(everyCall())
      return performance.now() - started < commandTimeoutMs / 4
    })
    expect(states.at(-1)).toBe('down')
    await server.start()
    await until(async () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    )
    expect(await commit(at, { puts: [putOf(freshKey(at))] })).toBeDefined()
    expect(states.at(-1)).toBe('up')
  })

  test('from the beginning: opening fails as unavailable, and shows no password', async () => {
    const url = `redis://ann:sesame@127.0.0.1:${await freePort()}`
    const opening = openRedisStore({ url, commandTimeoutMs: 300 })
    await expect(opening).rejects.toEqual(failure('unavailable'))
    await expect(opening).rejects.not.toThrow('sesame')
  })

  test('but that the credentials are wrong: opening fails as unavailable, and shows no password', async () => {
    const opening = openRedisStore({ url: `redis://ann:sesame@127.0.0.1:${server.port}`, commandTimeoutMs: 300 })
    const error: unknown = await opening.catch((thrown: unknown) => thrown)
    expect(error).toEqual(failure('unavailable'))
    expect(inspect(error, { depth: 10 })).not.toContain('sesame')
  })
})
