import { describe, expect, test } from '@jest/globals'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FactWindow } from './fact-window.ts'
import { Region, type Entry } from './region.ts'
import { setting, token } from './testing/setting.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const nobody = { isActive: false, revokedBy: [], expiresAt: Infinity } as const
const names = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `t${from + n}`)

function proven(...limits: Parameters<typeof setting>) {
  const made = setting(...limits)
  made.prove()
  const kept = (keys: string[]) => keys.filter((key) => made.cache.get(key) !== undefined)
  return { ...made, kept }
}

describe('what is kept', () => {
  test('is bounded in number: what was asked about only once goes first, in its order', () => {
    const { keep, cache, kept } = proven({ entries: 4 })
    for (const key of names(0, 4)) keep(key)
    expect(kept(['t0', 't2'])).toEqual(['t0', 't2'])
    for (const key of names(4, 6)) keep(key)
    expect(cache.stats()).toMatchObject({ entries: 4, evicted: 2 })
    expect(kept(names(0, 6))).toEqual(['t0', 't2', 't4', 't5'])
  })

  test('is spared once for having been asked about', () => {
    const { keep, kept, cache } = proven({ entries: 2 })
    keep('t0')
    keep('t1')
    expect(kept(['t0', 't1'])).toEqual(['t0', 't1'])
    keep('t2')
    expect(cache.stats().evicted).toBe(1)
    keep('t3')
    keep('t4')
    expect(kept(names(0, 5))).toEqual(['t3', 't4'])
  })

  test('is bounded in bytes, of which inactive answers give way first', () => {
    const { keep, kept, cache } = proven({ bytes: 1_000, entryBytes: 98 })
    for (const key of names(0, 3)) keep(key, { ...nobody, bytes: 100 })
    for (const key of names(3, 6)) keep(key)
    expect(cache.stats()).toMatchObject({ entries: 3, negativeEntries: 2, bytes: 1_000 })
    for (const key of names(6, 9)) keep(key)
    expect(cache.stats()).toMatchObject({ entries: 5, negativeEntries: 0, bytes: 1_000, evicted: 4 })
    expect(kept(names(0, 9))).toEqual(['t4', 't5', 't6', 't7', 't8'])
  })

  test('is not kept at all when it alone is too large', () => {
    const { keep, cache } = proven({ bytes: 1_000 })
    keep('a', { bytes: 2_000 })
    expect(cache.get('a')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0 })
  })

  test('gives its bytes back when it ends', () => {
    const { keep, clock, cache } = proven()
    keep('a', { expiresAt: clock.now() + 1 })
    keep('a', { expiresAt: clock.now() + 1 })
    expect(cache.stats()).toMatchObject({ entries: 1, bytes: 329 })
    clock.advance(1)
    cache.get('a')
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0 })
  })

  test('is nothing where no entries are allowed', () => {
    const { keep, cache } = proven({ entries: 0, negativeEntries: 0 })
    keep('a')
    keep('b', nobody)
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, undefined])
    expect(cache.stats()).toMatchObject({ entries: 0, negativeEntries: 0, bytes: 0 })
  })

  test('is not displaced by a scan of many unknown tokens, nor does memory grow', () => {
    const { keep, kept, cache } = proven()
    for (const key of names(0, 100)) keep(key)
    const scan = (from: number, to: number): number => {
      for (let n = from; n < to; n++) keep(`scanned-${n}`, { ...nobody, bytes: 0 })
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = scan(0, 50_000)
    const after = scan(50_000, 250_000)
    expect(after - before).toBeLessThan(1_000_000)
    expect(kept(names(0, 100))).toHaveLength(100)
    expect(cache.stats()).toMatchObject({ entries: 100, negativeEntries: 10_000, evicted: 240_000 })
  })

  test('takes no more memory however much comes and goes', () => {
    const region = new Region<null, Entry<null>>(50_000)
    const entry = (n: number) => ({
      key: `k${n}`,
      value: null,
      bytes: 1,
      isUsed: false,
      padding: new Array(20).fill(n),
    })
    let n = 0
    const churn = (count: number): number => {
      for (const end = n + count; n < end; n++) {
        region.set(entry(n))
        region.delete(`k${n - 20_000}`)
      }
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    for (; n < 60_000; n++) region.set(entry(n))
    for (let gone = 10_000; gone < 40_000; gone++) region.delete(`k${gone}`)
    const before = churn(100_000)
    const after = churn(200_000)
    expect(after - before).toBeLessThan(4_000_000)
    expect(region.size).toBe(20_000)
  })
})

describe('a region', () => {
  const region = (most: number) => new Region<null, Entry<null>>(most)
  const entry = (key: string, isUsed = false): Entry<null> => ({ key, value: null, bytes: 1, isUsed })

  test('evicts though everything in it is used', () => {
    const made = region(3)
    for (const key of ['a', 'b', 'c']) made.set(entry(key, true))
    made.set(entry('d'))
    expect(made.size).toBe(3)
    expect(['a', 'b', 'c', 'd'].filter((key) => made.get(key))).toEqual(['b', 'c', 'd'])
  })

  test('has one entry under a key', () => {
    const made = region(3)
    made.set(entry('a'))
    made.set(entry('a'))
    expect(made).toMatchObject({ size: 1, bytes: 1 })
  })

  test('evicts nothing when it is empty', () => {
    const made = region(3)
    made.evict()
    expect(made).toMatchObject({ size: 0, evicted: 0, bytes: 0 })
  })

  test('goes on evicting in order after long rest', () => {
    const made = region(3)
    for (let n = 0; n < 50; n++) made.set(entry(`a${n}`))
    for (let n = 47; n < 50; n++) made.delete(`a${n}`)
    for (let n = 0; n < 50; n++) {
      made.set(entry(`b${n}`))
      made.delete(`b${n - 1}`)
    }
    for (let n = 0; n < 4; n++) made.set(entry(`c${n}`))
    expect(['b49', 'c0', 'c1', 'c2', 'c3'].filter((key) => made.get(key))).toEqual(['c1', 'c2', 'c3'])
  })
})

describe('the facts that are remembered', () => {
  test('are bounded: what was not asked about while more came is asked about anew', () => {
    const { keep, kept, log, cache } = proven({ windowFacts: 4 })
    for (const key of ['a', 'b', 'c']) keep(key)
    cache.push(log.commit(...['w', 'x', 'y'].map(token)))
    expect(kept(['a', 'b'])).toEqual(['a', 'b'])
    cache.push(log.commit(token('z')))
    expect(kept(['a'])).toEqual(['a'])
    cache.push(log.commit(token('v')))
    expect(kept(['a', 'b', 'c'])).toEqual(['a', 'b'])
    expect(cache.stats().entries).toBe(2)
  })

  test('suffice for an answer that was asked for while as many came, and for no older one', () => {
    const { cache, log, clock } = proven({ windowFacts: 4 })
    const parts = { value: '', partition: 0, expiresAt: Infinity, bytes: 0, isActive: true }
    const ticket = cache.ticket()
    for (const id of ['w', 'x', 'y', 'z']) cache.push(log.commit(token(id)))
    expect(cache.keep(ticket, 'w', { ...parts, revokedBy: [token('w')] })).toBe(false)
    expect(cache.keep(ticket, 'a', { ...parts, revokedBy: [token('a')] })).toBe(true)
    cache.push(log.commit(token('v')))
    expect(cache.keep(ticket, 'b', { ...parts, revokedBy: [token('b')] })).toBe(false)
    expect(clock.waits).toEqual([])
  })

  test('take no more memory however many come', () => {
    const window = new FactWindow(1_000)
    const hear = (count: number): number => {
      for (const end = window.tick + count; window.tick < end;) window.note(window.tick * 4_294_967_291)
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = hear(10_000)
    expect(hear(200_000) - before).toBeLessThan(1_000_000)
  })

  test('are known though they come again and again', () => {
    const { keep, cache, log } = proven({ windowFacts: 4 })
    for (let n = 0; n < 9; n++) cache.push(log.commit(token('a')))
    keep('a')
    expect(cache.get('a')).toBe('value of a')
    for (const id of ['a', 'x', 'y', 'z']) cache.push(log.commit(token(id)))
    expect(cache.get('a')).toBe('ended')
    cache.push(log.commit(token('a')))
    expect(cache.get('a')).toBeUndefined()
  })
})
