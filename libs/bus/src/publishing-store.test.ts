import { decodeEvent, Failure, type FactPush, type Message } from '@countersign/contracts'
import { tipOf, type Store } from '@countersign/store'
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
  const announced: FactPush[] = []
  bus.onAnnounced((push) => announced.push(push))
  return { store: publishing(inner, bus, pending), inner, pending, published, announced, close: () => bus.close() }
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

test('facts are announced once committed, with the tips of the log after and before them', async () => {
  const { store, announced, close } = await world()
  const [first, second, without] = [commitOf(1, 5), commitOf(0, 5), commitOf(1, 5)]
  const facts = ['a', 'b', 'c'].map((id) => ({ kind: 'token' as const, id }))
  const { revision } = (await store.commit({ ...first, facts: facts.slice(0, 2) })) as { revision: string }
  await store.commit(without)
  const { revision: later } = (await store.commit({ ...second, facts: facts.slice(2) })) as { revision: string }
  const [tip, laterTip] = [tipOf('', first.id), tipOf(tipOf('', first.id), second.id)]
  expect(announced).toEqual([
    { revision, tip, previousTip: '', facts: facts.slice(0, 2) },
    { revision: later, tip: laterTip, previousTip: tip, facts: facts.slice(2) },
  ])
  expect(await store.facts(5, undefined)).toMatchObject({ revision: later, tip: laterTip })
  await close()
})

test('nothing goes out for a conflict, a failure, or a commit that was applied before', async () => {
  const inner = createMemoryStore()
  let isFailing = false
  const failing = delegating(inner, {
    commit: (commit) => (isFailing ? Promise.reject(new Failure('unavailable', 'no store')) : inner.commit(commit)),
  })
  const { store, published, announced, pending, close } = await world(failing)
  const facts = [{ kind: 'token', id: 'x' } as const]
  const commit = { ...commitOf(1), facts }
  await store.commit(commit)
  expect(await store.commit(commit)).toMatchObject({ firstSequence: undefined })
  expect(await store.commit({ ...commitOf(1), facts, checks: [{ key: '0:a', version: commit.id }] })).toBe('conflict')
  isFailing = true
  await expect(store.commit({ ...commitOf(1), facts })).rejects.toMatchObject({ code: 'unavailable' })
  await close()
  expect(published).toHaveLength(1)
  expect(announced).toHaveLength(1)
  expect(pending.size).toBe(1)
})

test('an event that cannot be put on the bus does not turn a commit into a failure', async () => {
  const { store, published, announced, close } = await world()
  const noDate = { ...commitOf(1, 0, 9_000_000_000_000_000), facts: [{ kind: 'token', id: 'x' } as const] }
  expect(await store.commit(noDate)).toMatchObject({ firstSequence: 1 })
  expect(announced).toHaveLength(1)
  await store.commit(commitOf(1))
  await eventually(() => published.length === 1)
  expect(await store.outbox(0).size()).toBe(2)
  await close()
})

test('reads pass through', async () => {
  const { store, inner, close } = await world()
  const commit = {
    ...commitOf(1),
    facts: [{ kind: 'token', id: 'x' } as const],
    puts: [{ key: '0:a', value: Buffer.from('v'), listedIn: ['0:all'], links: ['0:b'] }],
  }
  await store.commit(commit)
  expect(await store.get(['0:a'])).toEqual(await inner.get(['0:a']))
  expect(await store.follow('0:a')).toEqual(await inner.follow('0:a'))
  expect(await store.list('0:all', { limit: 10 })).toEqual(await inner.list('0:all', { limit: 10 }))
  const { revision } = await inner.facts(0, undefined)
  for (const tip of [undefined, tipOf('', commit.id), '0'.repeat(16)])
    expect(await store.facts(0, revision, tip)).toEqual(await inner.facts(0, revision, tip))
  expect(await store.facts(0, revision, '0'.repeat(16))).toMatchObject({ otherHistory: true })
  expect(await store.outbox(0).read(0, 10)).toEqual(await inner.outbox(0).read(0, 10))
  await store.ping()
  await store.close()
  await expect(inner.ping()).rejects.toMatchObject({ code: 'unavailable' })
  await close()
})
