import { describe, expect, test } from '@jest/globals'
import type { Key, Listing } from '../port.ts'
import { keyOf } from '../port.ts'
import { commit, freshKey, putOf, text, type Harness } from './harness.ts'

export function listingTests(at: () => Harness): void {
  describe('a listing', () => {
    orderTests(at)
    membershipTests(at)
    pagingTests(at)
  })
}

const hourMs = 3_600_000

const valuesIn = async ({ store }: Harness, listing: Listing): Promise<(string | undefined)[]> =>
  (await store.list(listing, { limit: 1_000 })).entries.map(({ value }) => text(value))

function orderTests(at: () => Harness): void {
  test('that nothing is in is empty', async () => {
    expect(await at().store.list(freshKey(at(), 'list'), { limit: 10 })).toEqual({ entries: [] })
  })

  test('holds entries, whole, soonest to expire first, and those that never do last', async () => {
    const listing = freshKey(at(), 'list')
    const entries = { never: undefined, last: 3, first: 1, middle: 2 }
    for (const [value, hours] of Object.entries(entries)) {
      const expiry = hours === undefined ? {} : { expiresAt: at().now() + hours * hourMs }
      await commit(at(), { puts: [putOf(freshKey(at()), value, { listedIn: [listing], links: [listing], ...expiry })] })
    }
    expect(await valuesIn(at(), listing)).toEqual(['first', 'middle', 'last', 'never'])
  })

  test('orders what expires together by name, byte by byte', async () => {
    const listing = freshKey(at(), 'list')
    const unique = listing.slice(-8)
    const names = ['Z', 'a', 'B', '_', 'ab', '~', '0', 'aB', 'a.'].map((name) => `${unique}${name}`)
    const puts = names.map((name) => putOf(keyOf(at().partition, name), name, { listedIn: [listing] }))
    await commit(at(), { puts })
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(await valuesIn(at(), listing)).toEqual(sorted)
    const paged: (string | undefined)[] = []
    let after: string | undefined
    do {
      const page = await at().store.list(listing, after === undefined ? { limit: 1 } : { limit: 1, after })
      paged.push(...page.entries.map(({ value }) => text(value)))
      after = page.next
    } while (after !== undefined)
    expect(paged).toEqual(sorted)
  })
}

function membershipTests(at: () => Harness): void {
  test('may share its name, and its entries, with others', async () => {
    const [listing, other, key] = [freshKey(at(), 'list'), freshKey(at(), 'list'), freshKey(at())]
    await commit(at(), { puts: [putOf(key, 'member', { listedIn: [listing, other, other] }), putOf(listing, 'entry')] })
    expect(await valuesIn(at(), listing)).toEqual(['member'])
    expect(await valuesIn(at(), other)).toEqual(['member'])
  })

  test('holds an entry that is put again, with or without it, and one that joins later', async () => {
    const [listing, other, key] = [freshKey(at(), 'list'), freshKey(at(), 'list'), freshKey(at())]
    await commit(at(), { puts: [putOf(key, 'one', { listedIn: [listing], links: [listing] })] })
    await commit(at(), { puts: [putOf(key, 'two', { listedIn: [other], links: [other] })] })
    await commit(at(), { puts: [putOf(key, 'three', { links: [key] })] })
    expect(await valuesIn(at(), listing)).toEqual(['three'])
    expect(await valuesIn(at(), other)).toEqual(['three'])
    expect((await at().store.follow(key))?.map(({ value }) => text(value))).toEqual(['three', 'three'])
  })

  test('drops an entry that is deleted, and does not take it back when its key is put again', async () => {
    const [listing, key, again, stays] = [freshKey(at(), 'list'), freshKey(at()), freshKey(at()), freshKey(at())]
    await commit(at(), { puts: [key, again, stays].map((each) => putOf(each, 'listed', { listedIn: [listing] })) })
    await commit(at(), { deletes: [key, again] })
    await commit(at(), { puts: [putOf(again, 'unlisted')] })
    expect(await valuesIn(at(), listing)).toEqual(['listed'])
    await commit(at(), { puts: [putOf(key, 'unlisted')] })
    expect(await valuesIn(at(), listing)).toEqual(['listed'])
  })
}

/** Puts `count` entries in a listing, half of them without expiry, and gives their keys in its order. */
async function fill(harness: Harness, listing: Listing, count: number): Promise<Key[]> {
  const start = harness.now() + hourMs
  const listed = Array.from({ length: count }, (_, n) => ({
    key: keyOf(harness.partition, `${listing.slice(-12)}/${String(n).padStart(4, '0')}`),
    expiry: n < count / 2 ? { expiresAt: start + Math.floor(n / 3) } : {},
  }))
  for (let n = 0; n < count; n += 200)
    await commit(harness, {
      puts: listed.slice(n, n + 200).map(({ key, expiry }) => putOf(key, key, { listedIn: [listing], ...expiry })),
    })
  return listed.map(({ key }) => key)
}

async function allPages(harness: Harness, listing: Listing, limit: number): Promise<{ keys: Key[]; sizes: number[] }> {
  const keys: Key[] = []
  const sizes: number[] = []
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await harness.store.list(listing, after === undefined ? { limit } : { limit, after })
    keys.push(...page.entries.map(({ key }) => key))
    sizes.push(page.entries.length)
    after = page.next
  }
  return { keys, sizes }
}

function pagingTests(at: () => Harness): void {
  test('is read in pages, every entry once, and the last page has no next', async () => {
    const listing = freshKey(at(), 'list')
    const keys = await fill(at(), listing, 60)
    for (const limit of [1, 7, 30, 59, 60, 61, 1_000]) {
      const pages = await allPages(at(), listing, limit)
      expect(pages.keys).toEqual(keys)
      expect(pages.sizes).toHaveLength(Math.ceil(60 / limit))
    }
  })

  test('goes on from its cursor when what stood there, and before, is deleted', async () => {
    const listing = freshKey(at(), 'list')
    const keys = await fill(at(), listing, 40)
    for (const read of [7, 30]) {
      const page = await at().store.list(listing, { limit: read })
      await commit(at(), { deletes: keys.slice(0, read) })
      const rest = await at().store.list(listing, { limit: 40, after: page.next! })
      expect(rest.entries.map(({ key }) => key)).toEqual(keys.slice(keys.indexOf(page.entries.at(-1)!.key) + 1))
      keys.splice(0, read)
    }
  })

  test('shows what was added after the cursor, and not what was added before it', async () => {
    const listing = freshKey(at(), 'list')
    const keys = await fill(at(), listing, 10)
    const page = await at().store.list(listing, { limit: 8 })
    const [early, late] = [freshKey(at()), keyOf(at().partition, `~${freshKey(at())}`)]
    const soon = { expiresAt: at().now() + hourMs / 2 }
    await commit(at(), {
      puts: [putOf(early, 'e', { listedIn: [listing], ...soon }), putOf(late, 'l', { listedIn: [listing] })],
    })
    const rest = await at().store.list(listing, { limit: 10, after: page.next! })
    expect(rest.entries.map(({ key }) => key)).toEqual([...keys.slice(8), late])
  })
}
