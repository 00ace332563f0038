import { describe, expect, test } from '@jest/globals'
import { relayLimits } from './limits.ts'
import { Pending } from './pending.ts'

const first = '0:aa:0'
const other = '0:bb:0'

describe('what is pending', () => {
  test('is found once, with its place', () => {
    const pending = new Pending()
    pending.committed(3, '3:aa:0', 41, ['a:0', 'a:1'])
    expect(pending.take('a:1')).toMatchObject({ partition: 3, sequence: 42 })
    expect(pending.take('a:1')).toBeUndefined()
    expect(pending.has('a:0')).toBe(true)
    expect(pending.take('b:0')).toBeUndefined()
  })

  test('is bounded: the oldest is forgotten', () => {
    const pending = new Pending(3)
    for (let n = 1; n <= 10; n++) pending.committed(0, first, n, [`${n}:0`])
    expect(pending.size).toBe(3)
    expect(pending.has('7:0')).toBe(false)
    expect(pending.has('8:0')).toBe(true)
  })

  test('is forgotten when the store has another history, in that partition only', () => {
    const pending = new Pending()
    pending.committed(0, first, 1, ['a:0'])
    pending.committed(1, '1:aa:0', 1, ['b:0'])
    pending.committed(0, other, 1, ['c:0'])
    expect([pending.has('a:0'), pending.has('b:0'), pending.has('c:0')]).toEqual([false, true, true])
  })

  test('is forgotten from where the sequence went back to', () => {
    const pending = new Pending()
    pending.committed(0, first, 1, ['a:0'])
    pending.committed(0, first, 2, ['b:0'])
    pending.committed(0, first, 3, ['c:0'])
    pending.committed(0, first, 2, ['d:0'])
    expect([pending.take('a:0'), pending.take('b:0'), pending.take('c:0')]).toMatchObject([
      { sequence: 1 },
      undefined,
      undefined,
    ] as object[])
    expect(pending.take('d:0')).toMatchObject({ sequence: 2 })
  })
})

describe('publishing again', () => {
  const place = (sequence: number) => ({ partition: 0, sequence })

  test('may be done at once for what is not pending', () => {
    expect(new Pending().isDue('a:0', place(1))).toBe(true)
  })

  test('waits two sweeps, and twice as long each time, up to a bound', () => {
    const pending = new Pending()
    pending.committed(0, first, 1, ['a:0'])
    const waits: number[] = []
    for (let repeat = 0; repeat < 8; repeat++) {
      let sweeps = 0
      for (; !pending.isDue('a:0', place(1)); sweeps++) pending.nextSweep(0)
      waits.push(sweeps)
      pending.repeated('a:0', place(1), first)
    }
    const { longestPatienceSweeps: most } = relayLimits
    expect(waits).toEqual([2, 4, 8, 16, 32, most, most, most])
  })

  test('waits while events before it are being acknowledged, and no longer once one after it was', () => {
    const pending = new Pending()
    for (let n = 1; n <= 10; n++) pending.committed(0, first, n, [`${n}:0`])
    for (let n = 1; n <= 6; n++) {
      pending.nextSweep(0)
      pending.take(`${n}:0`)
      expect(pending.isDue('8:0', place(8))).toBe(false)
      expect(pending.isDue('of another process:0', place(9))).toBe(false)
    }
    pending.take('9:0')
    expect(pending.isDue('8:0', place(8))).toBe(true)
    expect(pending.isDue('10:0', place(10))).toBe(false)
  })

  test('does not wait for a journal that has stopped acknowledging', () => {
    const pending = new Pending()
    for (let n = 1; n <= 3; n++) pending.committed(0, first, n, [`${n}:0`])
    pending.nextSweep(0)
    pending.take('1:0')
    pending.nextSweep(0)
    expect(pending.isDue('3:0', place(3))).toBe(false)
    pending.nextSweep(0)
    expect(pending.isDue('3:0', place(3))).toBe(true)
  })
})
