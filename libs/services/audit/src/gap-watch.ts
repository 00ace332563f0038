import type { Millis } from '@countersign/contracts'
import type { Gap, Journal } from './journal/port.ts'
import { gapToleranceMs } from './limits.ts'
import type { Log } from './log.ts'
import { gapRecord, gapRecordId } from './own-events.ts'

export interface GapWatch {
  /** Looks at the holes once. @throws Failure `unavailable` */
  look(): Promise<void>
  /** Gaps that have been an alarm and are not filled. */
  open(): number
}

/**
 * Raises an alarm for every gap that nobody filled in time: a log line, and a record in the journal that is made once,
 * however many processes watch and however often they restart.
 */
export function createGapWatch(journal: Journal, log: Log, now: () => Millis): GapWatch {
  const alarmed = new Map<string, Gap>()
  return {
    open: () => alarmed.size,
    async look() {
      const at = now()
      const open = new Map((await journal.gaps()).map((gap) => [gapRecordId(gap), gap]))
      const fresh = [...open].filter(([id, gap]) => gap.since + gapToleranceMs <= at && !alarmed.has(id))
      const records = fresh.map(([, gap]) => gapRecord(gap, at))
      if (records.length > 0) await journal.append(records)
      for (const [id, gap] of fresh) {
        alarmed.set(id, gap)
        log.error({ gap }, 'events are missing from the audit journal')
      }
      for (const [id, gap] of alarmed) {
        if (open.has(id)) continue
        alarmed.delete(id)
        log.info({ gap }, 'the missing events of the audit journal have arrived')
      }
    },
  }
}
