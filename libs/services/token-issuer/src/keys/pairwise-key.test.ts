import { expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { newCommitId } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { sealKeyFrom } from '@countersign/tokens'
import { openPairwiseKey } from './pairwise-key.ts'

const [first, second] = [sealKeyFrom(randomBytes(32)), sealKeyFrom(randomBytes(32))]

test('the key of pairwise subjects is made once, and outlives the master key', async () => {
  const store = createMemoryStore()
  const open = async (...sealKeys: (typeof first)[]) =>
    (await openPairwiseKey({ store, sealKeys, commitId: newCommitId, randomBytes })).export().toString('hex')
  const [one, other] = await Promise.all([open(first), open(first)])
  expect(other).toBe(one)
  await expect(open(second)).rejects.toMatchObject({ code: 'internal' })
  expect(await open(second, first)).toBe(one)
  expect(await open(second)).toBe(one)
  await expect(open(first)).rejects.toMatchObject({ code: 'internal' })
  const [held] = await store.get(['0:pairwise-key'])
  expect(Buffer.from(held!.value).toString('hex')).not.toContain(one)
})
