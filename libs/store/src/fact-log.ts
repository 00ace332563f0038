import { formatRevision, parseRevision, type Fact, type Position, type Revision } from '@countersign/contracts'
import { maxFactsPerRead } from './limits.ts'
import type { FactLog } from './port.ts'

/** A position, and what names the newest fact. */
export interface Head extends Position {
  /** Absent in data written before there were tips. */
  tip: string | undefined
}

/** A fact as it is kept. */
export interface KeptFact {
  sequence: number
  fact: Fact
  /** The tip before it: so a log that was set back and went on differently shows it. Absent as {@link Head.tip} is. */
  previousTip: string | undefined
}

/**
 * What a partition's log answers to somebody who has all facts up to `after`, and was told `tip` with it. `read` gives
 * the facts after one sequence number and up to another that are still kept, in order; it is asked only when there are
 * new ones in the same epoch.
 */
export function answerFacts(
  head: Head,
  after: Revision | undefined,
  tip: string | undefined,
  read: (afterSequence: number, lastSequence: number) => KeptFact[],
): FactLog {
  const answer = (complete: boolean, otherHistory: boolean, facts: KeptFact[] = []): FactLog => {
    const tips = [...facts.slice(1).map((kept) => kept.previousTip), head.tip]
    const shown = facts.map(({ sequence, fact }, n) => ({ sequence, fact, tip: tips[n] ?? '' }))
    return { revision: formatRevision(head), tip: head.tip ?? '', complete, otherHistory, facts: shown }
  }
  if (after === undefined) return answer(true, false)
  const place = parseRevision(after)
  if (place?.partition !== head.partition || place.epoch !== head.epoch) return answer(false, true)
  const missing = head.sequence - place.sequence
  if (missing < 0) return answer(false, true)
  // Of too many, the first shows whether the chain fits.
  const last = missing > maxFactsPerRead ? place.sequence + 1 : head.sequence
  const facts = missing === 0 ? [] : read(place.sequence, last)
  const [first] = facts
  const next = first?.sequence === place.sequence + 1 ? first.previousTip : undefined
  const tipThere = missing === 0 ? head.tip : next
  if (tip !== undefined && tipThere !== undefined && tip !== tipThere) return answer(false, true)
  return facts.length === missing ? answer(true, false, facts) : answer(false, false)
}
