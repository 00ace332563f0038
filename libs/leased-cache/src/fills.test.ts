import { describe, expect, test } from '@jest/globals'
import { answer, setting, token } from './testing/setting.ts'
import { TestLog } from './testing/test-log.ts'

const proven = (logs?: TestLog[]) => {
  const made = setting({}, logs)
  made.prove()
  return made
}

describe('an answer that was asked for', () => {
  test('is kept, and given again', () => {
    const { cache, keep } = proven()
    expect(keep('a')).toBe(true)
    expect(cache.get('a')).toBe('value of a')
    expect(keep('a', { value: 'newer' })).toBe(true)
    expect(cache.get('a')).toBe('newer')
    expect(cache.stats()).toMatchObject({ entries: 1, hits: 2 })
  })

  test('is not kept when what would end it came meanwhile, by a push', () => {
    const { cache, clock, log } = proven()
    const ticket = cache.ticket()
    cache.push(log.commit(token('a')))
    expect(cache.keep(ticket, 'a', answer('a', clock))).toBe(false)
    expect(cache.keep(ticket, 'b', answer('b', clock))).toBe(true)
    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('b')).toBe('value of b')
  })

  test('is not kept when what would end it came meanwhile, by a probe', () => {
    const { cache, clock, log, prove } = proven()
    const ticket = cache.ticket()
    log.commit(token('a'))
    prove()
    expect(cache.keep(ticket, 'a', answer('a', clock))).toBe(false)
  })

  test('is not kept when what would end it came meanwhile, and waits for what is before it', () => {
    const { cache, clock, log } = proven()
    const ticket = cache.ticket()
    log.commit(token('x'))
    cache.push(log.commit(token('a')))
    expect(cache.keep(ticket, 'a', answer('a', clock))).toBe(false)
  })

  test('ends by a fact that was ahead when it was asked for, once that is applied', () => {
    const { cache, clock, log } = proven()
    const [first, second] = [log.commit(token('x')), log.commit(token('a'))]
    cache.push(second)
    // Asked of a replica that has only what this cache has: nothing after 0:aa:0.
    expect(cache.minRevision(0)).toBe('0:aa:0')
    expect(cache.keep(cache.ticket(), 'a', answer('a', clock))).toBe(true)
    cache.push(first)
    expect(cache.get('a')).toBe('ended')
  })

  test('ends by a fact that comes after it was kept', () => {
    const { cache, log, keep } = proven()
    keep('a')
    cache.push(log.commit(token('a')))
    expect(cache.get('a')).toBe('ended')
  })

  test('is kept when what would end it came before it was asked for: whoever answered knew', () => {
    const { cache, log, keep } = proven()
    cache.push(log.commit(token('a')))
    expect(keep('a')).toBe(true)
    expect(cache.get('a')).toBe('value of a')
    cache.push(log.commit(token('x')))
    expect(cache.get('a')).toBe('value of a')
  })

  test('is not kept when it was asked for before anything was known', () => {
    const { cache, clock, prove } = setting()
    const ticket = cache.ticket()
    expect(cache.minRevision(0)).toBe('')
    expect(cache.keep(ticket, 'a', answer('a', clock))).toBe(false)
    prove()
    expect(cache.keep(ticket, 'a', answer('a', clock))).toBe(false)
    expect(cache.keep(cache.ticket(), 'a', answer('a', clock))).toBe(true)
  })

  test('is not kept when its partition is not known', () => {
    const { keep } = proven()
    expect(keep('a', { partition: 7 })).toBe(false)
  })

  test.each([
    ['fell behind', (log: TestLog) => (log.commit(token('x')), log.trim(), log)],
    ['saw the store go back', () => new TestLog(0, 'bb')],
  ])('is not kept when the cache %s meanwhile', (_, change) => {
    const { cache, clock, logs, log, prove } = proven()
    const ticket = cache.ticket()
    logs[0] = change(log)
    prove()
    expect(cache.keep(ticket, 'a', answer('a', clock))).toBe(false)
    expect(cache.keep(cache.ticket(), 'a', answer('a', clock))).toBe(true)
  })

  test('is not kept when a fact of unknown kind came meanwhile', () => {
    const { cache, clock, log } = proven()
    const ticket = cache.ticket()
    cache.push(log.commit({ kind: 'planet' as 'token', id: 'x' }))
    expect(cache.keep(ticket, 'a', answer('a', clock))).toBe(false)
  })

  test('is not kept when it is over already', () => {
    const { cache, clock, keep } = proven()
    keep('a', { expiresAt: clock.now() })
    expect(cache.get('a')).toBeUndefined()
  })

  test('is not kept under a key that is not latin text: two keys might look alike', () => {
    const { cache, keep } = proven()
    expect(keep('\u0141')).toBe(false)
    expect(keep('A')).toBe(true)
    expect(cache.get('\u0141')).toBeUndefined()
  })
})

describe('an inactive answer', () => {
  const nobody = { isActive: false, revokedBy: [], expiresAt: Infinity } as const

  test('is kept apart, and takes the place of an active one', () => {
    const { cache, keep } = proven()
    keep('a')
    expect(keep('a', { ...nobody, value: 'no' })).toBe(true)
    expect(cache.get('a')).toBe('no')
    expect(cache.stats()).toMatchObject({ entries: 0, negativeEntries: 1 })
    keep('a')
    expect(cache.stats()).toMatchObject({ entries: 1, negativeEntries: 0 })
  })

  test('of an unknown partition needs a proof of all of them', () => {
    const [left, right] = [new TestLog(0), new TestLog(1)]
    const { cache, clock, keep } = proven([left, right])
    expect(keep('n', { ...nobody, partition: undefined })).toBe(true)
    clock.advance(600)
    const { nonce, places } = cache.probe()
    cache.settle(nonce, [left.after(places)])
    clock.advance(400)
    expect(cache.get('n')).toBe('value of n')
    clock.advance(1)
    expect(cache.get('n')).toBeUndefined()
  })

  test('of an unknown partition ends when any of them begins anew, or another is learned of', () => {
    const [left, right, third] = [new TestLog(0), new TestLog(1), new TestLog(2)]
    const { cache, keep, prove, logs, log } = proven([left, right])
    const keepIt = () => keep('n', { ...nobody, partition: undefined })
    keepIt()
    expect(cache.get('n')).toBeDefined()
    right.commit(token('x'))
    right.trim()
    prove()
    expect(cache.get('n')).toBeUndefined()
    keepIt()
    expect(cache.get('n')).toBeDefined()
    logs.push(third)
    prove()
    expect(cache.get('n')).toBeUndefined()
    expect(log).toBe(left)
  })

  test('of an unknown partition is not kept while none is known', () => {
    const { keep, cache } = setting()
    expect(keep('n', { ...nobody, partition: undefined })).toBe(false)
    expect(cache.isProven()).toBe(false)
  })
})
