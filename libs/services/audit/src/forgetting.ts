import { Failure, type Millis } from '@countersign/contracts'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Journal } from './journal/port.ts'
import { redactionCheckMs, redactionSpacingMs } from './limits.ts'
import type { Log } from './log.ts'

export interface ForgettingOptions {
  journal: Pick<Journal, 'forget'>
  log: Log
  now: () => Millis
  /** Called when a person is forgotten and the journal tells of it, with the index of the newest entry. */
  onAppended: (head: number) => void
}

/** Gives how long to wait before the next step. */
async function step({ journal, log, now, onAppended }: ForgettingOptions): Promise<number> {
  try {
    const forgotten = await journal.forget(now())
    if (!forgotten) return redactionCheckMs
    if (forgotten.head !== undefined) {
      log.info({ subject: forgotten.subject }, 'the audit journal has forgotten a deleted account')
      onAppended(forgotten.head)
    }
    return redactionSpacingMs
  } catch (thrown) {
    if (!(thrown instanceof Failure && thrown.code === 'unavailable'))
      log.error({ err: thrown }, 'the audit journal could not forget a deleted account')
    return redactionCheckMs
  }
}

/**
 * Forgets deleted accounts, step by step beside the intake, for as long as there is somebody to forget; what was begun and
 * left by another process is gone on with.
 */
export function createForgetting(options: ForgettingOptions): { close(): Promise<void> } {
  const ending = new AbortController()
  const { signal } = ending
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const pauseMs = await step(options)
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    async close() {
      ending.abort()
      await running
    },
  }
}
