import { describe, expect, test } from '@jest/globals'
import type { Fact } from '@countersign/contracts'
import { setting, token } from './testing/setting.ts'
import { TestLog } from './testing/test-log.ts'

const kept = (...keys: string[]) => {
  const made = setting()
  made.prove()
  for (const key of keys) expect(made.keep(key)).toBe(true)
  made.notes.length = 0
  return made
}

describe('facts that are pushed', () => {
  test('end what they are about, and nothing else', () => {
    const { cache, log, notes } = kept('a', 'b')
    cache.push(log.commit(token('a')))
    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('b')).toBe('value of b')
    expect(notes).toEqual(['applied 0:aa:1 a'])
    expect(cache.places()).toEqual([{ revision: '0:aa:1', tip: log.tip }])
  })

  test.each(['token', 'grant', 'session', 'subject', 'client'] as const)('of kind %s are known', (kind) => {
    const { cache, log, keep } = kept()
    keep('mine', { revokedBy: [{ kind, id: 'x' }] })
    keep('other', { revokedBy: [{ kind, id: 'y' }] })
    keep('alike', { revokedBy: [{ kind: kind === 'token' ? 'grant' : 'token', id: 'x' }] })
    cache.push(log.commit({ kind, id: 'x' }))
    expect(['mine', 'other', 'alike'].map((key) => cache.get(key) !== undefined)).toEqual([false, true, true])
    expect(cache.stats().flushes).toBe(0)
  })

  test('of a kind nobody knows end everything in their partition', () => {
    const logs = [new TestLog(0), new TestLog(1)]
    const { cache, keep, prove, notes } = setting({}, logs)
    prove()
    keep('a')
    keep('r', { partition: 1 })
    cache.push(logs[0]!.commit({ kind: 'planet' as Fact['kind'], id: 'x' }))
    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('r')).toBe('value of r')
    expect(notes).toEqual(['flushed 0 unknown_fact', 'applied 0:aa:1 x'])
    expect(keep('a')).toBe(true)
    expect(cache.get('a')).toBe('value of a')
  })

  test('do not renew the lease', () => {
    const { cache, clock, log } = kept('a')
    clock.advance(1_001)
    cache.push(log.commit(token('b')))
    expect(cache.get('a')).toBeUndefined()
  })

  test('are heard of before the first proof without effect', () => {
    const { cache, log, notes, prove } = setting()
    cache.push(log.commit(token('a')))
    expect(cache.places()).toEqual([])
    prove()
    expect(cache.places()).toEqual([{ revision: '0:aa:1', tip: log.tip }])
    expect(notes).toEqual([])
  })

  test('come twice to no more effect than once', () => {
    const { cache, log, notes } = kept('a')
    const push = log.commit(token('b'), token('c'))
    cache.push(push)
    cache.push(push)
    expect(notes).toEqual(['applied 0:aa:2 b,c'])
    expect(cache.places()[0]!.revision).toBe('0:aa:2')
    expect(cache.get('a')).toBe('value of a')
  })

  test('are forgotten by at once, even when those before them are missing, and wait for these', () => {
    const { cache, log, notes } = kept('a', 'b', 'c')
    const [first, second, third] = [log.commit(token('a')), log.commit(token('b')), log.commit(token('c'))]
    cache.push(third)
    cache.push(second)
    expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, false])
    expect(cache.places()[0]!.revision).toBe('0:aa:0')
    cache.push(first)
    expect(cache.get('a')).toBeUndefined()
    expect(cache.places()[0]!.revision).toBe('0:aa:3')
    expect(notes).toEqual(['gap 0', 'gap 0', 'applied 0:aa:1 a', 'applied 0:aa:2 b', 'applied 0:aa:3 c'])
  })

  test('that waited are applied once a probe has brought what was missing', () => {
    const { cache, log, notes, clock } = kept('a')
    log.commit(token('a'))
    const probe = cache.probe()
    const answered = log.after(probe.places)
    cache.push(log.commit(token('b')))
    clock.advance(10)
    expect(cache.settle(probe.nonce, [answered])).toEqual([0])
    expect(notes).toEqual(['gap 0', 'applied 0:aa:1 a', 'applied 0:aa:2 b'])
    expect(cache.get('a')).toBeUndefined()
  })

  test('that waited and were brought by a probe, too, are not applied again', () => {
    const { cache, log, notes, prove } = kept()
    log.commit(token('a'))
    cache.push(log.commit(token('b')))
    prove()
    cache.push(log.commit(token('c')))
    expect(notes).toEqual(['gap 0', 'applied 0:aa:2 a,b', 'applied 0:aa:3 c'])
  })

  test('wait in bounded number', () => {
    const { cache, log, prove, notes } = setting({ pushesAhead: 2 })
    prove()
    const [first, ...later] = ['a', 'b', 'c', 'd', 'e'].map((id) => log.commit(token(id)))
    for (const push of later) cache.push(push)
    notes.length = 0
    cache.push(first!)
    expect(notes).toEqual(['applied 0:aa:1 a', 'applied 0:aa:2 b', 'applied 0:aa:3 c'])
  })

  test('of another epoch end what they are about, and do not move the cache on', () => {
    const { cache, notes } = kept('a', 'b')
    const other = new TestLog(0, 'bb')
    cache.push(other.commit(token('a')))
    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('b')).toBe('value of b')
    expect(cache.places()[0]!.revision).toBe('0:aa:0')
    expect(notes).toEqual(['gap 0'])
  })

  test('that do not fit to the tip are of another history, and are not followed', () => {
    const { cache, log, notes } = kept('a')
    cache.push(log.commit(token('x')))
    const push = log.commit(token('y'))
    cache.push({ ...push, previousTip: 'f'.repeat(16) })
    expect(cache.places()[0]!.revision).toBe('0:aa:1')
    cache.push(push)
    expect(cache.places()[0]!.revision).toBe('0:aa:2')
    expect(notes).toEqual(['applied 0:aa:1 x', 'gap 0', 'applied 0:aa:2 y'])
  })

  test('that waited and do not fit to what came before them are dropped', () => {
    const { cache, log, notes } = kept()
    const [first, second] = [log.commit(token('a')), log.commit(token('b'))]
    cache.push({ ...second, previousTip: 'f'.repeat(16) })
    cache.push(first)
    expect(cache.places()[0]!.revision).toBe('0:aa:1')
    expect(notes).toEqual(['gap 0', 'applied 0:aa:1 a', 'gap 0'])
  })

  test('whose revision is none are passed over', () => {
    const { cache } = kept('a')
    cache.push({ revision: 'nonsense', tip: '', previousTip: '', facts: [token('a')] })
    expect(cache.get('a')).toBe('value of a')
  })
})

describe('the answer to a probe', () => {
  test('brings the facts that were never pushed', () => {
    const { cache, log, prove, notes } = kept('a', 'b')
    log.commit(token('a'), token('x'))
    log.commit(token('y'))
    expect(prove()).toEqual([0])
    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('b')).toBe('value of b')
    expect(notes).toEqual(['applied 0:aa:3 a,x,y'])
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

  test('that does not agree with what was pushed meanwhile says that the store went back', () => {
    const { cache, log, notes } = kept('a')
    const other = log.branch('restored')
    const probe = cache.probe()
    cache.push(log.commit(token('x')))
    other.commit(token('z'))
    expect(cache.settle(probe.nonce, [other.after(probe.places)])).toEqual([0])
    expect(cache.get('a')).toBeUndefined()
    expect(notes.at(-1)).toBe('flushed 0 rollback')
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
