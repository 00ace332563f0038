import { describe, expect, test } from '@jest/globals'
import { newCommitId } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { limits } from '../limits.ts'
import { createReplayGuard } from './replay.ts'

describe('the replay guard', () => {
  test('lets one of all who share the store use an id, whenever they ask', async () => {
    const store = createMemoryStore({ now: () => 1_000 })
    const replica = () => createReplayGuard({ store, partitions: 8, commitId: newCommitId, now: () => 1_000 })
    const replicas = [replica(), replica()]
    const uses = Array.from({ length: 40 }, (_, n) => replicas[n % 2]!.once('dpop', 'a', 60_000))
    expect((await Promise.all(uses)).filter(Boolean)).toEqual([true])
    expect(await replicas[1]!.once('dpop', 'a', 60_000)).toBe(false)
    expect(await replicas[1]!.once('assertion', 'a', 60_000)).toBe(true)
    expect(await replicas[1]!.once('dpop', 'b', 60_000)).toBe(true)
  })

  test('remembers an id for longer than it would be taken, then forgets it', async () => {
    let time = 1_000
    const store = createMemoryStore({ now: () => time })
    const guard = createReplayGuard({ store, partitions: 1, commitId: newCommitId, now: () => time })
    expect(await guard.once('request', 'a', 5_000)).toBe(true)
    time = 5_000 + limits.replayMarginMs - 1
    expect(await guard.once('request', 'a', 5_000)).toBe(false)
    time = 5_000 + limits.replayMarginMs + 1
    expect(await guard.once('request', 'a', time)).toBe(true)
  })

  test('says that it cannot tell when the store cannot', async () => {
    const commit = () => Promise.reject(new Error('down'))
    const guard = createReplayGuard({ store: { commit }, partitions: 1, commitId: newCommitId, now: () => 0 })
    await expect(guard.once('dpop', 'a', 1)).rejects.toThrow('down')
  })
})
