import { describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { createBreaker, type BreakerState, type Verdict } from './breaker.ts'
import { backoffMs, RetryBudget } from './retry.ts'
import { breakerLimits, retryLimits } from './limits.ts'

const fault: Verdict<string> = { failure: new Failure('unavailable', 'down'), isFault: true }
const refusal: Verdict<string> = { failure: new Failure('invalid_request', 'wrong'), isFault: false }

function subject() {
  const clock = { nowMs: 0 }
  const states: BreakerState[] = []
  const breaker = createBreaker(
    breakerLimits,
    () => clock.nowMs,
    (state) => states.push(state),
  )
  let calls = 0
  const make = (verdict: Verdict<string>) => breaker.execute(async () => (calls++, verdict))
  const open = async () => {
    for (let i = 0; i < breakerLimits.minimumCalls; i++) await make(fault)
  }
  return { breaker, clock, states, make, open, calls: () => calls }
}

describe('a breaker', () => {
  test('opens after enough faults, and then answers unavailable without a call', async () => {
    const { make, open, calls, breaker } = subject()
    await open()
    expect(breaker.state()).toBe('open')
    const before = calls()
    expect(await make({ value: 'never' })).toMatchObject({ failure: { code: 'unavailable', retryAfterSeconds: 1 } })
    expect(calls()).toBe(before)
  })

  test('stays closed however many requests are refused as wrong', async () => {
    const { make, breaker } = subject()
    for (let i = 0; i < 100; i++) await make(refusal)
    expect(breaker.state()).toBe('closed')
  })

  test('lets one call probe after its wait, refuses the others meanwhile, and closes when the probe succeeds', async () => {
    const { breaker, clock, open, make, states } = subject()
    await open()
    clock.nowMs += breakerLimits.openMs
    let answer: (verdict: Verdict<string>) => void = () => undefined
    const probe = breaker.execute(() => new Promise<Verdict<string>>((resolve) => (answer = resolve)))
    expect(await make({ value: 'too early' })).toMatchObject({ failure: { code: 'unavailable' } })
    answer({ value: 'well' })
    expect(await probe).toEqual({ value: 'well' })
    expect(await make({ value: 'well again' })).toEqual({ value: 'well again' })
    expect(states).toEqual(['open', 'half_open', 'closed'])
  })

  test('waits twice as long after each failed probe, up to a bound, and starts small once it was well', async () => {
    const { clock, make, open, calls } = subject()
    await open()
    const waits: number[] = []
    for (let probe = 0; probe < 6; probe++) {
      const before = calls()
      let waited = 0
      while (calls() === before) {
        clock.nowMs += 500
        waited += 500
        await make(fault)
      }
      waits.push(waited)
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
    clock.nowMs += breakerLimits.maxOpenMs
    await make({ value: 'well' })
    await open()
    clock.nowMs += breakerLimits.openMs
    expect(await make({ value: 'well' })).toEqual({ value: 'well' })
  })
})

describe('repetitions', () => {
  test('are a fifth of the calls at most, beyond what was saved up', () => {
    const budget = new RetryBudget(retryLimits)
    let spent = 0
    for (let i = 0; i < 10_000; i++) {
      budget.earn()
      if (budget.spend()) spent++
    }
    expect(spent).toBeLessThanOrEqual(10_000 * retryLimits.budgetPerCall + retryLimits.maxBudget)
    expect(spent).toBeGreaterThan(1_900)
  })

  test('wait at random below a doubling bound', () => {
    const longest = [1, 2, 3, 20].map((attempt) => backoffMs(attempt, retryLimits, () => 1))
    expect(longest).toEqual([25, 50, 100, 500])
    expect(backoffMs(5, retryLimits, () => 0)).toBe(0)
  })
})
