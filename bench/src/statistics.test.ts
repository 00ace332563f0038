import { describe, expect, test } from '@jest/globals'
import { median, percentile, spreadPercent } from './statistics.ts'

describe('the statistics', () => {
  test('take the middle of an odd number of rounds, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5)
  })

  test('take the mean of the middle two of an even number of rounds', () => {
    expect(median([10, 1, 3, 4])).toBe(3.5)
  })

  test('do not sort by spelling', () => {
    expect(median([100, 9, 20])).toBe(20)
  })

  test('refuse to make a median of nothing', () => {
    expect(() => median([])).toThrow(RangeError)
    expect(() => percentile([], 50)).toThrow(RangeError)
  })

  test('give the spread as plus or minus per cent of the median', () => {
    expect(spreadPercent([90, 100, 110])).toBeCloseTo(10)
    expect(spreadPercent([100])).toBe(0)
    expect(spreadPercent([0, 0, 0])).toBe(0)
  })

  test('give percentiles by nearest rank', () => {
    const hundred = Float64Array.from({ length: 100 }, (_, n) => n + 1)
    expect(percentile(hundred, 50)).toBe(50)
    expect(percentile(hundred, 99)).toBe(99)
    expect(percentile(hundred, 100)).toBe(100)
    expect(percentile([7], 99)).toBe(7)
  })
})
