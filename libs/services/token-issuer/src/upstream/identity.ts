import { hash } from 'node:crypto'
import { accountRandomBytes, decodeAccountIndex, newAccountPlace } from '@countersign/accounts'
import { AccountIndexRecord } from '@countersign/contracts/records'
import { keyOf, type Key, type Store } from '@countersign/store'
import { beginCommit } from '@countersign/tokens'
import { decideAndCommit } from '../decide.ts'
import type { UpstreamToken } from './token.ts'

/** Who somebody is elsewhere: never by an address or a name, which change hands (OpenID Connect Core section 5.7). */
export type Identity = Pick<UpstreamToken, 'issuer' | 'subject'>

/** Identities are taken in one place, whatever partition their account is in. An issuer is a URL, and has no NUL. */
export const identityKey = ({ issuer, subject }: Identity): Key =>
  keyOf(0, `identity/${hash('sha256', `${issuer}\0${subject}`, 'base64url')}`)

export interface IdentitiesOptions {
  readonly store: Pick<Store, 'get' | 'commit'>
  readonly partitions: number
  readonly commitId: () => string
  readonly randomBytes: (bytes: number) => Uint8Array
}

/**
 * Where the account of an identity is; an identity that is new here takes a place. The account itself is made with whatever is
 * its first use: until then the place leads to nothing, and whoever comes next with this identity makes it.
 */
export async function placeOfIdentity(
  { store, partitions, commitId, randomBytes }: IdentitiesOptions,
  identity: Identity,
): Promise<AccountIndexRecord> {
  const key = identityKey(identity)
  const [known] = await store.get([key])
  if (known) return decodeAccountIndex(known.value)
  let place: AccountIndexRecord | undefined
  await decideAndCommit(store, async (again) => {
    const [taken] = again ? await store.get([key]) : []
    if (taken) {
      place = decodeAccountIndex(taken.value)
      return undefined
    }
    const { id, partition } = newAccountPlace(randomBytes(accountRandomBytes), partitions)
    place = { accountId: id, partition }
    const commit = beginCommit({ commitId: commitId() }, 0)
    commit.checks.push({ key, version: null })
    commit.puts.push({ key, value: AccountIndexRecord.encode(place).finish() })
    return { commit }
  })
  return place!
}
