import { formatRevision, parseRevision, type Position, type Revision } from '@countersign/contracts'
import { maxFactsPerRead } from './limits.ts'
import type { FactLog } from './port.ts'

/**
 * What a partition's log answers to somebody who has all facts up to `after`. `read` gives the facts after a sequence
 * number that are still kept, in order; it is asked only when they are of this epoch, and not too many.
 */
export function answerFacts(
  head: Position,
  after: Revision | undefined,
  read: (afterSequence: number) => FactLog['facts'],
): FactLog {
  const revision = formatRevision(head)
  if (after === undefined) return { revision, complete: true, facts: [] }
  const missing = missingFacts(head, after)
  const facts = missing === undefined ? [] : missing === 0 ? [] : read(head.sequence - missing)
  const complete = missing !== undefined && facts.length === missing
  return { revision, complete, facts: complete ? facts : [] }
}

/** How many facts lie between a revision and the head; undefined when it is of another history, ahead, or too far behind. */
export function missingFacts(head: Position, after: Revision): number | undefined {
  const position = parseRevision(after)
  if (position?.partition !== head.partition || position.epoch !== head.epoch) return undefined
  const missing = head.sequence - position.sequence
  return missing >= 0 && missing <= maxFactsPerRead ? missing : undefined
}
