import { Failure } from '@countersign/contracts'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createLimiters, type LimiterOptions } from './limiter.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

const limiter = (options: Partial<LimiterOptions>) =>
  createLimiters({})({ name: 'test', points: 3, durationMs: 60_000, ...options })

const tooMany = (retryAfterSeconds: number) =>
  expect.objectContaining({ name: 'Failure', code: 'too_many_requests', retryAfterSeconds })

test('a key is blocked once it has failed often enough, until its time is over, and others are not', async () => {
  const { blockedSeconds, fail } = limiter({})
  for (let n = 0; n < 3; n++) {
    expect(await blockedSeconds('a')).toBeUndefined()
    await fail('a')
  }
  expect(await blockedSeconds('a')).toBe(60)
  expect(await blockedSeconds('b')).toBeUndefined()
  jest.advanceTimersByTime(59_500)
  expect(await blockedSeconds('a')).toBe(1)
  jest.advanceTimersByTime(500)
  expect(await blockedSeconds('a')).toBeUndefined()
  await fail('a')
  expect(await blockedSeconds('a')).toBeUndefined()
})

test('so many as there are points may be taken; what is too many does not make the window longer', async () => {
  const { blockedSeconds, take } = limiter({})
  for (let n = 0; n < 3; n++) await take('a')
  await expect(take('a')).rejects.toEqual(tooMany(60))
  await take('b')
  jest.advanceTimersByTime(30_000)
  await expect(take('a')).rejects.toEqual(tooMany(30))
  await expect(take('a')).rejects.toBeInstanceOf(Failure)
  expect(await blockedSeconds('a')).toBe(30)
  jest.advanceTimersByTime(30_000)
  await take('a')
})

test('0 points never limit', async () => {
  const { blockedSeconds, fail, take } = limiter({ points: 0 })
  for (let n = 0; n < 100; n++) await Promise.all([fail('a'), take('a')])
  expect(await blockedSeconds('a')).toBeUndefined()
})

test('many keys do not fill the memory: those counted last are remembered', async () => {
  const { blockedSeconds, fail } = limiter({ points: 1, maxKeys: 1_000 })
  const timers = jest.getTimerCount()
  for (let n = 0; n < 100_000; n++) {
    void fail(`k${n}`)
    if (n % 500 === 0) void fail('persistent')
  }
  expect(jest.getTimerCount() - timers).toBe(1_000)
  expect(await blockedSeconds('k99999')).toBe(60)
  expect(await blockedSeconds('persistent')).toBe(60)
  expect(await blockedSeconds('k99100')).toBe(60)
  expect(await blockedSeconds('k98900')).toBeUndefined()
  jest.advanceTimersByTime(60_000)
  expect(jest.getTimerCount()).toBe(timers)
})

test.each([0, 999, 1_500, 86_401_000, Number.NaN])('a window of %s ms is refused', (durationMs) => {
  expect(() => limiter({ durationMs })).toThrow(RangeError)
})
