import { circuitBreaker, CircuitState, CountBreaker, handleAll, type IBackoff } from 'cockatiel'
import { Failure } from '@countersign/contracts'
import type { BreakerLimits } from './limits.ts'

export type BreakerState = 'closed' | 'open' | 'half_open'

/** An error, or what is no fault of the dependency: the breaker counts only the former as failed. */
export type Verdict<Value> = { value: Value } | { failure: Failure; isFault: boolean }

export interface Breaker {
  /** Makes the call, or fails at once as `unavailable` while the dependency counts as down. */
  execute<Value>(call: () => Promise<Verdict<Value>>): Promise<Verdict<Value>>
  /** Whether a call made now would fail at once. */
  isRefusing(): boolean
  state(): BreakerState
}

/**
 * cockatiel asks a wait how long it is and compares it with the wall clock, which may jump. This wait counts on a clock
 * that does not, and says for ever or not at all.
 */
class MonotonicWait implements IBackoff<unknown> {
  readonly #limits: BreakerLimits
  readonly #nowMs: () => number
  #waitMs: number
  #untilMs = -Infinity

  constructor(limits: BreakerLimits, nowMs: () => number) {
    this.#limits = limits
    this.#nowMs = nowMs
    this.#waitMs = limits.openMs
  }

  get duration(): number {
    return this.#nowMs() < this.#untilMs ? Infinity : -Infinity
  }

  /** Begins a wait: the first after the dependency was well, or one that follows a failed probe. */
  begin(isFirst: boolean): this {
    this.#waitMs = isFirst ? this.#limits.openMs : Math.min(this.#waitMs * 2, this.#limits.maxOpenMs)
    this.#untilMs = this.#nowMs() + this.#waitMs
    return this
  }

  next(): this {
    return this.begin(false)
  }
}

class Fault extends Error {
  readonly verdict: { failure: Failure; isFault: boolean }
  constructor(verdict: { failure: Failure; isFault: boolean }) {
    super(verdict.failure.message)
    this.verdict = verdict
  }
}

const states = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Isolated]: 'open',
} as const satisfies Record<CircuitState, BreakerState>

/** One per dependency. While it is half open one call probes, and the others fail at once rather than wait for it. */
export function createBreaker(
  limits: BreakerLimits,
  nowMs: () => number,
  onState: (state: BreakerState) => void,
): Breaker {
  const { windowCalls: size, minimumCalls: minimumNumberOfCalls, failureShare: threshold } = limits
  const wait = new MonotonicWait(limits, nowMs)
  const policy = circuitBreaker(handleAll, {
    breaker: new CountBreaker({ size, minimumNumberOfCalls, threshold }),
    halfOpenAfter: { next: () => wait.begin(true) },
  })
  policy.onStateChange((state) => onState(states[state]))
  const refused = () => ({
    failure: new Failure('unavailable', 'the service does not answer at present', {
      retryAfterSeconds: Math.ceil(limits.openMs / 1_000),
    }),
    isFault: false,
  })

  const isRefusing = () =>
    policy.state === CircuitState.HalfOpen || (policy.state === CircuitState.Open && wait.duration > 0)

  return {
    isRefusing,
    state: () => states[policy.state],
    async execute<Value>(call: () => Promise<Verdict<Value>>): Promise<Verdict<Value>> {
      if (isRefusing()) return refused()
      try {
        return await policy.execute(async () => {
          const verdict = await call()
          if ('failure' in verdict && verdict.isFault) throw new Fault(verdict)
          return verdict
        })
      } catch (thrown) {
        if (thrown instanceof Fault) return thrown.verdict
        throw thrown
      }
    },
  }
}
