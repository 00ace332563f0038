import { describe, expect, test } from '@jest/globals'
import { complaintAbout } from './http-contender.ts'

const figures = {
  ...{ requests: 10_000, seconds: 1, p50Ms: 1, p99Ms: 2, bytes: 5_000_000 },
  ...{ non2xx: 0, socketErrors: 0, exhausted: false },
}

describe('a round over HTTP', () => {
  test('is good when every answer is as long as the verified one, but for what is in flight', () => {
    expect(complaintAbout(figures, 500, 32)).toBeUndefined()
    expect(complaintAbout({ ...figures, bytes: 5_000_000 - 32 * 500 }, 500, 32)).toBeUndefined()
  })

  test('fails when some answers were others than the verified one', () => {
    const someInactive = { ...figures, bytes: 9_000 * 500 + 1_000 * 200 }
    expect(complaintAbout(someInactive, 500, 32)).toContain('not the same')
  })

  test('may allow answers that grow a little', () => {
    const longer = { ...figures, bytes: 10_000 * 510 + 32 * 500 }
    expect(complaintAbout(longer, 500, 32)).toContain('not the same')
    expect(complaintAbout(longer, 500, 32, 0.05)).toBeUndefined()
  })

  test.each([
    ['nothing was answered', { requests: 0, bytes: 0 }, 'no answer'],
    ['an answer was not 2xx', { non2xx: 1 }, 'not 2xx'],
    ['a connection broke', { socketErrors: 1 }, 'broke'],
    ['tokens to be used once ran out', { exhausted: true }, 'fewer tokens'],
  ])('fails when %s', (_, change, complaint) => {
    expect(complaintAbout({ ...figures, ...change }, 500, 32)).toContain(complaint)
  })
})
