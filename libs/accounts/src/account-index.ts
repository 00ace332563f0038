import type { Millis } from '@countersign/contracts'
import { AccountIndexRecord, type AccountRecord } from '@countersign/contracts/records'
import { emptyCommit, keyOf, type Commit, type CommitId, type Entry, type Key } from '@countersign/store'
import { accountRemains, heldAccount, noteUse, type HeldAccount } from './account.ts'
import { identityKey, type IdentityName } from './identity.ts'
import { digestOfLoginName, normalizeLoginName } from './login-name.ts'
import { accountKey, indexPartition, type AccountPlace } from './place.ts'

/** @param name normalised */
export const loginNameKey = (name: string): Key => keyOf(indexPartition, `account-name/${digestOfLoginName(name)}`)

/**
 * Taken by the first account there ever was. It is taken as a name is, so that of several people who set up a new server at
 * once, one does; and it stays taken when that account is deleted.
 */
export const firstAccountKey: Key = keyOf(indexPartition, 'account-first')

export const decodeAccountIndex = (value: Uint8Array): AccountIndexRecord => AccountIndexRecord.decode(value)

const encodeIndex = (accountId: string, partition: number): Uint8Array =>
  AccountIndexRecord.encode({ accountId, partition }).finish()

/** Every index key that the account says is its own: by login name and identities. */
export function indexKeysOf({ loginName, identities }: AccountRecord): Key[] {
  const name = loginName === '' ? undefined : normalizeLoginName(loginName)
  return [...(name === undefined ? [] : [loginNameKey(name)]), ...identities.map(identityKey)]
}

/** Accounts made before identities were kept in them have none: whatever leads there is theirs. */
function owns(record: AccountRecord, key: Key): boolean {
  const keys = indexKeysOf(record)
  return key === firstAccountKey || keys.length === 0 || keys.includes(key)
}

/** What an index key leads to. Nobody signs in but by one that is `held`. */
export type Behind =
  /** Nobody has it: it may be taken at once. */
  | { readonly state: 'free' }
  /** An account, which says so itself. */
  | { readonly state: 'held'; readonly account: HeldAccount }
  /** The account is not there, or not yet: it may be taken once that is given up. */
  | { readonly state: 'begun'; readonly place: AccountPlace }
  /** The account does not say so, or not yet: it may be taken once whoever is linking it is stopped. */
  | { readonly state: 'disowned'; readonly account: HeldAccount }
  /** It can never be had again. */
  | { readonly state: 'closed' }

/**
 * @param index what is at the key
 * @param account what is where that leads; see {@link accountBehind}
 */
export function behindIndex(key: Key, index: Entry | undefined, account: Entry | undefined): Behind {
  if (!index) return { state: 'free' }
  const { accountId, partition } = decodeAccountIndex(index.value)
  if (accountId === '') return { state: 'closed' }
  if (!account) return { state: 'begun', place: { id: accountId, partition } }
  const held = heldAccount(partition, account)
  if (!held) return { state: 'free' }
  return { state: owns(held.record, key) ? 'held' : 'disowned', account: held }
}

/** The key of the account that an index leads to; undefined when it is one that leads nowhere. */
export function accountBehind(index: Entry): Key | undefined {
  const { accountId, partition } = decodeAccountIndex(index.value)
  return accountId === '' ? undefined : accountKey(partition, accountId)
}

/**
 * What has to be committed before a key that is not free may be taken: then whoever was about to complete what it led to
 * conflicts, or has done so already and this does. Undefined: nothing.
 */
export function clearTheWay(commitId: CommitId, behind: Behind, now: Millis): Commit | undefined {
  if (behind.state === 'disowned') return noteUse(commitId, behind.account, behind.account.record)
  if (behind.state !== 'begun') return undefined
  const { id: accountId, partition } = behind.place
  return forsakeAccount(commitId, { accountId, partition }, now)
}

/** An index key that the account takes, with what was read there: nothing, or what leads to nobody. */
export interface FreeName {
  key: Key
  entry: Entry | undefined
}

/**
 * First of the two commits that make an account: takes its names. A crash after it leaves names that lead to no account:
 * nobody can sign in with them, and whoever wants one next gives the missing account up ({@link clearTheWay}) and takes it.
 */
export function takeNames(commitId: CommitId, { id, partition }: AccountPlace, names: readonly FreeName[]): Commit {
  const commit = emptyCommit(commitId, indexPartition)
  const value = encodeIndex(id, partition)
  for (const { key, entry } of names) {
    commit.checks.push({ key, version: entry?.version ?? null })
    commit.puts.push({ key, value })
  }
  return commit
}

/**
 * Takes the key of an identity (or, as {@link takeNames}, of a passkey) for an account that is there. To be right under races: read
 * the account, clear the way to the key, take it, and then change the account as it was read at first; when anything conflicts,
 * begin again with reading the account.
 * @param entry what was read at the key: nothing, or what leads to nobody
 */
export const takeIdentity = (
  commitId: CommitId,
  place: AccountPlace,
  identity: IdentityName,
  entry: Entry | undefined,
): Commit => takeNames(commitId, place, [{ key: identityKey(identity), entry }])

/**
 * Gives up an account whose names were taken and that is not there. Its creator may only be slow: then either this conflicts, and
 * the account is there after all, or the creator's own commit does.
 */
function forsakeAccount(commitId: CommitId, { accountId: id, partition }: AccountIndexRecord, now: Millis): Commit {
  const commit = emptyCommit(commitId, partition)
  commit.checks.push({ key: accountKey(partition, id), version: null })
  commit.puts.push(accountRemains({ id, partition }, now))
  return commit
}

/**
 * Takes away the index keys that lead to this account, once it no longer says that they are its own; those that lead to others
 * are theirs. A crash before it leaves keys that lead to nobody. Undefined when there is nothing to do.
 * @param entries what was read at the keys
 */
export function releaseNames(
  commitId: CommitId,
  { id }: Pick<AccountPlace, 'id'>,
  entries: readonly (Entry | undefined)[],
): Commit | undefined {
  const commit = emptyCommit(commitId, indexPartition)
  for (const entry of entries) {
    if (!entry || decodeAccountIndex(entry.value).accountId !== id) continue
    const { key, version } = entry
    commit.checks.push({ key, version })
    if (key === firstAccountKey) commit.puts.push({ key, value: encodeIndex('', indexPartition) })
    else commit.deletes.push(key)
  }
  return commit.checks.length === 0 ? undefined : commit
}
