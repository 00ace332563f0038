import type { Millis, Partition } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import { AccountRecord, type Identity } from '@countersign/contracts/records'
import { emptyCommit, type Commit, type CommitId, type Entry, type Put } from '@countersign/store'
import type { AccountClaims } from './claims.ts'
import { limits } from './limits.ts'
import { accountKey, accountListing, type AccountPlace } from './place.ts'

const nobody = AccountRecord.decode(new Uint8Array())

/** A record with these fields, and otherwise nothing in it. */
export const accountRecord = (fields: Partial<AccountRecord>): AccountRecord => ({ ...nobody, ...fields })

/** How every account is written: for good, and in the listing of its partition. */
export const accountPut = (partition: Partition, record: AccountRecord): Put => ({
  key: accountKey(partition, record.id),
  value: AccountRecord.encode(record).finish(),
  listedIn: [accountListing(partition)],
})

/** The account in an entry; undefined for one that was given up before it was complete, or deleted. */
export function decodeAccount(value: Uint8Array): AccountRecord | undefined {
  const record = AccountRecord.decode(value)
  return record.id === '' ? undefined : record
}

/** An account as it was read. */
export interface HeldAccount {
  readonly partition: Partition
  readonly record: AccountRecord
  readonly version: CommitId
}

/** The account in its entry; undefined as for {@link decodeAccount}, or when there is none. */
export function heldAccount(partition: Partition, entry: Entry | undefined): HeldAccount | undefined {
  const record = entry && decodeAccount(entry.value)
  return record && { partition, record, version: entry.version }
}

export interface AccountDraft extends AccountPlace {
  /** As the person wrote it; empty for one who signs in elsewhere only. */
  readonly loginName: string
  /** PHC string; absent for one who is yet to choose a password, or never will. */
  readonly passwordHash?: string
  readonly claims: Omit<AccountClaims, 'sub'>
  readonly identities?: readonly Identity[]
}

/**
 * Second of the two commits that make an account (the first is `takeNames`): the account itself, and the event that tells of it.
 * Conflicts when it was given up meanwhile.
 */
export function createAccount(commitId: CommitId, draft: AccountDraft, now: Millis, event: Event): Commit {
  const { id, partition, loginName, passwordHash = '', claims, identities = [] } = draft
  const commit = emptyCommit(commitId, partition)
  const record = accountRecord({
    id,
    loginName,
    passwordHash,
    claims: JSON.stringify(claims),
    createdAt: now,
    changedAt: now,
    identities: [...identities],
    passwordChangedAt: passwordHash === '' ? 0 : now,
  })
  commit.checks.push({ key: accountKey(partition, id), version: null })
  commit.puts.push(accountPut(partition, record))
  commit.events.push(event)
  return commit
}

/**
 * Changes an account, if it is as it was read.
 * @param events whose ids are of this commit
 */
export function changeAccount(
  commitId: CommitId,
  held: HeldAccount,
  next: AccountRecord,
  events: readonly Event[],
  now: Millis,
): Commit {
  const commit = noteUse(commitId, held, { ...next, changedAt: now })
  commit.events.push(...events)
  return commit
}

/**
 * Writes what using an account leaves behind (the step of a second factor, a passkey's counter, a hash made anew), if it is as it
 * was read. What is told of the person has not changed by it, so `changedAt` stays.
 */
export function noteUse(commitId: CommitId, { partition, record, version }: HeldAccount, next: AccountRecord): Commit {
  const commit = emptyCommit(commitId, partition)
  commit.checks.push({ key: accountKey(partition, record.id), version })
  commit.puts.push(accountPut(partition, { ...next, id: record.id, createdAt: record.createdAt }))
  return commit
}

/** What is left of an account that was given up or deleted: nobody, kept so long that no slow creator makes it after all. */
export const accountRemains = ({ id, partition }: AccountPlace, now: Millis): Put => ({
  key: accountKey(partition, id),
  value: AccountRecord.encode(nobody).finish(),
  expiresAt: now + limits.forsakenMs,
})
