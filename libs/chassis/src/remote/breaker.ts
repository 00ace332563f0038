import { createBreaker, type Breaker, type BreakerState } from '@countersign/rpc/breaker'
import { remoteBreakerLimits } from '../limits.ts'

export type { Breaker, BreakerState, Verdict } from '@countersign/rpc/breaker'

/**
 * The rpc room's breaker, for a server that is not ours.
 * @param nowMs a clock that does not jump
 */
export function createRemoteBreaker(
  onState: (state: BreakerState) => void = () => undefined,
  nowMs: () => number = () => performance.now(),
): Breaker {
  return createBreaker(remoteBreakerLimits, nowMs, onState)
}
