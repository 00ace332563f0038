import { describe, expect, test } from '@jest/globals'
import { systemClock } from './clock.ts'
import { probeIntervalMs } from './limits.ts'

const manual = () => {
  const sources = { monotonic: 100, wall: 1_700_000_000_000 }
  const clock = systemClock({ monotonicMs: () => sources.monotonic, wallMs: () => sources.wall })
  const pass = (ms: number) => {
    sources.monotonic += ms
    sources.wall += ms
  }
  return { sources, clock, pass, start: sources.wall }
}

describe('the clock of this machine', () => {
  test('follows the time of day forward', () => {
    const { sources, clock, start } = manual()
    sources.wall += 30_000
    expect(clock.now()).toBe(start + 30_000)
    expect(clock.monotonicMs()).toBe(100)
  })

  test('does not go back when the time of day is set back', () => {
    const { sources, clock, pass, start } = manual()
    sources.wall -= 3_600_000
    expect(clock.now()).toBe(start)
    pass(5_000)
    expect(clock.now()).toBe(start + 5_000)
  })

  test('goes along with a clock that is slewed by less than a second', () => {
    const { sources, clock, start } = manual()
    sources.wall -= 900
    expect(clock.now()).toBe(start - 900)
  })

  test('calls later, unless it is taken back, and soon', async () => {
    const clock = systemClock()
    const called: string[] = []
    clock.after(5, () => called.push('taken back'))()
    // The clock's own timers do not keep a process alive.
    const alive = setInterval(() => undefined, 1_000)
    await new Promise<void>((resolve) => {
      clock.soon(() => called.push('soon'))
      clock.after(20, resolve)
      called.push('now')
    })
    clearInterval(alive)
    expect(called).toEqual(['now', 'soon'])
    expect(clock.now()).toBeGreaterThan(1_700_000_000_000)
  })
})

test('a lease is renewed four times in its length, but not without pause', () => {
  expect([1_000, 600_000, 80, 20, 0].map(probeIntervalMs)).toEqual([250, 150_000, 20, 20, 20])
})
