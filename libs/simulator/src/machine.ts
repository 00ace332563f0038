import { systemClock, type Clock } from '@countersign/leased-cache'
import { limits } from './limits.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

interface Waiting {
  isTimer: boolean
  call: () => void
}

/**
 * A process on a machine of its own, with clocks of its own. While it is paused nothing of it runs, its clocks go on, and
 * what arrives waits; when it crashes everything of it is gone.
 */
export class Machine {
  readonly name: string
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #timerName: string
  readonly #onCrash = new Set<() => void>()
  #life = 0
  #isUp = false
  /** When its life began. */
  startedMs = 0
  #isPaused = false
  #isCatchingUp = false
  #holdCatchingUp = (): void => undefined
  #inbox: Waiting[] = []
  #monotonic = { atMs: 0, sinceMs: 0, rate: 1 }
  #wallOffsetMs = 0
  clock: Clock

  constructor(name: string, scheduler: Scheduler, random: Random) {
    this.name = name
    this.#scheduler = scheduler
    this.#random = random
    this.#timerName = `timer of ${name}`
    this.clock = this.#start()
  }

  /** Which of its lives this is: what an earlier one began is not for this one. */
  get life(): number {
    return this.#life
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Begins anew, with nothing. */
  restart(): void {
    if (this.#isUp) return
    // What was sent to it while it was down went nowhere.
    this.#life++
    this.clock = this.#start()
  }

  crash(): void {
    this.#isUp = false
    this.#isPaused = this.#isCatchingUp = false
    this.#life++
    this.#holdCatchingUp()
    this.#inbox = []
    const told = [...this.#onCrash]
    this.#onCrash.clear()
    for (const call of told) call()
  }

  /** Calls once when it crashes; gives what takes that back. */
  onCrash(call: () => void): () => void {
    this.#onCrash.add(call)
    return () => this.#onCrash.delete(call)
  }

  pause(): void {
    this.#isPaused = true
    this.#holdCatchingUp()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    // Which of what waits comes first is up to the event loop; messages stay in order among themselves.
    if (this.#random.chance(0.5)) this.#inbox.sort((a, b) => Number(b.isTimer) - Number(a.isTimer))
    this.#catchUp()
  }

  /** Has it do something at a time, if it then is what it is now. */
  at(atMs: number, name: string, call: () => void, isTimer = false): () => void {
    const life = this.#life
    return this.#scheduler.at(atMs, name, () => {
      if (life !== this.#life || !this.#isUp) return
      if (this.#isPaused || this.#isCatchingUp) this.#inbox.push({ isTimer, call })
      else call()
    })
  }

  /** The wall clock is set. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms
  }

  drift(rate: number): void {
    this.#monotonic = { atMs: this.#scheduler.nowMs, sinceMs: this.#monotonicMs(), rate }
  }

  #catchUp(): void {
    this.#isCatchingUp = this.#inbox.length > 0
    if (!this.#isCatchingUp) return
    const inMs = this.#random.next() * limits.handlingMs
    this.#holdCatchingUp = this.#scheduler.after(inMs, 'catching up', () => {
      this.#inbox.shift()!.call()
      this.#catchUp()
    })
  }

  #monotonicMs = (): number => {
    const { atMs, sinceMs, rate } = this.#monotonic
    return sinceMs + (this.#scheduler.nowMs - atMs) * rate
  }

  #start(): Clock {
    const random = this.#random
    this.#isUp = true
    this.startedMs = this.#scheduler.nowMs
    const rate = 1 + random.between(-limits.drift, limits.drift)
    this.#monotonic = { atMs: this.#scheduler.nowMs, sinceMs: random.between(0, limits.longestUptimeMs), rate }
    const began = this.#scheduler.nowMs - this.#monotonic.sinceMs
    const { now } = systemClock({
      monotonicMs: this.#monotonicMs,
      wallMs: () => Math.floor(limits.beginningOfTimeMs + this.#wallOffsetMs + began + this.#monotonicMs()),
    })
    return {
      monotonicMs: this.#monotonicMs,
      now,
      after: (ms, call) => {
        const inMs = ms / this.#monotonic.rate + random.next() * limits.timerLatenessMs
        let isOff = false
        const cancel = this.at(this.#scheduler.nowMs + inMs, this.#timerName, () => isOff || call(), true)
        return () => {
          isOff = true
          cancel()
        }
      },
      soon: (call) =>
        void this.at(this.#scheduler.nowMs + random.next() * limits.handlingMs, this.#timerName, call, true),
    }
  }
}
