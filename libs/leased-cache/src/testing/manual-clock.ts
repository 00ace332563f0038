import { systemClock, type Clock } from '../clock.ts'

interface Timer {
  atMs: number
  call: () => void
}

/** A clock that goes on when it is told to. Its `now` is made of the two as the real one's is. */
export class ManualClock implements Clock {
  #monotonicMs = 5_000
  #wallMs = 1_700_000_000_000
  readonly #timers = new Set<Timer>()
  readonly #system = systemClock({ monotonicMs: () => this.#monotonicMs, wallMs: () => this.#wallMs })

  monotonicMs = (): number => this.#monotonicMs
  now = (): number => this.#system.now()

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.#monotonicMs + ms, call }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  soon(call: () => void): void {
    setImmediate(call)
  }

  /** How long until each timer, in the order of their setting. */
  get waits(): number[] {
    return [...this.#timers].map(({ atMs }) => atMs - this.#monotonicMs)
  }

  /** Lets time pass; what is due is called in its order. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms
    for (;;) {
      let due: Timer | undefined
      for (const timer of this.#timers) if (timer.atMs <= endMs && !(due && due.atMs <= timer.atMs)) due = timer
      if (!due) break
      this.#timers.delete(due)
      this.#pass(Math.max(0, due.atMs - this.#monotonicMs))
      due.call()
    }
    this.#pass(endMs - this.#monotonicMs)
  }

  /** Sets the time of day, or lets a suspended machine wake up: the monotonic clock did not move, and nothing is due. */
  setWall(byMs: number): void {
    this.#wallMs += byMs
  }

  /** The process stands still, and the clocks do not: what is due by then is late. */
  pause(ms: number): void {
    this.#pass(ms)
  }

  #pass(ms: number): void {
    this.#monotonicMs += ms
    this.#wallMs += ms
  }
}
