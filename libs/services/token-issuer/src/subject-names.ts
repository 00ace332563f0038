import { createHmac, type KeyObject } from 'node:crypto'
import type { Client } from '@countersign/tokens'

/** What clients know people by. */
export interface SubjectNames {
  /** The pairwise `sub` for this client (OpenID Connect Core section 8.1); empty where it knows the subject itself. */
  toldTo(client: Client, subject: string): string
}

export const createSubjectNames = (key: KeyObject): SubjectNames => ({
  toldTo({ pairwiseSector }, subject) {
    if (pairwiseSector === undefined) return ''
    return createHmac('sha256', key).update(pairwiseSector).update('\0').update(subject).digest('base64url')
  },
})
