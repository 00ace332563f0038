import { decodeEvent } from '@countersign/contracts'
import { expect } from '@jest/globals'
import type { CommitId, FactLog, OutboxEntry } from '../port.ts'
import { valueOf, type Harness } from './harness.ts'
import { keyOfCommit, type Load } from './load.ts'

/**
 * Every acknowledged commit is there with its state, its event and its fact; every other is there whole or not at all;
 * no event is there twice, and nothing is missing in the numbers.
 */
export async function checkLoad(harness: Harness, load: Omit<Load, 'stop'>, factsBefore: string): Promise<void> {
  const { store, partition } = harness
  const events: OutboxEntry[] = []
  for (let more = true; more;) {
    const read = await store.outbox(partition).read(events.at(-1)?.sequence ?? 0, 1_000)
    events.push(...read)
    more = read.length > 0
  }
  const log: FactLog = await store.facts(partition, factsBefore)
  const sent = events.map(({ event }) => decodeEvent(event).id.split(':')[0]!)
  const revoked = log.facts.map(({ fact }) => fact.id)
  const held: CommitId[] = []
  for (const id of load.attempted) if ((await valueOf(harness, keyOfCommit(harness, id))) === id) held.push(id)
  expect(log.complete).toBe(true)
  expect([...sent].sort()).toEqual([...held].sort())
  expect([...revoked].sort()).toEqual([...held].sort())
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, n) => n + 1))
  expect([...load.acknowledged].filter((id) => !held.includes(id))).toEqual([])
}
