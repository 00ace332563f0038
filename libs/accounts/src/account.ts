import type { Millis, Partition } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import { AccountIndexRecord, AccountRecord } from '@countersign/contracts/records'
import { emptyCommit, keyOf, type Commit, type Entry, type Key } from '@countersign/store'
import type { AccountClaims } from './claims.ts'
import { limits } from './limits.ts'
import { digestOfLoginName } from './login-name.ts'

export const accountKey = (partition: Partition, id: string): Key => keyOf(partition, `account/${id}`)

/** Names are taken in one place, whatever partition the account is in. */
const indexPartition: Partition = 0

/** @param name normalised */
export const loginNameKey = (name: string): Key => keyOf(indexPartition, `account-name/${digestOfLoginName(name)}`)

/**
 * Taken by the first account there ever was. It is taken as a name is, so that of several people who set up a new server at
 * once, one does.
 */
export const firstAccountKey: Key = keyOf(indexPartition, 'account-first')

/** Random bytes that a new account takes: its id, and where it shall be. */
export const accountRandomBytes = 20
const idBytes = 16

/** 22 random base64url characters, and a partition that is kept for as long as the account is. */
export function newAccountPlace(random: Uint8Array, partitions: number): { id: string; partition: Partition } {
  const bytes = Buffer.from(random)
  return {
    id: bytes.subarray(0, idBytes).toString('base64url'),
    partition: bytes.readUInt32BE(idBytes) % partitions,
  }
}

/** The account in an entry; undefined for one that was given up before it was complete. */
export function decodeAccount(value: Uint8Array): AccountRecord | undefined {
  const record = AccountRecord.decode(value)
  return record.id === '' ? undefined : record
}

export const decodeAccountIndex = (value: Uint8Array): AccountIndexRecord => AccountIndexRecord.decode(value)

export interface AccountDraft {
  id: string
  partition: Partition
  /** As the person wrote it. */
  loginName: string
  /** PHC string. */
  passwordHash: string
  claims: Omit<AccountClaims, 'sub'>
}

/** An index key that the account takes, with what was read there: nothing, or an account that never came to be. */
export interface FreeName {
  key: Key
  entry: Entry | undefined
}

/**
 * First of the two commits that make an account: takes its names. A crash after it leaves names that lead to no account:
 * nobody can sign in with them, and whoever wants one next gives the missing account up ({@link forsakeAccount}) and takes it.
 */
export function takeNames(commitId: string, { id, partition }: AccountDraft, names: readonly FreeName[]): Commit {
  const commit = emptyCommit(commitId, indexPartition)
  const value = AccountIndexRecord.encode({ accountId: id, partition }).finish()
  for (const { key, entry } of names) {
    commit.checks.push({ key, version: entry?.version ?? null })
    commit.puts.push({ key, value })
  }
  return commit
}

/** Second of them: the account itself, and the event that tells of it. Conflicts when it was given up meanwhile. */
export function createAccount(commitId: string, draft: AccountDraft, now: Millis, event: Event): Commit {
  const { id, partition, loginName, passwordHash, claims } = draft
  const commit = emptyCommit(commitId, partition)
  const key = accountKey(partition, id)
  const record: AccountRecord = {
    id,
    loginName,
    passwordHash,
    claims: JSON.stringify(claims),
    createdAt: now,
    changedAt: now,
    disabledAt: 0,
  }
  commit.checks.push({ key, version: null })
  commit.puts.push({ key, value: AccountRecord.encode(record).finish() })
  commit.events.push(event)
  return commit
}

/**
 * Gives up an account whose names were taken and that is not there. Its creator may only be slow: then either this conflicts, and
 * the account is there after all, or the creator's own commit does.
 */
export function forsakeAccount(commitId: string, { accountId, partition }: AccountIndexRecord, now: Millis): Commit {
  const commit = emptyCommit(commitId, partition)
  const key = accountKey(partition, accountId)
  commit.checks.push({ key, version: null })
  commit.puts.push({
    key,
    value: AccountRecord.encode(AccountRecord.decode(new Uint8Array())).finish(),
    expiresAt: now + limits.forsakenMs,
  })
  return commit
}
