import { describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { newCommitId } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { identityKey, placeOfIdentity } from './identity.ts'

describe('an identity elsewhere', () => {
  const issuer = 'https://login.example'
  const options = () => ({ store: createMemoryStore(), partitions: 8, commitId: newCommitId, randomBytes })

  test('has one place, however many ask for it at once, and keeps it', async () => {
    const made = options()
    const places = await Promise.all(
      Array.from({ length: 20 }, () => placeOfIdentity(made, { issuer, subject: 'alice' })),
    )
    expect(new Set(places.map(({ accountId, partition }) => `${partition} ${accountId}`)).size).toBe(1)
    expect(await placeOfIdentity({ ...made, partitions: 64 }, { issuer, subject: 'alice' })).toEqual(places[0])
    expect(places[0]!.accountId).toMatch(/^[\w-]{22}$/)
  })

  test('is issuer and subject, both to the letter, and is not readable in the store', () => {
    const keys = [
      { issuer, subject: 'alice' },
      { issuer, subject: 'Alice' },
      { issuer: `${issuer}/`, subject: 'alice' },
      { issuer: `${issuer}/a`, subject: 'lice' },
      { issuer: `${issuer}/al`, subject: 'ice' },
    ].map(identityKey)
    expect(new Set(keys).size).toBe(keys.length)
    for (const key of keys) expect(key).toMatch(/^0:identity\/[\w-]{43}$/)
  })

  test('is spread over the partitions', async () => {
    const made = options()
    const places = await Promise.all(
      Array.from({ length: 100 }, (_, n) => placeOfIdentity(made, { issuer, subject: `person-${n}` })),
    )
    expect(new Set(places.map(({ partition }) => partition)).size).toBe(8)
  })
})
