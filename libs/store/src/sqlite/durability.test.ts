import { temporaryFolder } from '@countersign/servers'
import { afterAll, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
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
import { cleanup } from '../conformance/cleanup.ts'
import { checkLoad } from '../conformance/check-load.ts'
import type { CommitId } from '../port.ts'
import { openSqliteStore } from './sqlite-store.ts'

const folder = temporaryFolder('sqlite')
const ending = cleanup()
afterAll(() => rmSync(folder, { recursive: true }))

const open = async (path: string): Promise<Harness> =>
  ({ store: ending(await openSqliteStore({ path })), partition: 0 }) as Harness

/** A process that commits as `startLoad` does, and prints the id of each commit before it and once it is acknowledged. */
const writer = (path: string): string => `
  import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)}
  import { startLoad } from ${JSON.stringify(new URL('../conformance/load.ts', import.meta.url).href)}
  const store = await openSqliteStore({ path: ${JSON.stringify(path)} })
  startLoad({ store, partition: 0 }, 8, (word, id) => process.stdout.write(word + ' ' + id + '\\n'))
`

async function killWriter(path: string, acknowledged: Set<CommitId>, attempted: CommitId[]): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', writer(path)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const enough = acknowledged.size + 200
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, id] = line.split(' ')
    // The last line may be cut short.
    if (id?.length !== 32) continue
    if (word === 'attempted') attempted.push(id)
    else acknowledged.add(id)
    if (acknowledged.size === enough) child.kill('SIGKILL')
  }
  await exited
}

describe('a process that is killed while it commits', () => {
  test('loses nothing that it acknowledged, and leaves no half of anything', async () => {
    const path = join(folder, 'killed.db')
    const first = await open(path)
    const { revision } = await commit(first)
    await first.store.close()
    const [acknowledged, attempted] = [new Set<CommitId>(), [] as CommitId[]]
    for (let kill = 0; kill < 4; kill++) await killWriter(path, acknowledged, attempted)
    const harness = await open(path)
    expect(acknowledged.size).toBeGreaterThanOrEqual(800)
    await checkLoad(harness, { acknowledged, attempted }, revision)
    await harness.store.close()
  }, 60_000)
})

describe('commits of one turn', () => {
  test('stand or fall one by one, also more than fit one transaction', async () => {
    const harness = await open(join(folder, 'group.db'))
    const keys = Array.from({ length: 600 }, () => freshKey(harness))
    const absent = newCommitId()
    const outcomes = await Promise.allSettled(
      keys.map((key, n) => {
        const id = newCommitId()
        const writes = { puts: [putOf(key, String(n))], events: eventsOf(harness, id), facts: [tokenFact(id)] }
        const checks = n % 3 === 0 ? [{ key, version: absent }] : []
        return harness.store.commit(commitOf(harness, { id: n % 3 === 1 ? 'malformed' : id, checks, ...writes }))
      }),
    )
    const kinds = outcomes.map((outcome) => (outcome.status === 'rejected' ? 'refused' : outcome.value))
    expect(kinds.filter((kind) => kind === 'conflict')).toHaveLength(200)
    expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(200)
    const held = await Promise.all(keys.map((key) => valueOf(harness, key)))
    expect(held).toEqual(keys.map((_, n) => (n % 3 === 2 ? String(n) : undefined)))
    expect(await harness.store.outbox(0).size()).toBe(200)
    await harness.store.close()
  })

  test('are all answered, and kept, when the store is closed at once', async () => {
    const path = join(folder, 'closing.db')
    const harness = await open(path)
    const key = freshKey(harness)
    const pending = commit(harness, { puts: [putOf(key)] })
    await Promise.resolve()
    await harness.store.close()
    expect(await pending).toMatchObject({ backlogEvents: 0 })
    const again = await open(path)
    expect(await valueOf(again, key)).toBe('value')
    await again.store.close()
  })
})

describe('the file', () => {
  test('is made with its folder, for its owner alone, with the log beside it', async () => {
    const path = join(folder, 'deep', 'er', 'store.db')
    const harness = await open(path)
    await commit(harness)
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700)
    await harness.store.close()
    chmodSync(path, 0o644)
    await (await open(path)).store.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(existsSync(`${path}-wal`)).toBe(false)
  })

  test('of a newer version is refused, and left as it is; so is what is no database', async () => {
    const [newer, other] = [join(folder, 'newer.db'), join(folder, 'other.db')]
    const database = new DatabaseSync(newer)
    database.exec('PRAGMA user_version = 99')
    database.close()
    writeFileSync(other, 'not a database, but text that goes on for a while '.repeat(50))
    await expect(open(newer)).rejects.toThrow('was written by a newer Countersign (schema 99')
    await expect(open(other)).rejects.toThrow('not a database')
  })

  test('may be kept locked by another process: unavailable, and then well again', async () => {
    const path = join(folder, 'locked.db')
    const harness = await open(path)
    const key = freshKey(harness)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const outcomes = await Promise.allSettled([commit(harness, { puts: [putOf(key)] }), commit(harness)])
    expect(outcomes).toEqual(outcomes.map(() => ({ status: 'rejected', reason: failure('unavailable') })))
    expect(await valueOf(harness, key)).toBeUndefined()
    other.exec('ROLLBACK')
    await until(() => commit(harness, { puts: [putOf(key)] }).then(() => true))
    expect(await valueOf(harness, key)).toBe('value')
    other.close()
    await harness.store.close()
  })

  test('is shared by two stores: each sees the other’s commits, and their numbers are dense', async () => {
    const path = join(folder, 'two.db')
    const [one, two] = [await open(path), await open(path)]
    const { revision } = await commit(one)
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => commit(n % 2 ? one : two, { facts: [tokenFact(String(n))] })),
    )
    const log = await one.store.facts(0, revision)
    expect(log.facts.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
    expect(await two.store.facts(0, revision)).toEqual(log)
    await Promise.all([one.store.close(), two.store.close()])
  })
})
