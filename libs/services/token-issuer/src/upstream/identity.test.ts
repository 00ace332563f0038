import { describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { accountKey, accountPut, accountRecord, accountRemains } from '@countersign/accounts'
import { SubjectRecord } from '@countersign/contracts/records'
import { emptyCommit, newCommitId, type Put } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { subjectKey, subjectRecord } from '@countersign/tokens'
import { placeOfIdentity, type IdentitiesOptions } from './identity.ts'

describe('an identity elsewhere', () => {
  const issuer = 'https://login.example'
  const options = () => ({
    store: createMemoryStore(),
    partitions: 8,
    now: Date.now,
    commitId: newCommitId,
    randomBytes,
  })

  test('has one place, however many ask for it at once, and keeps it', async () => {
    const made = options()
    const places = await Promise.all(
      Array.from({ length: 20 }, () => placeOfIdentity(made, { issuer, subject: 'alice' })),
    )
    expect(new Set(places.map(({ accountId, partition }) => `${partition} ${accountId}`)).size).toBe(1)
    expect(await placeOfIdentity({ ...made, partitions: 64 }, { issuer, subject: 'alice' })).toEqual(places[0])
    expect(places[0]!.accountId).toMatch(/^[\w-]{22}$/)
  })

  test('is spread over the partitions', async () => {
    const made = options()
    const places = await Promise.all(
      Array.from({ length: 100 }, (_, n) => placeOfIdentity(made, { issuer, subject: `person-${n}` })),
    )
    expect(new Set(places.map(({ partition }) => partition)).size).toBe(8)
  })

  const alice = { issuer, subject: 'alice' }
  const put = async ({ store }: IdentitiesOptions, partition: number, puts: Put[]) =>
    store.commit({ ...emptyCommit(newCommitId(), partition), puts })
  const record = (id: string, subjects: string[]) =>
    accountRecord({
      id,
      identities: subjects.map((subject) => ({ provider: 'p', issuer, subject, label: '', linkedAt: 0 })),
    })

  test('leads to the account that says so, also to one made before accounts said so', async () => {
    for (const subjects of [['alice'], ['bob', 'alice'], []]) {
      const made = options()
      const place = await placeOfIdentity(made, alice)
      await put(made, place.partition, [accountPut(place.partition, record(place.accountId, subjects))])
      expect(await placeOfIdentity(made, alice)).toEqual(place)
    }
  })

  test('leads to nobody who does not say so (any more): it takes another place', async () => {
    const made = options()
    const place = await placeOfIdentity(made, alice)
    await put(made, place.partition, [accountPut(place.partition, record(place.accountId, ['bob']))])
    const places = await Promise.all([placeOfIdentity(made, alice), placeOfIdentity(made, alice)])
    expect(places[0]!.accountId).not.toBe(place.accountId)
    expect(places[1]).toEqual(places[0])
  })

  test('of an account that was deleted takes another place, also when nothing is left of that but its subject', async () => {
    const made = options()
    const { accountId: id, partition } = await placeOfIdentity(made, alice)
    await put(made, partition, [accountRemains({ id, partition }, Date.now())])
    const next = await placeOfIdentity(made, alice)
    expect(next.accountId).not.toBe(id)
    const subject = SubjectRecord.encode(subjectRecord({ id: next.accountId })).finish()
    await put(made, next.partition, [{ key: subjectKey(next.partition, next.accountId), value: subject }])
    expect((await placeOfIdentity(made, alice)).accountId).not.toBe(next.accountId)
    const [entry] = await made.store.get([accountKey(next.partition, next.accountId)])
    expect(entry!.value).toHaveLength(0)
  })
})
