import { expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { createRemoteBreaker, type Verdict } from './breaker.ts'

test('another server counts as down after five calls that failed, and is tried again after a second', async () => {
  let nowMs = 0
  const states: string[] = []
  const breaker = createRemoteBreaker(
    (state) => states.push(state),
    () => nowMs,
  )
  const make = (verdict: Verdict<string>) => breaker.execute(() => Promise.resolve(verdict))
  const failure = new Failure('unavailable', 'down')
  for (let times = 0; times < 20; times++) await make({ failure, isFault: false })
  expect(breaker.isRefusing()).toBe(false)
  for (let times = 0; times < 10; times++) await make({ failure, isFault: true })
  expect(breaker.isRefusing()).toBe(true)
  nowMs = 1_001
  expect(await make({ value: 'up' })).toEqual({ value: 'up' })
  expect(states).toEqual(['open', 'half_open', 'closed'])
})
