import { expect, test } from '@jest/globals'
import { createThrottle } from './throttle.ts'

const subject = (points: number, maxKeys = 1_000) => {
  const clock = { nowMs: 0 }
  return { clock, throttle: createThrottle({ points, durationMs: 60_000, maxKeys, nowMs: () => clock.nowMs }) }
}

test('a key is blocked once it has failed often enough, until its time is over, and others are not', () => {
  const { clock, throttle } = subject(3)
  for (let i = 0; i < 3; i++) {
    expect(throttle.blockedSeconds('a')).toBeUndefined()
    throttle.fail('a')
  }
  expect(throttle.blockedSeconds('a')).toBe(60)
  expect(throttle.blockedSeconds('b')).toBeUndefined()
  clock.nowMs = 59_500
  expect(throttle.blockedSeconds('a')).toBe(1)
  clock.nowMs = 60_000
  expect(throttle.blockedSeconds('a')).toBeUndefined()
  throttle.fail('a')
  expect(throttle.blockedSeconds('a')).toBeUndefined()
})

test('failing while blocked does not block for longer', () => {
  const { clock, throttle } = subject(1)
  throttle.fail('a')
  clock.nowMs = 30_000
  throttle.fail('a')
  expect(throttle.blockedSeconds('a')).toBe(30)
})

test('0 points never block', () => {
  const { throttle } = subject(0)
  for (let i = 0; i < 100; i++) throttle.fail('a')
  expect(throttle.blockedSeconds('a')).toBeUndefined()
})

test('a million keys do not fill the memory: the newest are remembered', () => {
  const { throttle } = subject(1, 1_000)
  for (let i = 0; i < 1_000_000; i++) throttle.fail(`k${i}`)
  expect(throttle.blockedSeconds('k999999')).toBe(60)
  expect(throttle.blockedSeconds('k999000')).toBe(60)
  expect(throttle.blockedSeconds('k998999')).toBeUndefined()
})
