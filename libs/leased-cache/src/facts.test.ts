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
    expect(cache.get('a')).toBe('ended')
    expect(cache.get('b')).toBe('value of b')
    expect(notes).toEqual(['applied 0:aa:1 a'])
    expect(cache.places()).toEqual([{ revision: '0:aa:1', tip: log.tip }])
  })

  test.each([
    ['token', 'ended'],
    ['grant', 'ended'],
    ['session', 'ended'],
    ['subject', undefined],
    ['client', undefined],
  ] as const)('of kind %s leave of what they are about: %s', (kind, left) => {
    const { cache, log, keep } = kept()
    keep('mine', { revokedBy: [{ kind, id: 'x' }] })
    keep('other', { revokedBy: [{ kind, id: 'y' }] })
    keep('alike', { revokedBy: [{ kind: kind === 'token' ? 'grant' : 'token', id: 'x' }] })
    cache.push(log.commit({ kind, id: 'x' }))
    expect(['mine', 'other', 'alike'].map((key) => cache.get(key))).toEqual([left, 'value of other', 'value of alike'])
    expect(cache.stats().flushes).toBe(0)
  })

  test('that end it for good count before those after which it is asked about', () => {
    const { cache, log, keep } = kept()
    keep('a', { revokedBy: [{ kind: 'client', id: 'c' }, { kind: 'subject', id: 's' }, token('a')] })
    keep('b', { revokedBy: [{ kind: 'client', id: 'c' }, token('b')] })
    cache.push(log.commit({ kind: 'client', id: 'c' }))
    expect(cache.get('b')).toBeUndefined()
    cache.push(log.commit(token('a')))
    expect(cache.get('a')).toBe('ended')
    expect(cache.get('a')).toBe('ended')
    expect(cache.stats()).toMatchObject({ entries: 1, hits: 2 })
  })

  test('that end it for good say so only while the lease runs, and until the answer would have been over', () => {
    const { cache, clock, log, prove } = kept('a')
    cache.push(log.commit(token('a')))
    clock.advance(1_001)
    expect(cache.get('a')).toBeUndefined()
    prove()
    expect(cache.get('a')).toBe('ended')
    clock.advance(60_000)
    prove()
    expect(cache.get('a')).toBeUndefined()
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
    expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual(['value of a', 'ended', 'ended'])
    expect(cache.places()[0]!.revision).toBe('0:aa:0')
    cache.push(first)
    expect(cache.get('a')).toBe('ended')
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
    expect(cache.get('a')).toBe('ended')
  })

  test('that waited and were brought by a probe, too, are not applied again', () => {
    const { cache, log, notes, prove } = kept()
    log.commit(token('a'))
    cache.push(log.commit(token('b')))
    prove()
    cache.push(log.commit(token('c')))
    expect(notes).toEqual(['gap 0', 'applied 0:aa:1 a', 'applied 0:aa:2 b', 'applied 0:aa:3 c'])
  })

  test('make room for others once a probe has brought them', () => {
    const { cache, log, notes, prove } = setting({ pushesAhead: 1 })
    prove()
    log.commit(token('a'))
    cache.push(log.commit(token('b')))
    prove()
    const [third, fourth] = [log.commit(token('c')), log.commit(token('d'))]
    cache.push(fourth)
    cache.push(third)
    expect(notes.slice(-2)).toEqual(['applied 0:aa:3 c', 'applied 0:aa:4 d'])
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
    expect(cache.get('a')).toBe('ended')
    expect(cache.get('b')).toBe('value of b')
    expect(cache.places()[0]!.revision).toBe('0:aa:0')
    expect(notes).toEqual(['gap 0'])
  })

  test('that do not fit to the tip are of another history, and are not followed', () => {
    const { cache, log, notes } = kept('a', 'y')
    cache.push(log.commit(token('x')))
    const push = log.commit(token('y'))
    cache.push({ ...push, previousTip: 'f'.repeat(16) })
    expect(cache.places()[0]!.revision).toBe('0:aa:1')
    expect(cache.get('y')).toBe('ended')
    cache.push(push)
    expect(cache.places()[0]!.revision).toBe('0:aa:2')
    expect(notes).toEqual(['applied 0:aa:1 x', 'gap 0', 'applied 0:aa:2 y'])
  })

  test('that fit to the tip, and not to the sequence, are not followed', () => {
    const { cache, log } = kept()
    cache.push({ ...log.commit(token('x')), revision: '0:aa:7' })
    expect(cache.places()[0]!.revision).toBe('0:aa:0')
  })

  test('of another epoch do not take the place of those that wait', () => {
    const { cache, log } = kept()
    const other = new TestLog(0, 'bb')
    const [first, second] = [log.commit(token('a')), log.commit(token('b'))]
    cache.push(second)
    other.commit(token('y'))
    cache.push(other.commit(token('z')))
    cache.push(first)
    expect(cache.places()[0]!.revision).toBe('0:aa:2')
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
