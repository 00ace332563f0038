import type { Clock } from '../clock.ts'

interface Timer {
  readonly dueMs: number
  readonly call: () => void
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs = 1_000
  /** Milliseconds between the time of day and the monotonic clock. */
  offsetMs = 1_700_000_000_000
  readonly #timers = new Set<Timer>()

  readonly monotonicMs = (): number => this.#nowMs
  readonly now = (): number => this.#nowMs + this.offsetMs

  readonly after = (ms: number, call: () => void): (() => void) => {
    const timer = { dueMs: this.#nowMs + ms, call }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  readonly soon = (call: () => void): void => void this.after(0, call)

  /** Timers not run yet. */
  get waiting(): number {
    return this.#timers.size
  }

  /** Lets time pass: timers run in order, and what they set off is awaited. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const [next] = [...this.#timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)
      if (!next) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.call()
    }
    this.#nowMs = endMs
  }
}
