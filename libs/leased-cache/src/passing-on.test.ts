import { describe, expect, test } from '@jest/globals'
import { LeasedCache } from './cache.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { setting, token } from './testing/setting.ts'
import { TestLog } from './testing/test-log.ts'

describe('a revision', () => {
  const proven = () => {
    const logs = [new TestLog(0), new TestLog(3)]
    logs[0]!.commit(token('x'), token('y'))
    const made = setting({}, logs)
    made.prove()
    return made
  }

  test('is covered when the cache is as far in that history', () => {
    const { cache } = proven()
    const revisions = ['', '0:aa:2', '0:aa:1', '0:aa:2 3:aa:0']
    expect(revisions.map((revision) => cache.covers(revision))).toEqual([true, true, true, true])
  })

  test('is not covered when it is further, of another history or partition, or none', () => {
    const { cache } = proven()
    const revisions = ['0:aa:3', '0:bb:1', '1:aa:0', 'x', '0:aa:2 3:aa:1', '0:aa:2  3:aa:0']
    expect(revisions.map((revision) => cache.covers(revision))).toEqual(revisions.map(() => false))
    expect(setting().cache.covers('0:aa:0')).toBe(false)
  })

  test('with a tip is covered by the same history only', () => {
    const { cache, log } = proven()
    const before = log.tip
    cache.push(log.commit(token('z')))
    const other = 'f'.repeat(16)
    expect(cache.covers(`0:aa:3~${log.tip}`)).toBe(true)
    expect(cache.covers(`0:aa:2~${before} 3:aa:0`)).toBe(true)
    expect(cache.covers(`0:aa:3~${other}`)).toBe(false)
    expect(cache.covers(`0:aa:2~${other}`)).toBe(false)
    // From before this cache knows: whoever asks is not taken at their word.
    expect(cache.covers(`0:aa:1~${other}`)).toBe(false)
  })

  test('tells how new an answer must be to be kept: of its partition, or of all when that is not known', () => {
    const { cache, log } = proven()
    const place = `0:aa:2~${log.tip}`
    expect(cache.minRevision(0)).toBe(place)
    expect(cache.minRevision(3)).toBe('3:aa:0')
    expect(cache.minRevision(9)).toBe('')
    expect(cache.minRevision(undefined)).toBe(`${place} 3:aa:0`)
    expect(cache.covers(cache.minRevision(undefined))).toBe(true)
    cache.push(log.commit(token('z')))
    expect(cache.minRevision(0)).toBe(`0:aa:3~${log.tip}`)
    expect(setting().cache.minRevision(undefined)).toBe('')
  })
})

describe('a cache that others are fed from', () => {
  const places = ({ revision, tip }: TestLog) => [{ revision, tip }]

  test('tells what somebody lacks', () => {
    const { cache, log, prove } = setting()
    prove()
    const start = places(log)
    cache.push(log.commit(token('a'), token('b')))
    const middle = places(log)
    log.commit(token('c'))
    prove()
    const told = (at: typeof start) =>
      cache
        .logsAfter(at, [0])
        .map(({ facts, ...rest }) => ({ ...rest, ids: facts.map(({ sequence, fact }) => `${sequence}${fact.id}`) }))
    const head = { revision: '0:aa:3', tip: log.tip, complete: true, otherHistory: false }
    expect(told(start)).toEqual([{ ...head, ids: ['1a', '2b', '3c'] }])
    expect(told(middle)).toEqual([{ ...head, ids: ['3c'] }])
    expect(told(places(log))).toEqual([{ ...head, ids: [] }])
    expect(told([])).toEqual([{ ...head, ids: [] }])
  })

  test('tells only of the partitions that are asked for, and known', () => {
    const { cache, prove } = setting({}, [new TestLog(0), new TestLog(1)])
    prove()
    expect(cache.logsAfter([], [1, 2]).map(({ revision }) => revision)).toEqual(['1:aa:0'])
  })

  test.each([
    ['another epoch', '0:bb:1', (log: TestLog) => log.tip],
    ['a place further on', '0:aa:9', (log: TestLog) => log.tip],
    ['another tip', '0:aa:1', () => 'f'.repeat(16)],
  ])('says that it is another history to whoever is at %s', (_, revision, tip) => {
    const { cache, log, prove } = setting()
    log.commit(token('a'))
    prove()
    expect(cache.logsAfter([{ revision, tip: tip(log) }], [0])).toMatchObject([{ complete: false, otherHistory: true }])
  })

  test('tells whoever is further behind than it remembers to begin anew', () => {
    const { cache, log, prove } = setting({ trailFacts: 3 })
    log.commit(token('before'))
    prove()
    const at = [places(log)]
    for (let n = 0; n < 7; n++) {
      cache.push(log.commit(token(`t${n}`)))
      at.push(places(log))
    }
    // The trail is cut to half when it is twice as long.
    const counts = at.map(
      (place) => cache.logsAfter(place, [0]).map(({ complete, facts }) => (complete ? facts.length : 'begin anew'))[0],
    )
    expect(counts).toEqual([...new Array(4).fill('begin anew'), 3, 2, 1, 0])
    expect(cache.logsAfter(places(new TestLog()), [0])).toMatchObject([{ complete: false, otherHistory: false }])
  })

  test('tells of nothing from before it began anew', () => {
    const { cache, log, prove } = setting()
    prove()
    const start = places(log)
    cache.push(log.commit(token('a')))
    log.commit(token('b'))
    log.trim()
    prove()
    expect(cache.logsAfter(start, [0])).toMatchObject([{ complete: false, otherHistory: false, facts: [] }])
  })

  test('feeds a cache that learns of everything by probes alone', () => {
    const { cache, log, prove, clock } = setting()
    prove()
    const second = new LeasedCache<string>({
      maxStalenessMs: 1_000,
      clock: new ManualClock(),
      random: () => 0.5,
      ended: 'ended',
    })
    const probe = () => {
      const { nonce, places: at } = second.probe()
      return second.settle(nonce, cache.logsAfter(at, [0]))
    }
    expect(probe()).toEqual([0])
    const kept = { value: 'a', partition: 0, revokedBy: [token('a')], expiresAt: Infinity, bytes: 0, isActive: true }
    second.keep(second.ticket(), 'a', kept)
    cache.push(log.commit(token('x')))
    probe()
    expect(second.get('a')).toBe('a')
    cache.push(log.commit(token('a')))
    probe()
    expect(second.get('a')).toBe('ended')
    expect(second.places()).toEqual(cache.places())
    expect(clock.waits).toEqual([])
  })
})
