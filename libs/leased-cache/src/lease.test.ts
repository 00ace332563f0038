import { describe, expect, test } from '@jest/globals'
import { boundMs, setting } from './testing/setting.ts'
import { TestLog } from './testing/test-log.ts'

const kept = () => {
  const made = setting()
  made.prove()
  expect(made.keep('a')).toBe(true)
  return made
}

describe('a lease', () => {
  test('begins when the probe leaves, however late its answer comes', () => {
    const { cache, clock, answerTo } = kept()
    const probe = cache.probe()
    clock.advance(900)
    answerTo(probe)
    clock.advance(100)
    expect(cache.get('a')).toBe('value of a')
    clock.advance(1)
    expect(cache.get('a')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, lapsed: 1 })
  })

  test('is over after the bound to the millisecond, and comes back with the next proof', () => {
    const { cache, clock, prove } = kept()
    clock.advance(boundMs)
    expect(cache.get('a')).toBe('value of a')
    expect(cache.isProven()).toBe(true)
    clock.advance(1)
    expect(cache.get('a')).toBeUndefined()
    expect(cache.isProven()).toBe(false)
    prove()
    expect(cache.get('a')).toBe('value of a')
  })

  test('is not renewed by an answer older than itself', () => {
    const { cache, clock, prove } = kept()
    clock.advance(boundMs + 1)
    const late = cache.probe()
    clock.advance(boundMs + 1)
    cache.settle(late.nonce, [new TestLog().after(late.places)])
    expect(cache.get('a')).toBeUndefined()
    prove()
    expect(cache.get('a')).toBe('value of a')
  })

  test('keeps the newest of several probes, in whatever order their answers come', () => {
    const { cache, clock, answerTo } = kept()
    clock.advance(400)
    const first = cache.probe()
    clock.advance(400)
    const second = cache.probe()
    clock.advance(100)
    answerTo(second)
    answerTo(first)
    clock.advance(900)
    expect(cache.get('a')).toBe('value of a')
    clock.advance(1)
    expect(cache.get('a')).toBeUndefined()
  })

  test('takes one answer a probe, to a nonce of its own', () => {
    const { cache, clock, log } = kept()
    clock.advance(boundMs + 1)
    const { nonce, places } = cache.probe()
    expect(cache.settle(nonce + 1, [log.after(places)])).toEqual([])
    expect(cache.settle(nonce - 1, [log.after(places)])).toEqual([])
    expect(cache.get('a')).toBeUndefined()
    expect(cache.settle(nonce, [log.after(places)])).toEqual([0])
    expect(cache.settle(nonce, [log.after(places)])).toEqual([])
    expect(cache.get('a')).toBe('value of a')
  })

  test('does not count on a probe that many have followed', () => {
    const { cache, answerTo } = setting({ openProbes: 3 })
    const [first, second] = [cache.probe(), cache.probe(), cache.probe(), cache.probe()]
    expect(answerTo(first)).toEqual([])
    expect(answerTo(second!)).toEqual([0])
  })

  test('gives up a part of itself for a clock that runs slow', () => {
    const { clock, prove, cache, keep } = setting({ drift: 0.005 })
    prove()
    keep('a')
    clock.advance(995)
    expect(cache.get('a')).toBe('value of a')
    clock.advance(1)
    expect(cache.get('a')).toBeUndefined()
  })

  test('is over when a suspended machine wakes up, whose monotonic clock stood still', () => {
    const { cache, clock, prove } = kept()
    clock.setWall(boundMs + 1)
    expect(cache.get('a')).toBeUndefined()
    prove()
    expect(cache.get('a')).toBe('value of a')
  })

  test.each([-900, -3_600_000])('gains nothing from a wall clock that is set by %i ms', (byMs) => {
    const { cache, clock } = kept()
    clock.setWall(byMs)
    expect(cache.get('a')).toBe('value of a')
    clock.advance(boundMs + 1)
    expect(cache.get('a')).toBeUndefined()
  })

  test('is as short as the caller wants', () => {
    const { cache, clock } = kept()
    clock.advance(100)
    expect(cache.get('a', 100)).toBe('value of a')
    expect(cache.get('a', 99)).toBeUndefined()
    expect(cache.get('a', 100_000)).toBe('value of a')
  })

  test('is each partition’s own', () => {
    const [left, right] = [new TestLog(0), new TestLog(1)]
    const { cache, clock, keep, prove } = setting({}, [left, right])
    prove()
    keep('l', { partition: 0 })
    keep('r', { partition: 1 })
    clock.advance(boundMs)
    const { nonce, places } = cache.probe()
    expect(cache.settle(nonce, [left.after(places)])).toEqual([0])
    clock.advance(1)
    expect(cache.get('l')).toBe('value of l')
    expect(cache.get('r')).toBeUndefined()
    expect(cache.isProven()).toBe(false)
  })
})

describe('an expiry', () => {
  test('is checked at each decision', () => {
    const { cache, clock, prove, keep } = setting()
    prove()
    keep('a', { expiresAt: clock.now() + 500 })
    clock.advance(499)
    expect(cache.get('a')).toBe('value of a')
    clock.advance(1)
    expect(cache.get('a')).toBeUndefined()
    expect(cache.stats().entries).toBe(0)
  })

  test('does not come undone when the wall clock is set back', () => {
    const { cache, clock, prove, keep } = setting()
    prove()
    keep('a', { expiresAt: clock.now() + 3_000 })
    clock.setWall(-3_600_000)
    clock.advance(3_000)
    prove()
    expect(cache.get('a')).toBeUndefined()
  })

  test('comes early for what no fact tells of: a minute for active answers, ten seconds for inactive ones', () => {
    const { cache, clock, prove, keep } = setting()
    prove()
    keep('a', { expiresAt: Infinity })
    keep('n', { isActive: false, revokedBy: [], expiresAt: Infinity })
    const at = (ms: number) => {
      clock.advance(ms)
      prove()
      return [cache.get('a'), cache.get('n')].map((value) => value !== undefined)
    }
    expect(at(9_999)).toEqual([true, true])
    expect(at(1)).toEqual([true, false])
    expect(at(49_999)).toEqual([true, false])
    expect(at(1)).toEqual([false, false])
  })
})
