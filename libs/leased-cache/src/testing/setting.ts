import type { Fact, FactPush } from '@countersign/contracts'
import type { Answer } from '../answers.ts'
import { LeasedCache, type Probe } from '../cache.ts'
import type { LeaseLimits } from '../limits.ts'
import { ManualClock } from './manual-clock.ts'
import { TestLog } from './test-log.ts'

/** B of these caches, milliseconds; without drift, so that figures are round. */
export const boundMs = 1_000

/** A cache with its clock, upstream of which are these logs; notes what it is told. */
export function setting(limits: Partial<LeaseLimits> = {}, logs: TestLog[] = [new TestLog()]) {
  const clock = new ManualClock()
  const notes: string[] = []
  const cache = new LeasedCache<string>({
    maxStalenessMs: boundMs,
    clock,
    random: () => 0.25,
    ended: 'ended',
    limits: { drift: 0, ...limits },
    observer: {
      applied: ({ revision, facts }: FactPush) => notes.push(`applied ${revision} ${facts.map(({ id }) => id)}`),
      flushed: (partition, why) => notes.push(`flushed ${partition} ${why}`),
      gap: (partition) => notes.push(`gap ${partition}`),
    },
  })
  const answerTo = (probe: Probe) =>
    cache.settle(
      probe.nonce,
      logs.map((log) => log.after(probe.places)),
    )
  return {
    cache,
    clock,
    notes,
    logs,
    log: logs[0]!,
    answerTo,
    prove: () => answerTo(cache.probe()),
    keep: (key: string, parts: Partial<Answer<string>> = {}) =>
      cache.keep(cache.ticket(), key, answer(key, clock, parts)),
  }
}

export const token = (id: string): Fact => ({ kind: 'token', id })

/** An active answer that a fact `token <key>` would end, in partition 0. */
export const answer = (key: string, clock: ManualClock, parts: Partial<Answer<string>> = {}): Answer<string> => ({
  value: `value of ${key}`,
  partition: 0,
  revokedBy: [token(key)],
  expiresAt: clock.now() + 300_000,
  bytes: 100,
  isActive: true,
  ...parts,
})
