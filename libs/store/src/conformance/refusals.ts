import { describe, expect, test } from '@jest/globals'
import {
  maxCommitBytes,
  maxCommitItems,
  maxEventBytes,
  maxFactIdBytes,
  maxLinks,
  maxListings,
  maxNameBytes,
  maxValueBytes,
} from '../limits.ts'
import type { Commit, Key, Store } from '../port.ts'
import { keyOf } from '../port.ts'
import { failure } from './failure.ts'
import { bytes, commitOf, eventsOf, freshKey, putOf, tokenFact, type Harness } from './harness.ts'

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))

/** What must be refused, each with how it is built from a good commit's parts. */
const malformed: Record<string, (harness: Harness, good: Commit, key: Key) => Partial<Commit>> = {
  'an id in upper case': (_, good) => ({ id: good.id.toUpperCase().replace(/\d/g, 'A'), events: [] }),
  'an id that is too short': (_, good) => ({ id: good.id.slice(1), events: [] }),
  'a partition that there is not': () => ({ partition: 64, puts: [], events: [] }),
  'a key of another partition': ({ partition }) => ({ puts: [putOf(keyOf((partition + 1) % 64, 'x'))] }),
  'a key without a name': ({ partition }) => ({ puts: [putOf(keyOf(partition, ''))] }),
  'a key with a space': (_, __, key) => ({ puts: [putOf(`${key} `)] }),
  'a key with a control character': (_, __, key) => ({ puts: [putOf(`${key}\0`)] }),
  'a key beyond ASCII': (_, __, key) => ({ puts: [putOf(`${key}é`)] }),
  'a key of the store’s own': ({ partition }) => ({ puts: [putOf(keyOf(partition, '.meta'))] }),
  'a key that is too long': ({ partition }) => ({ puts: [putOf(keyOf(partition, 'x'.repeat(maxNameBytes + 1)))] }),
  'a key put twice': (_, __, key) => ({ puts: [putOf(key), putOf(key, 'other')] }),
  'a key put and deleted': (_, __, key) => ({ puts: [putOf(key)], deletes: [key] }),
  'a key deleted twice': (_, __, key) => ({ puts: [], deletes: [key, key] }),
  'a check of another partition': ({ partition }) => ({
    checks: [{ key: keyOf((partition + 1) % 64, 'x'), version: null }],
  }),
  'a check of what is no version': (_, __, key) => ({ checks: [{ key, version: 'latest' }] }),
  'a link to another partition': ({ partition }, _, key) => ({
    puts: [putOf(key, 'v', { links: [keyOf((partition + 1) % 64, 'x')] })],
  }),
  'a listing of another partition': ({ partition }, _, key) => ({
    puts: [putOf(key, 'v', { listedIn: [keyOf((partition + 1) % 64, 'x')] })],
  }),
  'an expiry that is no time': (_, __, key) => ({ puts: [putOf(key, 'v', { expiresAt: Number.NaN })] }),
  'an expiry of half a millisecond': (_, __, key) => ({ puts: [putOf(key, 'v', { expiresAt: 1.5 })] }),
  'too many links': (harness, _, key) => ({
    puts: [putOf(key, 'v', { links: many(maxLinks + 1, () => freshKey(harness)) })],
  }),
  'too many listings': (harness, _, key) => ({
    puts: [putOf(key, 'v', { listedIn: many(maxListings + 1, () => freshKey(harness)) })],
  }),
  'too large a value': (_, __, key) => ({ puts: [{ key, value: new Uint8Array(maxValueBytes + 1) }] }),
  'too many bytes in all': (harness) => ({
    puts: many(Math.ceil(maxCommitBytes / maxValueBytes) + 1, () => ({
      key: freshKey(harness),
      value: new Uint8Array(maxValueBytes),
    })),
  }),
  'too many puts': (harness) => ({ puts: many(maxCommitItems + 1, () => putOf(freshKey(harness))) }),
  'too many facts': () => ({ facts: many(maxCommitItems + 1, (n) => tokenFact(String(n))) }),
  'an event of another commit': (harness) => ({ events: eventsOf(harness, '0'.repeat(32)) }),
  'an event out of order': (harness, good) => ({ events: eventsOf(harness, good.id, 2).reverse() }),
  'an event of another partition': ({ partition }, good) => ({
    events: good.events.map((event) => ({ ...event, partition: (partition + 1) % 64 })),
  }),
  'too large an event': (_, good) => ({
    events: good.events.map((event) => ({ ...event, reason: 'x'.repeat(maxEventBytes) })),
  }),
  'a fact of no kind': () => ({ facts: [{ kind: 'planet' as 'token', id: 'x' }] }),
  'a fact about nothing': () => ({ facts: [tokenFact('')] }),
  'a fact with a broken character': () => ({ facts: [tokenFact('\ud800')] }),
  'a fact with too long an id': () => ({ facts: [tokenFact('x'.repeat(maxFactIdBytes + 1))] }),
}

/** Reads that are not even asked. */
const badReads: Record<string, (store: Store, harness: Harness) => Promise<unknown>> = {
  'a key without a partition': (store) => store.get(['x']),
  'a key of partition 64': (store) => store.follow('64:x'),
  'a key with a leading zero': (store) => store.follow('00:x'),
  'a key with a line break': (store) => store.get(['0:x\n']),
  'a page of nothing': (store, { partition }) => store.list(keyOf(partition, 'x'), { limit: 0 }),
  'a page of too much': (store, { partition }) => store.list(keyOf(partition, 'x'), { limit: 1_001 }),
  'a cursor that is none': (store, { partition }) => store.list(keyOf(partition, 'x'), { limit: 1, after: 'x' }),
  'an outbox read of nothing': (store, { partition }) => store.outbox(partition).read(0, 0),
  'facts of partition -1': (store) => store.facts(-1, undefined),
}

export function refusalTests(at: () => Harness): void {
  describe('it refuses, with invalid_request and nothing written,', () => {
    test.each(Object.keys(malformed))('%s', async (what) => {
      const [good, key, untouched] = [commitOf(at()), freshKey(at()), freshKey(at())]
      good.puts = [putOf(untouched)]
      good.events = eventsOf(at(), good.id)
      const { revision } = await at().store.facts(at().partition, undefined)
      const size = await at().store.outbox(at().partition).size()
      const bad = { ...good, ...malformed[what]!(at(), good, key) }
      await expect(at().store.commit(bad)).rejects.toEqual(failure('invalid_request'))
      expect(await at().store.get([key, untouched])).toEqual([undefined, undefined])
      expect(await at().store.outbox(at().partition).size()).toBe(size)
      expect((await at().store.facts(at().partition, undefined)).revision).toBe(revision)
    })

    test.each(Object.keys(badReads))('%s', async (what) => {
      await expect(badReads[what]!(at().store, at())).rejects.toEqual(failure('invalid_request'))
    })

    test('nothing that is at its limit', async () => {
      const key = keyOf(at().partition, `limit/${'x'.repeat(maxNameBytes - 6)}`)
      const links = many(maxLinks, () => freshKey(at()))
      const listedIn = many(maxListings, () => freshKey(at()))
      const value = new Uint8Array(maxValueBytes).fill(7)
      const good = commitOf(at(), { puts: [{ key, value, links, listedIn }], facts: [tokenFact('x'.repeat(256))] })
      good.puts.push(...many(maxCommitItems - 1, () => ({ key: freshKey(at()), value: bytes('v') })))
      expect(await at().store.commit(good)).toMatchObject({ firstSequence: undefined })
      expect((await at().store.follow(key))?.[0]?.value).toHaveLength(maxValueBytes)
      expect((await at().store.list(listedIn[15]!, { limit: 1 })).entries).toHaveLength(1)
    })
  })
}
