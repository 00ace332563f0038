import { describe, expect, test } from '@jest/globals'
import { growthPerSecond } from './backlog.ts'

describe('the growth of the backlog', () => {
  test('is none when it rises at first and then stays', () => {
    expect(growthPerSecond({ samples: [0, 400, 500, 510, 490, 505, 495], seconds: 6 })).toBeCloseTo(0, 0)
  })

  test('is the difference of arrivals and departures when it rises evenly', () => {
    const samples = Array.from({ length: 21 }, (_, n) => n * 500)
    expect(growthPerSecond({ samples, seconds: 10 })).toBeGreaterThan(950)
  })

  test('is not guessed from too few samples', () => {
    expect(growthPerSecond({ samples: [0, 9_000], seconds: 1 })).toBe(0)
  })
})
