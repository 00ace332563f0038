import { parseRevision } from '@countersign/contracts'
import { describe, expect, test } from '@jest/globals'
import { newCommitId, tipOf } from '../commit-id.ts'
import { maxCommitItems, maxFactsPerRead } from '../limits.ts'
import type { FactLog } from '../port.ts'
import { commit, eventsOf, freshKey, putOf, tokenFact, valueOf, type Harness } from './harness.ts'

const elsewhere = { complete: false, otherHistory: true, facts: [] }
const goneOrTooMany = { complete: false, otherHistory: false, facts: [] }
const stranger = '0'.repeat(16)

const factsOf = ({ store, partition }: Harness, after: string | undefined, tip?: string) =>
  store.facts(partition, after, tip)
const namesOf = ({ complete, otherHistory, facts }: FactLog) => [
  complete,
  otherHistory,
  ...facts.map(({ fact }) => fact.id),
]
/** Commits so many facts, all of one name, and gives the tip too. */
async function revoke(harness: Harness, name: string, count = 1) {
  const made = await commit(harness, { facts: Array.from({ length: count }, () => tokenFact(name)) })
  return { ...made, tip: tipOf(made.previousTip, made.id) }
}

export function chainTests(at: () => Harness): void {
  describe('the chain of facts', () => {
    test('is told with each commit: the tip before it, also when it has no facts', async () => {
      const first = await revoke(at(), 'a', 3)
      expect((await revoke(at(), 'b')).previousTip).toBe(first.tip)
      const { tip } = await revoke(at(), 'c')
      expect((await commit(at())).previousTip).toBe(tip)
      expect((await commit(at())).previousTip).toBe(tip)
      expect((await factsOf(at(), undefined)).tip).toBe(tip)
    })

    test('fits whoever was told the tip, and whoever names none', async () => {
      const [a, b, c] = [await revoke(at(), 'a'), await revoke(at(), 'b', 2), await revoke(at(), 'c')]
      await commit(at())
      const { partition, epoch, sequence } = parseRevision(a.revision)!
      for (const tip of [a.tip, undefined])
        expect(namesOf(await factsOf(at(), a.revision, tip))).toEqual([true, false, 'b', 'b', 'c'])
      const inside = `${partition}:${epoch}:${sequence + 1}`
      expect(namesOf(await factsOf(at(), inside, b.tip))).toEqual([true, false, 'b', 'c'])
      expect(namesOf(await factsOf(at(), b.revision, b.tip))).toEqual([true, false, 'c'])
      expect(namesOf(await factsOf(at(), c.revision, c.tip))).toEqual([true, false])
    })

    test('shows who comes from another history: at the head, and behind it', async () => {
      const [a, b] = [await revoke(at(), 'a'), await revoke(at(), 'b', 2)]
      const { partition, epoch, sequence } = parseRevision(a.revision)!
      for (const tip of [stranger, '', b.tip]) expect(await factsOf(at(), a.revision, tip)).toMatchObject(elsewhere)
      for (const tip of [stranger, '', a.tip]) expect(await factsOf(at(), b.revision, tip)).toMatchObject(elsewhere)
      expect(await factsOf(at(), `${partition}:${epoch}:${sequence + 1}`, a.tip)).toMatchObject(elsewhere)
    })

    test('tells nothing when the fact that would show it is gone', async () => {
      const [a, b, c] = [await revoke(at(), 'a'), await revoke(at(), 'b'), await revoke(at(), 'c')]
      await at().forgetFacts()
      await revoke(at(), 'd')
      for (const { revision, tip } of [a, b])
        for (const told of [tip, stranger]) expect(await factsOf(at(), revision, told)).toMatchObject(goneOrTooMany)
      expect(namesOf(await factsOf(at(), c.revision, c.tip))).toEqual([true, false, 'd'])
      expect(await factsOf(at(), c.revision, stranger)).toMatchObject(elsewhere)
    })

    test('is looked at also by whoever is too far behind', async () => {
      const before = await revoke(at(), 'before')
      const commits = Math.floor(maxFactsPerRead / maxCommitItems) + 1
      for (let n = 0; n < commits; n++) await revoke(at(), 'x', maxCommitItems)
      for (const tip of [before.tip, undefined])
        expect(await factsOf(at(), before.revision, tip)).toMatchObject(goneOrTooMany)
      expect(await factsOf(at(), before.revision, stranger)).toMatchObject(elsewhere)
      const { partition, epoch, sequence } = parseRevision(before.revision)!
      const within = sequence + commits * maxCommitItems - maxFactsPerRead
      expect((await factsOf(at(), `${partition}:${epoch}:${within}`)).facts).toHaveLength(maxFactsPerRead)
    })
  })
}

/** These set the store back, so they have a store of their own. */
export function rollbackTests(at: () => Harness): void {
  restoredTests(at)
  passedTests(at)
}

function restoredTests(at: () => Harness): void {
  test('it is as it was: state, facts, outbox, numbers and epoch; and may be set back again', async () => {
    const [key, gone, listing] = [freshKey(at()), freshKey(at()), freshKey(at(), 'list')]
    const listedIn = [listing]
    const before = [key, gone].map((each) => putOf(each, 'before', { listedIn }))
    const made = await commit(at(), { puts: before, facts: [tokenFact('a')] })
    const { revision } = made
    const tip = tipOf(made.previousTip, made.id)
    const size = await at().store.outbox(at().partition).size()
    const restore = await at().backUp()
    for (const value of ['one', 'two']) {
      const next = newCommitId()
      const puts = [putOf(key, value), putOf(freshKey(at()), value, { listedIn })]
      const parts = { id: next, puts, deletes: [gone], events: eventsOf(at(), next), facts: [tokenFact(value)] }
      const { firstSequence, previousTip } = await commit(at(), parts)
      expect([firstSequence, previousTip]).toEqual([size + 1, tip])
      expect(await valueOf(at(), key)).toBe(value)
      await restore()
      expect(await valueOf(at(), key)).toBe('before')
      const { entries } = await at().store.list(listing, { limit: 10 })
      expect(entries.map((entry) => entry.key).sort()).toEqual([key, gone].sort())
      expect(await at().store.outbox(at().partition).size()).toBe(size)
      expect(await factsOf(at(), undefined)).toMatchObject({ revision, tip })
      expect(await commit(at(), { id: next })).toMatchObject({ repeated: false, previousTip: tip })
      await restore()
    }
  })

  test('an event of before does not take away the one that has its number now', async () => {
    const outbox = () => at().store.outbox(at().partition)
    const restore = await at().backUp()
    const numbered = async () => {
      const id = newCommitId()
      const { firstSequence } = await commit(at(), { id, events: eventsOf(at(), id) })
      return { sequence: firstSequence!, eventId: `${id}:0` }
    }
    const lost = await numbered()
    await restore()
    const held = await numbered()
    expect(held.sequence).toBe(lost.sequence)
    const size = await outbox().size()
    await outbox().remove([lost])
    expect(await outbox().size()).toBe(size)
    await outbox().remove([held])
    expect(await outbox().size()).toBe(size - 1)
  })
}

function passedTests(at: () => Harness): void {
  test('who had passed that point is told, before, when and after the log passes it again', async () => {
    const kept = await revoke(at(), 'kept')
    const restore = await at().backUp()
    const [lost, last] = [await revoke(at(), 'lost'), await revoke(at(), 'lost too')]
    await restore()
    for (const { revision, tip } of [lost, last]) expect(await factsOf(at(), revision, tip)).toMatchObject(elsewhere)
    for (const name of ['new', 'newer', 'newest']) {
      await revoke(at(), name)
      for (const { revision, tip } of [lost, last]) expect(await factsOf(at(), revision, tip)).toMatchObject(elsewhere)
    }
    expect(namesOf(await factsOf(at(), kept.revision, kept.tip))).toEqual([true, false, 'new', 'newer', 'newest'])
    expect((await factsOf(at(), last.revision)).complete).toBe(true)
  })

  test('data from before there were tips fits everybody, and goes on with them', async () => {
    const harness = at()
    if (!harness.forgetTips) return expect(harness.store.constructor.name).toBe('MemoryStore')
    const [a, b] = [await revoke(harness, 'a'), await revoke(harness, 'b')]
    await harness.forgetTips()
    expect(await factsOf(harness, undefined)).toMatchObject({ revision: b.revision, tip: '' })
    for (const tip of ['', b.tip]) expect(namesOf(await factsOf(harness, b.revision, tip))).toEqual([true, false])
    for (const tip of ['', a.tip]) expect(namesOf(await factsOf(harness, a.revision, tip))).toEqual([true, false, 'b'])
    expect(await commit(harness)).toMatchObject({ revision: b.revision, previousTip: '' })
    const c = await revoke(harness, 'c')
    expect(c.previousTip).toBe('')
    expect((await factsOf(harness, a.revision, a.tip)).facts.map(({ tip }) => tip)).toEqual(['', c.tip])
    expect(namesOf(await factsOf(harness, b.revision, ''))).toEqual([true, false, 'c'])
    const d = await revoke(harness, 'd')
    expect(d.previousTip).toBe(c.tip)
    expect(await factsOf(harness, c.revision, stranger)).toMatchObject(elsewhere)
  })
}
