import { describe, expect, test } from '@jest/globals'
import { setting, token } from './testing/setting.ts'
import { TestLog } from './testing/test-log.ts'

const kept = (...keys: string[]) => {
  const made = setting()
  made.prove()
  for (const key of keys) expect(made.keep(key)).toBe(true)
  made.notes.length = 0
  return made
}

describe('the answer to a probe', () => {
  test('brings the facts that were never pushed', () => {
    const { cache, log, prove, notes } = kept('a', 'b')
    log.commit(token('a'), token('x'))
    log.commit(token('y'))
    expect(prove()).toEqual([0])
    expect(cache.get('a')).toBe('ended')
    expect(cache.get('b')).toBe('value of b')
    // One after the other, as they were committed.
    expect(notes).toEqual(['applied 0:aa:2 a,x', 'applied 0:aa:3 y'])
    expect(cache.places()).toEqual([{ revision: '0:aa:3', tip: log.tip }])
  })

  test('is taken though pushes have gone further meanwhile', () => {
    const { cache, log, answerTo, notes, clock } = kept('a')
    clock.advance(600)
    const probe = cache.probe()
    cache.push(log.commit(token('x')))
    const early = log.after(probe.places)
    cache.push(log.commit(token('y')))
    expect(cache.settle(probe.nonce, [early])).toEqual([0])
    expect(answerTo(cache.probe())).toEqual([0])
    expect(notes).toEqual(['applied 0:aa:1 x', 'applied 0:aa:2 y'])
    clock.advance(600)
    expect(cache.get('a')).toBe('value of a')
  })

  test.each([
    ['the head is behind what the cache has seen', (log: TestLog) => log.branch('b'), 1],
    ['it is as far, and its tip another', (log: TestLog) => (log.commit(token('z')), log), 1],
    ['it is further, and of another history', (log: TestLog) => (log.commit(token('z'), token('z')), log), 1],
    ['its epoch is another', () => new TestLog(0, 'bb'), 1],
  ])('says that the store went back when %s', (_, restore, rollbacks) => {
    const { cache, log, notes, keep, logs, prove } = kept('a')
    const backup = log.branch('restored')
    cache.push(log.commit(token('x')))
    logs[0] = restore(backup)
    expect(prove()).toEqual([0])
    expect(cache.get('a')).toBeUndefined()
    expect(notes.at(-1)).toBe('flushed 0 rollback')
    expect(cache.stats()).toMatchObject({ flushes: 1, rollbacks })
    expect(cache.places()).toEqual([{ revision: logs[0].revision, tip: logs[0].tip }])
    expect(keep('b')).toBe(true)
    expect(cache.get('b')).toBe('value of b')
  })

  test.each([
    [1, 1],
    [1, 2],
    [2, 1],
  ])('that does not agree with what was pushed meanwhile says that the store went back: %i, %i', (pushed, told) => {
    const { cache, log, notes } = kept('a')
    const other = log.branch('restored')
    const probe = cache.probe()
    for (let n = 0; n < pushed; n++) cache.push(log.commit(token(`x${n}`)))
    for (let n = 0; n < told; n++) other.commit(token(`z${n}`))
    expect(cache.settle(probe.nonce, [other.after(probe.places)])).toEqual([0])
    expect(cache.get('a')).toBeUndefined()
    expect(notes.at(-1)).toBe('flushed 0 rollback')
  })

  test.each([
    ['its epoch is another', { revision: '0:bb:1' }, 'rollback'],
    ['its head is behind', { revision: '0:aa:0', tip: '' }, 'rollback'],
    ['its tip is another', { tip: 'f'.repeat(16) }, 'rollback'],
    ['it is not all there', { complete: false }, 'behind'],
  ])('is judged by itself: %s', (_, told, why) => {
    const { cache, log, notes } = kept('a')
    cache.push(log.commit(token('x')))
    const { nonce, places } = cache.probe()
    expect(cache.settle(nonce, [{ ...log.after(places), ...told }])).toEqual([0])
    expect(notes.at(-1)).toBe(`flushed 0 ${why}`)
    expect(cache.get('a')).toBeUndefined()
  })

  test('that says that the store went back proves no more than its own sending', () => {
    const { cache, clock, logs, answerTo, keep } = kept()
    const before = cache.probe()
    clock.advance(600)
    answerTo(cache.probe())
    logs[0] = new TestLog(0, 'bb')
    expect(answerTo(before)).toEqual([0])
    keep('a')
    clock.advance(400)
    expect(cache.get('a')).toBe('value of a')
    clock.advance(1)
    expect(cache.get('a')).toBeUndefined()
  })

  test('that says that the store went back makes room for what is to wait then', () => {
    const { cache, log, logs, prove } = setting({ pushesAhead: 1 })
    prove()
    for (const id of ['1', '2', '3', '4', '5']) log.commit(token(id))
    cache.push(log.commit(token('6')))
    const other = (logs[0] = new TestLog(0, 'bb'))
    prove()
    const pushes = ['1', '2', '3', '4'].map((id) => other.commit(token(id)))
    cache.push(pushes[0]!)
    cache.push(pushes[1]!)
    cache.push(pushes[3]!)
    cache.push(pushes[2]!)
    expect(cache.places()[0]!.revision).toBe('0:bb:4')
  })

  test('to somebody too far behind begins anew, without alarm', () => {
    const { cache, log, notes, prove } = kept('a')
    log.commit(token('x'))
    log.trim()
    log.commit(token('y'))
    expect(prove()).toEqual([0])
    expect(cache.get('a')).toBeUndefined()
    expect(notes).toEqual(['flushed 0 behind'])
    expect(cache.stats()).toMatchObject({ flushes: 1, rollbacks: 0 })
  })

  test('whose facts are not all there begins anew', () => {
    const { cache, log } = kept('a')
    log.commit(token('x'), token('a'))
    const { nonce, places } = cache.probe()
    const { facts, ...answered } = log.after(places)
    cache.settle(nonce, [{ ...answered, facts: facts.slice(0, 1) }])
    expect(cache.get('a')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ flushes: 1, rollbacks: 0 })
  })

  test('from the first write on is no rollback', () => {
    const { cache, logs, prove, notes } = setting({}, [new TestLog(0, '')])
    prove()
    logs[0] = new TestLog(0, 'aa')
    logs[0].commit(token('x'))
    expect(prove()).toEqual([0])
    expect(cache.stats().rollbacks).toBe(0)
    expect(notes).toEqual(['flushed 0 behind'])
  })

  test('proves nothing when the cache began anew since it was asked', () => {
    const { cache, clock, log, answerTo, keep, prove } = kept()
    const before = cache.probe()
    clock.advance(600)
    const next = cache.probe()
    log.commit(token('x'))
    log.trim()
    answerTo(next)
    keep('a')
    clock.advance(100)
    expect(answerTo(before)).toEqual([])
    expect(prove()).toEqual([0])
    expect(cache.get('a')).toBe('value of a')
  })

  test('proves nothing of a partition that another probe has shown meanwhile', () => {
    const { cache, answerTo, clock } = setting()
    const before = cache.probe()
    clock.advance(10)
    expect(answerTo(cache.probe())).toEqual([0])
    expect(answerTo(before)).toEqual([])
  })

  test('whose revision is none is passed over', () => {
    const { cache, log } = kept('a')
    const { nonce, places } = cache.probe()
    expect(cache.settle(nonce, [{ ...log.after(places), revision: '0' }])).toEqual([])
    expect(cache.stats().proofs).toBe(1)
  })
})
