import type { Log } from '@countersign/chassis'
import type { Failure } from '@countersign/contracts'
import { limits } from './limits.ts'

/** Writes down why sign-ins with one provider failed: at most a few lines a second, the next of which counts those left out. */
export class FailureJournal {
  readonly #provider: string
  readonly #log: Log
  readonly #nowMs: () => number
  #second = 0
  #lines = 0
  #omitted = 0

  /** @param nowMs a clock that does not jump */
  constructor(provider: string, log: Log, nowMs: () => number = () => performance.now()) {
    this.#provider = provider
    this.#log = log
    this.#nowMs = nowMs
  }

  write(failure: Failure): void {
    const isOurs = failure.code === 'internal'
    this.#line(isOurs ? 'error' : 'warn', { code: failure.code, err: failure.cause }, 'a sign-in elsewhere failed')
  }

  warn(reason: string): void {
    this.#line('warn', { reason }, 'a provider’s claims were left out')
  }

  #line(level: 'warn' | 'error', fields: object, message: string): void {
    const second = Math.floor(this.#nowMs() / 1_000)
    if (second !== this.#second) [this.#second, this.#lines] = [second, 0]
    if (++this.#lines > limits.logLinesPerSecond) {
      this.#omitted++
      return
    }
    const omitted = this.#omitted === 0 ? undefined : this.#omitted
    this.#omitted = 0
    this.#log[level]({ provider: this.#provider, ...fields, omitted }, message)
  }
}
