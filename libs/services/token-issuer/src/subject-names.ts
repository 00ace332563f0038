import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { Client } from '@countersign/tokens'

/** What clients know people by. */
export interface SubjectNames {
  /** The pairwise `sub` for this client (OpenID Connect Core section 8.1); empty where it knows the subject itself. */
  toldTo(client: Client, subject: string): string
}

/** What pairwise subjects are made under, from the master key. */
export const pairwiseKeyFrom = (masterKey: Uint8Array): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', 'countersign pairwise subject v1', 32)))

export const createSubjectNames = (key: KeyObject): SubjectNames => ({
  toldTo({ pairwiseSector }, subject) {
    if (pairwiseSector === undefined) return ''
    return createHmac('sha256', key).update(pairwiseSector).update('\0').update(subject).digest('base64url')
  },
})
