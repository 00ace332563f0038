import { beforeEach, describe, expect, test } from '@jest/globals'
import { loginNameKey } from '@countersign/accounts'
import { Failure } from '@countersign/contracts'
import { SubjectChange } from '@countersign/contracts/authorization'
import type { Account } from '../account-directory.ts'
import { context, named, Office, operator, withId } from './testing/office.ts'

let office: Office
let account: Account
beforeEach(async () => {
  office = new Office()
  account = await office.add({ passwordHash: 'a-hash' }, { name: 'Alice' })
})

const changes = () => office.authorization.changes.map(({ change }) => change)
const now = () => office.record(account.partition, account.record.id)
const { DISABLE, ENABLE, DELETE } = SubjectChange

describe('disabling', () => {
  test('ends what is signed in, then lets nobody sign in; the operator is told of', async () => {
    const { revision } = await office.calls.disableAccount({ account: named('ALICE') }, context)
    expect(revision).toMatch(/^\d:\w+:1$/)
    expect(office.authorization.changes).toMatchObject([
      { change: DISABLE, subject: account.record.id, asker: { operatorId: 'operator', address: '192.0.2.7' } },
    ])
    expect(await now()).toMatchObject({ disabledAt: office.now })
  })

  test('that fails where tokens are leaves nothing half done, and that fails after is completed when repeated', async () => {
    office.authorization.failure = new Failure('unavailable', 'away')
    await expect(office.calls.disableAccount({ account: named('alice') }, context)).rejects.toThrow('away')
    expect(await now()).toMatchObject({ disabledAt: 0 })
    office.authorization.failure = undefined
    await expect(office.dyingAt(1).disableAccount({ account: named('alice') }, context)).rejects.toThrow('gone')
    expect(changes()).toEqual([DISABLE])
    await office.calls.disableAccount({ account: named('alice') }, context)
    expect(await now()).toMatchObject({ disabledAt: office.now })
  })
})

describe('enabling', () => {
  beforeEach(() => office.calls.disableAccount({ account: named('alice') }, context))

  test('lets somebody sign in again', async () => {
    await office.calls.enableAccount({ account: named('alice') }, context)
    expect(await now()).toMatchObject({ disabledAt: 0 })
    expect(changes()).toEqual([DISABLE, ENABLE])
  })

  test('that fails anywhere leaves them disabled where it counts, and is completed when repeated', async () => {
    await expect(office.dyingAt(1).enableAccount({ account: named('alice') }, context)).rejects.toThrow('gone')
    expect(changes()).toEqual([DISABLE])
    office.authorization.failure = new Failure('unavailable', 'away')
    await expect(office.calls.enableAccount({ account: named('alice') }, context)).rejects.toThrow('away')
    expect(changes()).toEqual([DISABLE])
    office.authorization.failure = undefined
    await office.calls.enableAccount({ account: named('alice') }, context)
    expect(changes()).toEqual([DISABLE, ENABLE])
    expect(await now()).toMatchObject({ disabledAt: 0 })
  })
})

describe('deleting', () => {
  const isGone = async () => {
    expect(await now()).toBeUndefined()
    expect(await office.store.get([loginNameKey('alice')])).toEqual([undefined])
    const told = (await office.told()).filter(({ type }) => type === 'account.deleted')
    expect(told).toMatchObject([{ subject: account.record.id, actor: { id: 'operator' } }])
    await expect(office.calls.getAccount({ account: withId(account.record.id) }, context)).rejects.toMatchObject({
      code: 'not_found',
    })
  }

  test('ends every token before anything goes', async () => {
    office.authorization.failure = new Failure('unavailable', 'away')
    await expect(office.calls.deleteAccount({ account: named('alice') }, context)).rejects.toThrow('away')
    expect(await now()).toEqual(account.record)
    office.authorization.failure = undefined
    const { revision } = await office.calls.deleteAccount({ account: named('alice') }, context)
    expect(revision).toMatch(/^\d:\w+:1$/)
    expect(changes()).toEqual([DELETE])
    await isGone()
  })

  test.each([1, 2, 3])('is completed by the id after a crash at commit %i', async (n) => {
    const byId = { account: withId(account.record.id) }
    await expect(office.dyingAt(n).deleteAccount(byId, context)).rejects.toMatchObject({ code: 'unavailable' })
    const left = (await now())!
    expect(left.passwordHash).toBe(n === 1 ? 'a-hash' : '')
    expect(left.disabledAt).toBe(n === 1 ? 0 : office.now)
    // Deleted before: nothing new is told, and yet there is something to wait for.
    office.authorization.changeSubject = async () => ({ revision: '' })
    const { revision } = await office.calls.deleteAccount(byId, context)
    expect(revision).toBe((await office.store.facts(account.partition, undefined)).revision)
    await isGone()
  })

  test('leaves the name to somebody else, and not their account to whoever repeats it', async () => {
    const byId = { account: withId(account.record.id) }
    await expect(office.dyingAt(3).deleteAccount(byId, context)).rejects.toMatchObject({ code: 'unavailable' })
    const other = await office.add({ loginName: 'alice' })
    await office.calls.deleteAccount(byId, context)
    expect(await now()).toBeUndefined()
    expect((await office.directory.findByLoginName('alice'))!.record.id).toBe(other.record.id)
  })

  test('goes well beside somebody who uses the account', async () => {
    const { commit } = office.store
    let isFirst = true
    office.store.commit = async (given) => {
      if (isFirst) {
        isFirst = false
        await office.directory.change(account, operator, (record) => ({ record }))
      }
      return commit.call(office.store, given)
    }
    await office.calls.deleteAccount({ account: named('alice') }, context)
    await isGone()
  })
})
