import { hash, randomBytes } from 'node:crypto'
import type { CommitId } from './port.ts'

/** A fresh commit id: 128 random bits as 32 hex digits. */
export const newCommitId = (): CommitId => randomBytes(16).toString('hex')

/**
 * Names a commit's facts, and all that came before them: 16 hex digits of SHA-1 over the tip before and the id's bytes.
 * A commit that is repeated after the store was set back has another tip, unless it has the same past.
 */
export const tipOf = (previousTip: string, id: CommitId): string =>
  hash('sha1', Buffer.concat([Buffer.from(previousTip), Buffer.from(id, 'hex')])).slice(0, 16)
