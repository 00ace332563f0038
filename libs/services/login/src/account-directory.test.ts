import { beforeEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { accountKey, decodeAccountIndex, loginNameKey } from '@countersign/accounts'
import { Failure } from '@countersign/contracts'
import { newCommitId, type Commit, type Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { system } from '@countersign/tokens'
import { AccountDirectory } from './account-directory.ts'

let store: Store
let directory: AccountDirectory
const options = { partitions: 8, now: Date.now, randomBytes, commitId: newCommitId }
beforeEach(() => {
  store = createMemoryStore()
  directory = new AccountDirectory({ ...options, store })
})

const draft = (loginName: string) => ({ loginName, passwordHash: '', claims: {} })
const create = (loginName: string, asFirst = false, within = directory) =>
  within.create(draft(loginName), system, asFirst)

/** A directory whose process dies at its n-th commit, before it is written. */
function dyingAt(n: number): AccountDirectory {
  let commits = 0
  const commit = (given: Commit) => {
    if (++commits === n) throw new Failure('unavailable', 'the process is gone')
    return store.commit(given)
  }
  return new AccountDirectory({ ...options, store: { ...methodsOf(store), commit } })
}

const methodsOf = (of: Store): Store => ({
  get: (keys) => of.get(keys),
  follow: (key) => of.follow(key),
  list: (listing, page) => of.list(listing, page),
  facts: (partition, after, tip) => of.facts(partition, after, tip),
  commit: (commit) => of.commit(commit),
  outbox: (partition) => of.outbox(partition),
  ping: () => of.ping(),
  close: () => of.close(),
})

describe('an account', () => {
  test('is found by its name, however it is typed, and by its id', async () => {
    const { partition, record } = (await create('Alice'))!
    expect((await directory.findByLoginName(' ALICE '))!.record).toEqual(record)
    expect((await directory.read(partition, record.id))!.record.loginName).toBe('Alice')
    expect(await directory.findByLoginName('bob')).toBeUndefined()
    expect(await directory.read((partition + 1) % 8, record.id)).toBeUndefined()
  })

  test('is in a partition of its own, chosen at random', async () => {
    const made = await Promise.all(Array.from({ length: 64 }, (_, n) => create(`person-${n}`)))
    expect(new Set(made.map((account) => account!.partition)).size).toBeGreaterThan(4)
    expect(new Set(made.map((account) => account!.record.id)).size).toBe(64)
  })

  test('has its name alone', async () => {
    expect(await create('alice')).toBeDefined()
    expect(await create('ALICE')).toBeUndefined()
  })

  test('has its name alone, also when many want it at once', async () => {
    for (let round = 0; round < 20; round++) {
      const name = `alice-${round}`
      const made = await Promise.allSettled(Array.from({ length: 8 }, () => create(name)))
      const winners = made.flatMap((each) => (each.status === 'fulfilled' && each.value ? [each.value] : []))
      expect(winners).toHaveLength(1)
      expect((await directory.findByLoginName(name))!.record.id).toBe(winners[0]!.record.id)
      for (const each of made) if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'conflict' })
    }
  })

  test('that a crash left half made is nobody’s, and its name can be had again', async () => {
    await expect(create('alice', true, dyingAt(2))).rejects.toMatchObject({ code: 'unavailable' })
    expect(await directory.findByLoginName('alice')).toBeUndefined()
    expect(await directory.hasAny()).toBe(false)
    // Now one that dies after it gave the first one up, and one that goes through.
    await expect(create('alice', true, dyingAt(2))).rejects.toMatchObject({ code: 'unavailable' })
    const made = await create('alice', true)
    expect((await directory.findByLoginName('alice'))!.record.id).toBe(made!.record.id)
    expect(await create('bob', true)).toBeUndefined()
  })

  test('whose creator was taken for dead is not made after all', async () => {
    let resume = () => {}
    const paused = new Promise<void>((resolve) => (resume = resolve))
    let commits = 0
    const commit = async (given: Commit) => {
      if (++commits === 2) await paused
      return store.commit(given)
    }
    const slow = new AccountDirectory({ ...options, store: { ...methodsOf(store), commit } })
    const slowly = create('alice', false, slow)
    while (commits < 2) await new Promise((resolve) => setImmediate(resolve))
    const [entry] = await store.get([loginNameKey('alice')])
    const index = decodeAccountIndex(entry!.value)
    const quick = await create('alice')
    resume()
    await expect(slowly).rejects.toMatchObject({ code: 'conflict' })
    expect((await directory.findByLoginName('alice'))!.record.id).toBe(quick!.record.id)
    expect(await directory.read(index.partition, index.accountId)).toBeUndefined()
    const [givenUp] = await store.get([accountKey(index.partition, index.accountId)])
    expect(givenUp!.value).toHaveLength(0)
  })

  test('needs a login name', async () => {
    await expect(create('\u202e')).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
