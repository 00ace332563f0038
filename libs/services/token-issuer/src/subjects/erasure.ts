import { Failure, type Partition } from '@countersign/contracts'
import { GrantRecord } from '@countersign/contracts/records'
import type { Key, Listing, Store } from '@countersign/store'
import {
  beginCommit,
  consentKey,
  subjectCodes,
  subjectConsents,
  subjectGrants,
  subjectSessions,
} from '@countersign/tokens'
import { limits } from '../limits.ts'

/**
 * Erases what is kept of a person who was deleted: codes, grants, sessions and consents. Their tokens have no grant any more and are
 * as dead as before; they expire. Repeated, it goes on where it stood.
 * @throws Failure `unavailable` when there is so much of it that it has to be asked for again
 */
export async function eraseSubject(
  { store, commitId }: { store: Store; commitId: () => string },
  partition: Partition,
  subject: string,
): Promise<void> {
  const listings: Listing[] = [
    subjectCodes(partition, subject),
    subjectGrants(partition, subject),
    subjectSessions(partition, subject),
    subjectConsents(partition, subject),
  ]
  let commits = 0
  for (const listing of listings) {
    for (;;) {
      const { entries } = await store.list(listing, { limit: limits.erasedAtOnce })
      if (entries.length === 0) break
      if (commits++ === limits.erasures) {
        throw new Failure('unavailable', 'not everything is erased yet: ask again', { retryAfterSeconds: 1 })
      }
      const deletes = new Set<Key>(entries.map(({ key }) => key))
      if (listing === subjectGrants(partition, subject)) {
        // A consent of before they were listed is found by the grants that came of it.
        for (const { value } of entries) deletes.add(consentKey(partition, subject, GrantRecord.decode(value).clientId))
      }
      const commit = beginCommit({ commitId: commitId() }, partition)
      commit.deletes.push(...deletes)
      await store.commit(commit)
    }
  }
}
