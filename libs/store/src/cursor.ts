import { Failure, type Millis } from '@countersign/contracts'
import type { PageRequest } from './port.ts'

/** A place in a listing, which is ordered by expiry and then by the key's name; it holds when what stood there is gone. */
export interface Place {
  /** Infinity when it never expires. */
  expiresAt: Millis
  /** The key without its partition. */
  name: string
}

const syntax = /^(Infinity|\d{1,16}):([!-~]+)$/

export const formatCursor = ({ expiresAt, name }: Place): string => `${expiresAt}:${name}`

/** Where a page begins; undefined at the start. @throws Failure `invalid_request` when `after` is no cursor. */
export function parseCursor({ after }: PageRequest): Place | undefined {
  if (after === undefined) return undefined
  const match = syntax.exec(after)
  if (!match) throw new Failure('invalid_request', 'after is not the next of an earlier page')
  return { expiresAt: Number(match[1]), name: match[2]! }
}
