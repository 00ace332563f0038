import { describe, expect, test } from '@jest/globals'
import { keyOf } from '../port.ts'
import { commit, freshKey, putOf, text, until, valueOf, type Harness } from './harness.ts'

export function readTests(at: () => Harness): void {
  describe('reading', () => {
    getTests(at)
    followTests(at)
    expiryTests(at)
  })
}

function getTests(at: () => Harness): void {
  test('gives entries in the order of the keys, also of several partitions, with gaps for what is absent', async () => {
    const elsewhere = { ...at(), partition: (at().partition + 1) % 64 }
    const [here, there, absent] = [freshKey(at()), freshKey(elsewhere), freshKey(at())]
    await commit(at(), { puts: [putOf(here, 'here')] })
    await commit(elsewhere, { puts: [putOf(there, 'there')] })
    const entries = await at().store.get([there, absent, here, there])
    expect(entries.map((entry) => text(entry?.value))).toEqual(['there', undefined, 'here', 'there'])
    expect(await at().store.get([])).toEqual([])
  })

  test('gives hundreds of entries at once', async () => {
    const keys = Array.from({ length: 400 }, () => freshKey(at()))
    for (let n = 0; n < keys.length; n += 200)
      await commit(at(), { puts: keys.slice(n, n + 200).map((key) => putOf(key, key)) })
    expect((await at().store.get(keys)).map((entry) => text(entry?.value))).toEqual(keys)
    const followed = await Promise.all(keys.map((key) => at().store.follow(key)))
    expect(followed.map((entries) => text(entries?.[0]?.value))).toEqual(keys)
  })

  test('shows a commit as soon as it is acknowledged', async () => {
    for (let n = 0; n < 50; n++) {
      const key = freshKey(at())
      await commit(at(), { puts: [putOf(key, String(n))] })
      expect(await valueOf(at(), key)).toBe(String(n))
    }
  })
}

function followTests(at: () => Harness): void {
  test('follows an entry to what it links to, in order, leaving out what is absent', async () => {
    const [token, grant, client, absent] = ['token', 'grant', 'client', 'session'].map((kind) => freshKey(at(), kind))
    await commit(at(), { puts: [putOf(grant!, 'the grant'), putOf(client!, 'the client')] })
    const { id } = await commit(at(), { puts: [putOf(token!, 'the token', { links: [client!, absent!, grant!] })] })
    const entries = await at().store.follow(token!)
    expect(entries?.map(({ key, value }) => [key, text(value)])).toEqual([
      [token, 'the token'],
      [client, 'the client'],
      [grant, 'the grant'],
    ])
    expect(entries?.[0]?.version).toBe(id)
  })

  test('follows links as they are now, to values as they are now', async () => {
    const [token, first, second] = [freshKey(at()), freshKey(at()), freshKey(at())]
    await commit(at(), { puts: [putOf(first, 'first'), putOf(second, 'old'), putOf(token, 't', { links: [first] })] })
    await commit(at(), { puts: [putOf(second, 'new'), putOf(token, 't', { links: [second] })] })
    expect((await at().store.follow(token))?.map(({ value }) => text(value))).toEqual(['t', 'new'])
    await commit(at(), { puts: [putOf(token, 't')] })
    expect(await at().store.follow(token)).toHaveLength(1)
  })

  test('follows many at once, each to its own, and one link shared by all', async () => {
    const shared = freshKey(at(), 'client')
    await commit(at(), { puts: [putOf(shared, 'shared')] })
    const tokens = Array.from({ length: 150 }, () => ({
      token: freshKey(at(), 'token'),
      grant: freshKey(at(), 'grant'),
    }))
    for (const { token, grant } of tokens)
      await commit(at(), { puts: [putOf(grant, grant), putOf(token, token, { links: [grant, shared] })] })
    const followed = await Promise.all(tokens.map(({ token }) => at().store.follow(token)))
    expect(followed.map((entries) => entries?.map(({ value }) => text(value)))).toEqual(
      tokens.map(({ token, grant }) => [token, grant, 'shared']),
    )
  })

  test('follows nothing from an absent entry', async () => {
    expect(await at().store.follow(freshKey(at()))).toBeUndefined()
  })
}

const shortMs = 1_000

function expiryTests(at: () => Harness): void {
  test('lets entries expire: for get, follow, links, checks and listings', async () => {
    const [brief, lasting, listing] = [freshKey(at(), '~'), freshKey(at()), freshKey(at(), 'list')]
    const expiresAt = at().now() + shortMs
    // So many that they are not all cleared away at once.
    const crowd = Array.from({ length: 200 }, () => putOf(freshKey(at()), 'crowd', { expiresAt, listedIn: [listing] }))
    const puts = [
      ...crowd,
      putOf(brief, 'brief', { expiresAt, listedIn: [listing] }),
      putOf(lasting, 'lasting', { links: [brief], listedIn: [listing] }),
    ]
    await commit(at(), { puts })
    expect(await at().store.follow(lasting)).toHaveLength(2)
    await at().pass(shortMs)
    await until(async () => (await valueOf(at(), brief)) === undefined)
    expect(await at().store.follow(brief)).toBeUndefined()
    expect(await at().store.follow(lasting)).toHaveLength(1)
    expect((await at().store.list(listing, { limit: 10 })).entries.map(({ key }) => key)).toEqual([lasting])
    await commit(at(), { checks: [{ key: brief, version: null }], puts: [putOf(brief, 'again')] })
    expect((await at().store.list(listing, { limit: 10 })).entries.map(({ key }) => key)).toEqual([lasting])
  })

  test('takes an expiry that is past, shortens one and takes one away', async () => {
    const [past, shortened, freed] = [freshKey(at()), freshKey(at()), freshKey(at())]
    const soon = { expiresAt: at().now() + shortMs }
    await commit(at(), { puts: [putOf(past, 'v', { expiresAt: 1 }), putOf(freed, 'v', soon), putOf(shortened)] })
    expect(await valueOf(at(), past)).toBeUndefined()
    await commit(at(), { puts: [putOf(freed, 'freed'), putOf(shortened, 'v', soon)] })
    await at().pass(shortMs)
    await until(async () => (await valueOf(at(), shortened)) === undefined)
    expect(await valueOf(at(), freed)).toBe('freed')
  })

  test('keeps an entry in its listings when its expiry moves', async () => {
    const [key, listing] = [freshKey(at()), keyOf(at().partition, freshKey(at(), 'list').split(':')[1]!)]
    await commit(at(), { puts: [putOf(key, 'v', { expiresAt: at().now() + shortMs, listedIn: [listing] })] })
    await commit(at(), { puts: [putOf(key, 'extended', { expiresAt: at().now() + 60_000 })] })
    await at().pass(shortMs)
    const { entries } = await at().store.list(listing, { limit: 10 })
    expect(entries.map(({ value }) => text(value))).toEqual(['extended'])
  })
}
