import { decodeEvent, parseRevision } from '@countersign/contracts'
import { describe, expect, test } from '@jest/globals'
import { newCommitId } from '../commit-id.ts'
import { tipOf } from '../commit-id.ts'
import { commit, commitOf, eventsOf, freshKey, putOf, tokenFact, valueOf, type Harness } from './harness.ts'

export function logTests(at: () => Harness): void {
  describe('the outbox', () => outboxTests(at))
  describe('the log of facts', () => factTests(at))
}

const commitEvents = async (harness: Harness, count: number) => {
  const id = newCommitId()
  return commit(harness, { id, events: eventsOf(harness, id, count) })
}

function outboxTests(at: () => Harness): void {
  test('keeps events in order, densely numbered, as they were encoded', async () => {
    const outbox = at().store.outbox(at().partition)
    const first = await commitEvents(at(), 2)
    await commit(at(), { puts: [putOf(freshKey(at()))] })
    const second = await commitEvents(at(), 1)
    const start = first.firstSequence!
    expect(second.firstSequence).toBe(start + 2)
    const read = await outbox.read(start - 1, 10)
    expect(read.map(({ sequence, event }) => [sequence, decodeEvent(event).id])).toEqual([
      [start, `${first.id}:0`],
      [start + 1, `${first.id}:1`],
      [start + 2, `${second.id}:0`],
    ])
    expect((await outbox.read(start, 1)).map(({ sequence }) => sequence)).toEqual([start + 1])
    expect(await outbox.read(start + 2, 10)).toEqual([])
  })

  test('forgets what is removed, only that, and numbers on', async () => {
    const outbox = at().store.outbox(at().partition)
    const size = await outbox.size()
    const { id, firstSequence: start, backlogEvents } = await commitEvents(at(), 3)
    expect(backlogEvents).toBe(size + 3)
    const [first, second, third] = [0, 1, 2].map((n) => ({ sequence: start! + n, eventId: `${id}:${n}` }))
    await outbox.remove([second!, second!, { ...first!, sequence: 999_999_999 }])
    expect((await outbox.read(start! - 1, 10)).map(({ sequence }) => sequence)).toEqual([start, start! + 2])
    expect(await outbox.size()).toBe(size + 2)
    await outbox.remove([first!, third!])
    await outbox.remove([])
    const next = await commitEvents(at(), 1)
    expect(next).toMatchObject({ firstSequence: start! + 3, backlogEvents: size + 1 })
  })

  test('keeps an entry of another event than the one that is removed', async () => {
    const outbox = at().store.outbox(at().partition)
    const { id, firstSequence } = await commitEvents(at(), 12)
    const size = await outbox.size()
    const others = [`${id}:1`, `${id}:100`, `${id}:`, `${newCommitId()}:10`, id, '', 'é', 'x'.repeat(300)]
    await outbox.remove(others.map((eventId) => ({ sequence: firstSequence! + 10, eventId })))
    expect(await outbox.size()).toBe(size)
    await outbox.remove([{ sequence: firstSequence! + 10, eventId: `${id}:10` }])
    const left = await outbox.read(firstSequence! + 8, 10)
    expect(left.map(({ event }) => decodeEvent(event).id)).toEqual([`${id}:9`, `${id}:11`])
    expect(await outbox.size()).toBe(size - 1)
  })

  test('is rid of hundreds of entries at once', async () => {
    const outbox = at().store.outbox(at().partition)
    const size = await outbox.size()
    const commits = await Promise.all(Array.from({ length: 4 }, () => commitEvents(at(), 250)))
    const journaled = commits.flatMap(({ id, firstSequence }) =>
      Array.from({ length: 250 }, (_, n) => ({ sequence: firstSequence! + n, eventId: `${id}:${n}` })),
    )
    await outbox.remove(journaled)
    expect(await outbox.size()).toBe(size)
  })

  test('is empty where nothing was committed', async () => {
    const untouched = at().store.outbox((at().partition + 32) % 64)
    expect([await untouched.read(0, 10), await untouched.size()]).toEqual([[], 0])
  })
}

function factTests(at: () => Harness): void {
  factOrderTests(at)

  test('gives nothing, and says so, to whom comes from another history, the future, or nowhere', async () => {
    await commit(at(), { facts: [tokenFact('a')] })
    const { revision, tip } = await at().store.facts(at().partition, undefined)
    const { partition, epoch, sequence } = parseRevision(revision)!
    const nothing = { revision, tip, complete: false, otherHistory: true, facts: [] }
    const strangers = [`${partition}:${'0'.repeat(16)}:${sequence}`, `${partition}:${epoch}:${sequence + 1}`]
    for (const after of [...strangers, `${(partition + 1) % 64}:${epoch}:${sequence}`, `${partition}::0`, 'x', ''])
      expect(await at().store.facts(partition, after)).toEqual(nothing)
  })

  test('tells that it no longer has facts that were asked for, and numbers on', async () => {
    const before = await commit(at(), { facts: [tokenFact('a')] })
    const last = await commit(at(), { facts: [tokenFact('b')] })
    await at().forgetFacts()
    const { facts } = at().store
    const log = await facts.call(at().store, at().partition, before.revision)
    expect(log).toEqual({
      revision: last.revision,
      tip: tipOf(last.previousTip, last.id),
      complete: false,
      otherHistory: false,
      facts: [],
    })
    expect(await facts.call(at().store, at().partition, last.revision)).toMatchObject({ complete: true, facts: [] })
    const next = await commit(at(), { facts: [tokenFact('c')] })
    const { sequence } = parseRevision(last.revision)!
    expect((await facts.call(at().store, at().partition, last.revision)).facts).toEqual([
      { sequence: sequence + 1, fact: tokenFact('c'), tip: tipOf(next.previousTip, next.id) },
    ])
    expect((await facts.call(at().store, at().partition, before.revision)).complete).toBe(false)
  })
}

function factOrderTests(at: () => Harness): void {
  test('gives the facts after a revision, densely numbered up to the head', async () => {
    const before = await commit(at(), { facts: [tokenFact('before')] })
    const kinds = ['token', 'grant', 'session', 'subject', 'client'] as const
    const facts = kinds.map((kind) => ({ kind, id: `${kind} ünïcode 💥` }))
    const ids = [await commit(at(), { facts: facts.slice(0, 2) }), await commit(at(), { facts: facts.slice(2) })]
    const [one, two] = ids as [(typeof ids)[0], (typeof ids)[0]]
    const { revision } = two
    const [first, second] = [tipOf(one.previousTip, one.id), tipOf(two.previousTip, two.id)]
    const { sequence } = parseRevision(before.revision)!
    const log = await at().store.facts(at().partition, before.revision)
    const tips = [first, first, second, second, second]
    const expected = facts.map((fact, n) => ({ sequence: sequence + 1 + n, fact, tip: tips[n] }))
    const head = { revision, tip: second, complete: true, otherHistory: false, facts: [] }
    expect(log).toEqual({ ...head, facts: expected })
    expect(parseRevision(revision)?.sequence).toBe(sequence + facts.length)
    expect(await at().store.facts(at().partition, revision)).toEqual(head)
    expect(await at().store.facts(at().partition, undefined)).toEqual(head)
  })

  test('has no gap and nothing twice under parallel commits', async () => {
    const { revision } = await at().store.facts(at().partition, undefined)
    const ids = Array.from({ length: 100 }, () => newCommitId())
    await Promise.all(ids.map((id) => commit(at(), { id, facts: [tokenFact(id)] })))
    const { facts, complete } = await at().store.facts(at().partition, revision)
    const start = parseRevision(revision)!.sequence
    expect(complete).toBe(true)
    expect(facts.map(({ sequence }) => sequence)).toEqual(ids.map((_, n) => start + 1 + n))
    expect(facts.map(({ fact }) => fact.id).sort()).toEqual([...ids].sort())
  })
}

/** These end the store's history, so they have a store of their own. */
export function historyTests(at: () => Harness): void {
  test('a partition that was never written stands at no epoch, and gets one with its first commit', async () => {
    const partition = (at().partition + 3) % 64
    const untouched = await at().store.facts(partition, undefined)
    const nothing = { revision: `${partition}::0`, tip: '', complete: true, otherHistory: false, facts: [] }
    expect(untouched).toEqual(nothing)
    expect(await at().store.facts(partition, untouched.revision, '')).toEqual(nothing)
    const { revision, previousTip } = await commit({ ...at(), partition })
    expect(previousTip).toBe('')
    expect(revision).toMatch(new RegExp(`^${partition}:[0-9a-f]{16}:0$`))
    expect(await at().store.facts(partition, untouched.revision)).toMatchObject({ complete: false, otherHistory: true })
    expect((await commit({ ...at(), partition })).revision).toBe(revision)
  })

  test('data and epoch last when the store is opened again, and an applied commit is still known', async () => {
    const harness = at()
    if (!harness.reopen) return expect(harness.store.constructor.name).toBe('MemoryStore')
    const key = freshKey(harness)
    const id = newCommitId()
    const made = commitOf(harness, { id, puts: [putOf(key)], events: eventsOf(harness, id), facts: [tokenFact('x')] })
    const first = await harness.store.commit(made)
    await harness.reopen()
    expect(await valueOf(harness, key)).toBe('value')
    expect(await harness.store.outbox(harness.partition).size()).toBe(1)
    const again = await harness.store.commit(made)
    expect(again).toMatchObject({ ...(first as object), firstSequence: undefined, repeated: true })
  })

  test('a store that lost its data is of another epoch, and starts anew', async () => {
    const id = newCommitId()
    const before = await commit(at(), { id, facts: [tokenFact('x')], events: eventsOf(at(), id) })
    await at().wipe()
    const { partition } = at()
    expect((await at().store.facts(partition, before.revision)).complete).toBe(false)
    const next = newCommitId()
    const after = await commit(at(), { id: next, facts: [tokenFact('y')], events: eventsOf(at(), next) })
    expect(after).toMatchObject({ firstSequence: 1, backlogEvents: 1 })
    expect(parseRevision(after.revision)?.epoch).not.toBe(parseRevision(before.revision)?.epoch)
    expect(await at().store.facts(partition, before.revision)).toMatchObject({ complete: false, otherHistory: true })
  })
}
