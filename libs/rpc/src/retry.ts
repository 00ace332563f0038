import type { RetryLimits } from './limits.ts'

/** Repetitions that calls have earned: however many calls fail, they add at most a fixed share of load. */
export class RetryBudget {
  readonly #limits: Pick<RetryLimits, 'budgetPerCall' | 'maxBudget'>
  #tokens: number

  constructor(limits: Pick<RetryLimits, 'budgetPerCall' | 'maxBudget'>) {
    this.#limits = limits
    this.#tokens = limits.maxBudget
  }

  earn(): void {
    this.#tokens = Math.min(this.#limits.maxBudget, this.#tokens + this.#limits.budgetPerCall)
  }

  /** Takes one repetition; false when there is none left. */
  spend(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** How long to wait before the repetition after `attempt` (from 1): anything from nothing up to a doubling bound. */
export const backoffMs = (attempt: number, limits: RetryLimits, random: () => number): number =>
  random() * Math.min(limits.maxBackoffMs, limits.backoffMs * 2 ** (attempt - 1))
