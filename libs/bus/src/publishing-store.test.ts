import { decodeEvent, Failure, type Message } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { expect, test } from '@jest/globals'
import { eventually } from './conformance/eventually.ts'
import { commitOf } from './conformance/events.ts'
import { delegating } from './conformance/guarded-store.ts'
import { createInProcessBus } from './in-process.ts'
import { Pending } from './pending.ts'
import { publishing } from './publishing-store.ts'

async function world(inner: Store = createMemoryStore()) {
  const bus = createInProcessBus()
  const pending = new Pending()
  const published: Message[] = []
  const onBatch = async (batch: Message[]) => void published.push(...batch)
  await bus.consume({ name: 'test', batchMessages: 100, onBatch })
  return { store: publishing(inner, bus, pending), inner, pending, published, close: () => bus.close() }
}

test('events go out once committed, in order, stamped with where they stand', async () => {
  const { store, published, pending, close } = await world()
  const [first, second] = [commitOf(2, 5), commitOf(3, 5)]
  const fact = { kind: 'token', id: 'x' } as const
  await store.commit({ ...first, facts: [fact] })
  const { revision } = (await store.commit(second)) as { revision: string }
  await eventually(() => published.length === 5)
  const events = published.map(({ data }) => decodeEvent(data))
  expect(events.map(({ id }) => id)).toEqual([...first.events, ...second.events].map(({ id }) => id))
  expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5])
  expect(events[4]).toEqual({ ...second.events[2], revision, sequence: 5 })
  expect(published[0]!.subject).toBe('countersign.v1.5.token.issued')
  expect(pending.take(second.events[0]!.id)).toMatchObject({ partition: 5, sequence: 3 })
  await close()
})

test('nothing goes out for a conflict, a failure, or a commit that was applied before', async () => {
  const inner = createMemoryStore()
  let isFailing = false
  const failing = delegating(inner, {
    commit: (commit) => (isFailing ? Promise.reject(new Failure('unavailable', 'no store')) : inner.commit(commit)),
  })
  const { store, published, pending, close } = await world(failing)
  const commit = commitOf(1)
  await store.commit(commit)
  expect(await store.commit(commit)).toMatchObject({ firstSequence: undefined })
  expect(await store.commit({ ...commitOf(1), checks: [{ key: '0:a', version: commit.id }] })).toBe('conflict')
  isFailing = true
  await expect(store.commit(commitOf(1))).rejects.toMatchObject({ code: 'unavailable' })
  await close()
  expect(published).toHaveLength(1)
  expect(pending.size).toBe(1)
})

test('an event that cannot be put on the bus does not turn a commit into a failure', async () => {
  const { store, published, close } = await world()
  const noDate = 9_000_000_000_000_000
  expect(await store.commit(commitOf(1, 0, noDate))).toMatchObject({ firstSequence: 1 })
  await store.commit(commitOf(1))
  await eventually(() => published.length === 1)
  expect(await store.outbox(0).size()).toBe(2)
  await close()
})

test('reads pass through', async () => {
  const { store, inner, close } = await world()
  const commit = {
    ...commitOf(1),
    puts: [{ key: '0:a', value: Buffer.from('v'), listedIn: ['0:all'], links: ['0:b'] }],
  }
  await store.commit(commit)
  expect(await store.get(['0:a'])).toEqual(await inner.get(['0:a']))
  expect(await store.follow('0:a')).toEqual(await inner.follow('0:a'))
  expect(await store.list('0:all', { limit: 10 })).toEqual(await inner.list('0:all', { limit: 10 }))
  expect(await store.facts(0, undefined)).toEqual(await inner.facts(0, undefined))
  expect(await store.outbox(0).read(0, 10)).toEqual(await inner.outbox(0).read(0, 10))
  await store.ping()
  await store.close()
  await expect(inner.ping()).rejects.toMatchObject({ code: 'unavailable' })
  await close()
})
