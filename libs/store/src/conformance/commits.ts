import { describe, expect, test } from '@jest/globals'
import { newCommitId } from '../commit-id.ts'
import type { Key } from '../port.ts'
import { bytes, commit, commitOf, eventsOf, freshKey, putOf, tokenFact, valueOf, type Harness } from './harness.ts'

export function commitTests(at: () => Harness): void {
  describe('a commit', () => {
    putTests(at)
    checkTests(at)
    atomicityTests(at)
    retryTests(at)
    parallelTests(at)
  })
}

function putTests(at: () => Harness): void {
  test('puts values, any bytes and none, under its own id as their version', async () => {
    const [first, second] = [freshKey(at()), freshKey(at())]
    const odd = Uint8Array.from({ length: 256 }, (_, n) => n)
    const { id } = await commit(at(), { puts: [{ key: first, value: odd }, putOf(second, '')] })
    const entries = await at().store.get([first, second])
    expect(entries.map((entry) => [entry?.key, entry?.version])).toEqual([
      [first, id],
      [second, id],
    ])
    expect([...entries[0]!.value]).toEqual([...odd])
    expect(entries[1]!.value).toHaveLength(0)
  })

  test('replaces a value and its version', async () => {
    const key = freshKey(at())
    await commit(at(), { puts: [putOf(key, 'old')] })
    const { id } = await commit(at(), { puts: [putOf(key, 'new')] })
    expect((await at().store.get([key]))[0]?.version).toBe(id)
    expect(await valueOf(at(), key)).toBe('new')
  })

  test('deletes, also what is not there', async () => {
    const [held, absent] = [freshKey(at()), freshKey(at())]
    await commit(at(), { puts: [putOf(held)] })
    await commit(at(), { deletes: [held, absent] })
    expect(await at().store.get([held, absent])).toEqual([undefined, undefined])
  })

  test('keeps what was given, whatever becomes of the caller’s buffer', async () => {
    const key = freshKey(at())
    const value = bytes('given')
    const pending = commit(at(), { puts: [{ key, value }] })
    await pending
    value.fill(0)
    expect(await valueOf(at(), key)).toBe('given')
  })

  test('may be empty', async () => {
    expect(await commit(at())).toMatchObject({ firstSequence: undefined })
  })
}

function checkTests(at: () => Harness): void {
  test('holds its checks of absence and of versions', async () => {
    const [key, absent] = [freshKey(at()), freshKey(at())]
    const { id } = await commit(at(), { checks: [{ key, version: null }], puts: [putOf(key, 'one')] })
    const checks = [
      { key, version: id },
      { key: absent, version: null },
    ]
    await commit(at(), { checks, puts: [putOf(key, 'two')] })
    expect(await valueOf(at(), key)).toBe('two')
  })

  test.each(['another version', 'present though absence was asked for', 'absent though a version was asked for'])(
    'answers conflict, and writes nothing, when a key is %s',
    async (why) => {
      const [key, other] = [freshKey(at()), freshKey(at())]
      if (!why.startsWith('absent')) await commit(at(), { puts: [putOf(key, 'kept')] })
      const version = why.startsWith('present') ? null : newCommitId()
      const id = newCommitId()
      const size = await at().store.outbox(at().partition).size()
      const { revision } = await at().store.facts(at().partition, undefined)
      const checks = [
        { key: other, version: null },
        { key, version },
      ]
      const writes = {
        puts: [putOf(other)],
        deletes: [key],
        events: eventsOf(at(), id),
        facts: [tokenFact('conflicted')],
      }
      expect(await at().store.commit(commitOf(at(), { id, checks, ...writes }))).toBe('conflict')
      expect(await valueOf(at(), key)).toBe(why.startsWith('absent') ? undefined : 'kept')
      expect(await valueOf(at(), other)).toBeUndefined()
      expect(await at().store.outbox(at().partition).size()).toBe(size)
      expect((await at().store.facts(at().partition, undefined)).revision).toBe(revision)
    },
  )

  test('that conflicted may be made again under the same id once its checks hold', async () => {
    const key = freshKey(at())
    const { id: held } = await commit(at(), { puts: [putOf(key)] })
    const again = commitOf(at(), { checks: [{ key, version: null }], puts: [putOf(key, 'again')] })
    expect(await at().store.commit(again)).toBe('conflict')
    await commit(at(), { checks: [{ key, version: held }], deletes: [key] })
    expect(await at().store.commit(again)).toMatchObject({ revision: expect.any(String) })
    expect(await valueOf(at(), key)).toBe('again')
  })
}

function atomicityTests(at: () => Harness): void {
  test('brings state, events and facts together', async () => {
    const key = freshKey(at())
    const id = newCommitId()
    const before = await at().store.facts(at().partition, undefined)
    const about = newCommitId()
    const parts = { id, puts: [putOf(key)], events: eventsOf(at(), id, 2), facts: [tokenFact(about)] }
    const { revision, firstSequence } = await commit(at(), parts)
    const events = await at()
      .store.outbox(at().partition)
      .read(firstSequence! - 1, 10)
    expect(events.map((event) => [event.sequence, event.revision])).toEqual([
      [firstSequence, revision],
      [firstSequence! + 1, revision],
    ])
    const log = await at().store.facts(at().partition, before.revision)
    expect(log.revision).toBe(revision)
    expect(log.facts.map(({ fact }) => fact)).toEqual([tokenFact(about)])
    expect(await valueOf(at(), key)).toBe('value')
  })
}

function retryTests(at: () => Harness): void {
  test('made again answers as committed, with the revision as it is now, and no second event or fact', async () => {
    const id = newCommitId()
    const made = commitOf(at(), {
      id,
      puts: [putOf(freshKey(at()))],
      events: eventsOf(at(), id),
      facts: [tokenFact(id)],
    })
    const first = await at().store.commit(made)
    const later = await commit(at(), { facts: [tokenFact('later')] })
    const size = await at().store.outbox(at().partition).size()
    const again = await at().store.commit(made)
    expect(first).toMatchObject({ firstSequence: expect.any(Number), repeated: false })
    expect(again).toMatchObject({ revision: later.revision, repeated: true, backlogEvents: size })
    expect(again).toMatchObject({ firstSequence: undefined })
    expect(await at().store.outbox(at().partition).size()).toBe(size)
  })

  test('made again after another overwrote its key leaves that one’s value', async () => {
    const key = freshKey(at())
    const made = commitOf(at(), { checks: [{ key, version: null }], puts: [putOf(key, 'first')] })
    await at().store.commit(made)
    await commit(at(), { checks: [{ key, version: made.id }], puts: [putOf(key, 'second')] })
    expect(await at().store.commit(made)).toMatchObject({ firstSequence: undefined })
    expect(await valueOf(at(), key)).toBe('second')
  })

  test('made many times at once is applied once', async () => {
    const id = newCommitId()
    const made = commitOf(at(), { id, puts: [putOf(freshKey(at()))], events: eventsOf(at(), id) })
    const size = await at().store.outbox(at().partition).size()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => at().store.commit(made)))
    const first = outcomes.filter((outcome) => outcome !== 'conflict' && outcome.firstSequence !== undefined)
    expect(outcomes).not.toContain('conflict')
    expect(first).toEqual([expect.objectContaining({ repeated: false })])
    expect(outcomes.filter((outcome) => outcome !== 'conflict' && outcome.repeated)).toHaveLength(19)
    expect(await at().store.outbox(at().partition).size()).toBe(size + 1)
  })
}

const writers = 200

function parallelTests(at: () => Harness): void {
  test(`of ${writers} writers to one key, with one attempt each, exactly one wins`, async () => {
    const key = freshKey(at())
    const { id } = await commit(at(), { puts: [putOf(key, '0')] })
    const outcomes = await Promise.all(
      Array.from({ length: writers }, (_, n) =>
        at().store.commit(commitOf(at(), { checks: [{ key, version: id }], puts: [putOf(key, String(n))] })),
      ),
    )
    expect(outcomes.filter((outcome) => outcome !== 'conflict')).toHaveLength(1)
  })

  test(`${writers} writers that read, decide and commit until it holds count without a loss`, async () => {
    const key = freshKey(at())
    await commit(at(), { puts: [putOf(key, '0')] })
    await Promise.all(Array.from({ length: writers }, () => countOne(at(), key)))
    expect(await valueOf(at(), key)).toBe(String(writers))
  })
}

async function countOne(harness: Harness, key: Key): Promise<void> {
  for (;;) {
    const [entry] = await harness.store.get([key])
    const next = Number(new TextDecoder().decode(entry!.value)) + 1
    const checks = [{ key, version: entry!.version }]
    const outcome = await harness.store.commit(commitOf(harness, { checks, puts: [putOf(key, String(next))] }))
    if (outcome !== 'conflict') return
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
  }
}
