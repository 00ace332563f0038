import { createMemoryStore } from '@countersign/store/memory'
import type { Outbox, Store } from '@countersign/store'
import { afterEach, describe, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from './conformance/eventually.ts'
import { commitOf } from './conformance/events.ts'
import { delegating } from './conformance/guarded-store.ts'
import { commitMany, endWorlds, isEmpty, world } from './conformance/relay-world.ts'
import { relayLimits } from './limits.ts'

afterEach(endWorlds)

/** For what acknowledgements must do by themselves. */
const noSweeps = { sweepMs: 3_600_000 }
describe('while all is well', () => {
  test('an event leaves the outbox by its acknowledgement, with no question and no repeat', async () => {
    const { committer, store, journal, bus, relay } = world({ limits: noSweeps })
    await journal.attach(bus, { answers: false })
    relay.start()
    await commitMany(committer, 50, 4)
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(200)
    expect(relay.stats()).toMatchObject({ republished: 0, removed: 200 })
  })

  test('acknowledgements that come twice, or are of events nobody here knows, change nothing', async () => {
    const { committer, store, journal, bus, relay } = world({ limits: noSweeps })
    relay.start()
    await journal.attach(bus)
    bus.onAcknowledged((ids) => {
      if (ids.length < 1_000) bus.acknowledge([...ids, ...ids, 'unknown:0'])
    })
    await commitMany(committer, 20, 3)
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(60)
    expect(relay.stats().removed).toBe(60)
  })

  test('every partition is seen to', async () => {
    const { committer, store, journal, bus, relay, faults } = world({ partitions: 8 })
    await journal.attach(bus)
    relay.start()
    faults.publish = () => true
    for (let partition = 0; partition < 8; partition++) await commitMany(committer, 5, 2, partition)
    faults.publish = undefined
    for (let partition = 0; partition < 8; partition++) await eventually(() => isEmpty(store, partition))
    expect(journal.held.size).toBe(80)
  })
})

test('a journal that is merely behind is not sent everything again', async () => {
  const { committer, store, journal, bus, relay } = world({ limits: { sweepMs: 250 } })
  await journal.attach(bus, { batchMessages: 10, batchMs: 10 })
  relay.start()
  await commitMany(committer, 200, 5)
  await eventually(() => relay.stats().oldestAgeMs > 400)
  await eventually(() => isEmpty(store))
  expect(journal.held.size).toBe(1_000)
  expect(relay.stats().republished).toBe(0)
})

test('while nothing may be published again yet, a sweep asks about the oldest pages only', async () => {
  const { committer, journal, bus, relay, faults } = world({ limits: { sweepMs: 100, youngMs: 0, pageEntries: 10 } })
  const firsts: string[] = []
  await journal.attach(bus, { answers: false })
  journal.failing = true
  bus.answer(async ([first]) => {
    firsts.push(first!)
    return []
  })
  await commitMany(committer, 20, 10)
  faults.publish = () => true
  relay.start()
  await eventually(() => firsts.filter((id) => id === firsts[0]).length > 10)
  await relay.stop()
  const sweeps = firsts.reduce<number[]>((lengths, id) => {
    if (id === firsts[0]) lengths.push(0)
    lengths[lengths.length - 1]!++
    return lengths
  }, [])
  expect(Math.max(...sweeps)).toBeLessThanOrEqual(relayLimits.waitingPages + 1)
})

describe('what must not stop it', () => {
  test('entries that are no events stay, are counted, and hold up no other', async () => {
    const inner = createMemoryStore()
    const garbled = (outbox: Outbox): Outbox => ({
      ...outbox,
      read: async (after, limit) => {
        const entries = await outbox.read(after, limit)
        return entries.map((entry) => (entry.sequence % 10 === 1 ? { ...entry, event: Buffer.from('garbage') } : entry))
      },
    })
    const changed = delegating(inner, { outbox: (partition) => garbled(inner.outbox(partition)) })
    const { store, journal, bus, relay } = world({ inner: changed, limits: { pageEntries: 5 } })
    await commitMany(store, 10, 5)
    await journal.attach(bus)
    relay.start()
    await eventually(async () => (await relay.sizeOf(0)) === 5)
    await eventually(() => relay.stats().undecodable === 5)
    expect(journal.held.size).toBe(45)
  })

  test('a clock that was put back an hour', async () => {
    const { store, journal, bus, relay } = world({ now: () => Date.now() - 3_600_000 })
    await commitMany(store, 5, 5)
    await journal.attach(bus)
    relay.start()
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(25)
  })

  test('a store that fails for a while', async () => {
    const inner = createMemoryStore()
    let isFailing = true
    const failing = (outbox: Outbox): Outbox => ({
      ...outbox,
      read: async (after, limit) => (isFailing ? Promise.reject(new Error('no store')) : outbox.read(after, limit)),
      remove: async (events) => (isFailing ? Promise.reject(new Error('no store')) : outbox.remove(events)),
    })
    const changed = delegating(inner, { outbox: (partition) => failing(inner.outbox(partition)) })
    const { committer, journal, bus, relay } = world({ inner: changed })
    await journal.attach(bus)
    relay.start()
    await commitMany(committer, 10, 5)
    await eventually(() => journal.held.size === 50)
    isFailing = false
    await eventually(async () => (await relay.sizeOf(0)) === 0)
  })
})

describe('pausing and stopping', () => {
  test('while paused nothing is taken away; resumed, everything is', async () => {
    const { committer, store, journal, bus, relay } = world()
    await journal.attach(bus)
    relay.start()
    relay.pause()
    await commitMany(committer, 10, 5)
    await eventually(() => journal.held.size === 50)
    await sleep(300)
    expect(await store.outbox(0).size()).toBe(50)
    relay.resume()
    await eventually(() => isEmpty(store))
  })

  test('stopping waits for the store, and takes away what is acknowledged already', async () => {
    const inner = createMemoryStore()
    let calls = 0
    const slow = (outbox: Outbox): Outbox => ({
      ...outbox,
      remove: async (events) => {
        calls++
        await new Promise((resolve) => setTimeout(resolve, 100))
        await outbox.remove(events)
        calls--
      },
    })
    const changed = delegating(inner, { outbox: (partition) => slow(inner.outbox(partition)) })
    const { committer, journal, bus, relay, pending } = world({ inner: changed, limits: { collectMs: 60_000 } })
    await journal.attach(bus)
    relay.start()
    await commitMany(committer, 10, 5)
    await eventually(() => pending.size === 0)
    await relay.stop()
    expect(calls).toBe(0)
    expect(await inner.outbox(0).size()).toBe(0)
  })
})

test('a late acknowledgement from before the store was replaced takes no other event away', async () => {
  let inner = createMemoryStore()
  const replaceable: Store = delegating(inner, {
    commit: (commit) => inner.commit(commit),
    outbox: (partition) => ({
      read: (after, limit) => inner.outbox(partition).read(after, limit),
      remove: (events) => inner.outbox(partition).remove(events),
      size: () => inner.outbox(partition).size(),
    }),
  })
  const { committer, bus, journal, relay, store } = world({ inner: replaceable, limits: { youngMs: 60_000 } })
  relay.start()
  const before = commitOf(5)
  await committer.commit(before)
  inner = createMemoryStore()
  await commitMany(committer, 1, 5)
  for (const { id } of before.events) journal.held.set(id, { partition: 0, sequence: 0 })
  bus.acknowledge(before.events.map(({ id }) => id))
  let isHeard = false
  bus.onAcknowledged(() => void (isHeard = true))
  bus.acknowledge([])
  await eventually(() => isHeard)
  await relay.stop()
  expect(await store.outbox(0).size()).toBe(5)
})

test('nor does one from before the store was set back, when another process committed since', async () => {
  const inner = createMemoryStore()
  const { committer, bus, journal, relay, store } = world({ inner, limits: { youngMs: 60_000 } })
  relay.start()
  const snapshot = inner.snapshot()
  const before = commitOf(5)
  await committer.commit(before)
  inner.restore(snapshot)
  const kept = commitOf(5)
  await inner.commit(kept)
  for (const { id } of before.events) journal.held.set(id, { partition: 0, sequence: 0 })
  bus.acknowledge(before.events.map(({ id }) => id))
  await eventually(() => relay.stats().removed === 5)
  expect(await store.outbox(0).size()).toBe(5)
})
