import type { Millis } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import type { AccountRecord } from '@countersign/contracts/records'
import { emptyCommit, type Commit, type CommitId, type Entry, type Key } from '@countersign/store'
import { firstAccountKey, indexKeysOf, releaseNames } from './account-index.ts'
import { accountRecord, accountRemains, noteUse, type HeldAccount } from './account.ts'
import { accountKey } from './place.ts'

/** What has to be read to delete an account, besides the account itself. */
export const deletionKeys = (record: AccountRecord): Key[] => [...indexKeysOf(record), firstAccountKey]

export interface Deletion {
  readonly account: HeldAccount
  /** What was read at {@link deletionKeys}. */
  readonly indexes: readonly (Entry | undefined)[]
}

/**
 * Deletes an account, in as many commits, to be made one after the other. When one of them conflicts, or after a crash: read
 * anew and begin again, until there is no account.
 * 1. Nothing is left in the record but what names its index keys, and it is disabled: nobody signs in.
 * 2. The index keys go, so that somebody else may take them; the one of the first account stays taken.
 * 3. The account goes, and the event tells of it.
 * @param commitIds the event's id is of the last
 */
export function deleteAccount(
  commitIds: readonly [CommitId, CommitId, CommitId],
  { account, indexes }: Deletion,
  event: Event,
  now: Millis,
): Commit[] {
  const { partition, record } = account
  const { id } = record
  const bare = accountRecord({
    id,
    loginName: record.loginName,
    identities: record.identities.map((identity) => ({ ...identity, label: '', linkedAt: 0 })),
    createdAt: record.createdAt,
    disabledAt: record.disabledAt || now,
    changedAt: now,
  })
  const released = releaseNames(commitIds[1], { id }, indexes)
  const gone = emptyCommit(commitIds[2], partition)
  gone.checks.push({ key: accountKey(partition, id), version: commitIds[0] })
  gone.puts.push(accountRemains({ id, partition }, now))
  gone.events.push(event)
  return [noteUse(commitIds[0], account, bare), ...(released ? [released] : []), gone]
}
