import {
  accountBehind,
  accountRandomBytes,
  behindIndex,
  clearTheWay,
  decodeAccountIndex,
  identityKey,
  newAccountPlace,
  takeIdentity,
  type Behind,
  type IdentityName,
} from '@countersign/accounts'
import { Failure, type Millis } from '@countersign/contracts'
import type { AccountIndexRecord } from '@countersign/contracts/records'
import type { Entry, Store } from '@countersign/store'
import { subjectKey } from '@countersign/tokens'
import { limits } from '../limits.ts'

export interface IdentitiesOptions {
  readonly store: Pick<Store, 'get' | 'commit'>
  readonly partitions: number
  readonly now: () => Millis
  readonly commitId: () => string
  readonly randomBytes: (bytes: number) => Uint8Array
}

/**
 * Where the account of an identity is; an identity that is new here takes a place. The account itself is made with whatever is
 * its first use: until then the place leads to nothing, and whoever comes next with this identity makes it.
 * @throws Failure `conflict` when others were faster every time
 */
export async function placeOfIdentity(
  { store, partitions, now, commitId, randomBytes }: IdentitiesOptions,
  identity: IdentityName,
): Promise<AccountIndexRecord> {
  for (let attempt = 0; attempt < limits.attempts; attempt++) {
    const { entry, behind, isUsable } = await look(store, identity)
    if (entry && isUsable) return decodeAccountIndex(entry.value)
    const clearing = clearTheWay(commitId(), behind, now())
    if (clearing && (await store.commit(clearing)) === 'conflict') continue
    const { id, partition } = newAccountPlace(randomBytes(accountRandomBytes), partitions)
    const committed = await store.commit(takeIdentity(commitId(), { id, partition }, identity, entry))
    if (committed !== 'conflict') return { accountId: id, partition }
  }
  throw new Failure('conflict', 'this was being changed by others; try again', { retryAfterSeconds: 1 })
}

/**
 * Where the account of an identity is, if it has one; nothing is made or taken.
 * @throws Failure `invalid_request` when it has none
 */
export async function placeOfKnownIdentity(
  { store }: Pick<IdentitiesOptions, 'store'>,
  identity: IdentityName,
): Promise<AccountIndexRecord> {
  const { entry, behind } = await look(store, identity)
  if (entry && behind.state === 'held') return decodeAccountIndex(entry.value)
  throw unknownIdentity()
}

export const unknownIdentity = (): Failure =>
  new Failure('invalid_request', 'subject_token is of somebody who has no account here: they have to sign in first')

interface Look {
  readonly entry: Entry | undefined
  readonly behind: Behind
  /** The account says that the identity is its own, or nobody has made it yet. */
  readonly isUsable: boolean
}

async function look(store: Pick<Store, 'get'>, identity: IdentityName): Promise<Look> {
  const key = identityKey(identity)
  const [entry] = await store.get([key])
  const leadsTo = entry && accountBehind(entry)
  if (!leadsTo) return { entry, behind: behindIndex(key, entry, undefined), isUsable: false }
  const { accountId, partition } = decodeAccountIndex(entry.value)
  const [account, subject] = await store.get([leadsTo, subjectKey(partition, accountId)])
  const behind = behindIndex(key, entry, account)
  // Whoever makes the account makes its subject, too: a subject alone is what a deleted account leaves.
  return { entry, behind, isUsable: behind.state === 'held' || (behind.state === 'begun' && !subject) }
}
