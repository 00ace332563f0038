import { randomBytes } from 'node:crypto'
import type { CommitId } from './port.ts'

/** A fresh commit id: 128 random bits as 32 hex digits. */
export const newCommitId = (): CommitId => randomBytes(16).toString('hex')
