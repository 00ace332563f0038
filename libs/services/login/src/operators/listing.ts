import { accountListing, heldAccount } from '@countersign/accounts'
import { Failure, type Partition } from '@countersign/contracts'
import type { Account, ListAccountsRequest, ListAccountsResponse } from '@countersign/contracts/accounts'
import type { Key, Store } from '@countersign/store'
import { limits } from './limits.ts'
import { accountMessage } from './message.ts'

export interface ListingOptions {
  store: Pick<Store, 'list'>
  partitions: number
}

/** Where a page begins. */
interface Place {
  readonly partition: Partition
  /** Of the store's own page before; undefined: the partition's first. */
  readonly after: string | undefined
  /** What was told last of the store's page that begins there; undefined: nothing yet. */
  readonly told: Key | undefined
}

/**
 * Accounts by partition and id, those that a search finds; whatever is left of deleted ones is passed over.
 * @throws Failure `invalid_request`
 */
export async function listAccounts(
  { store, partitions }: ListingOptions,
  { search, pageSize, pageToken }: ListAccountsRequest,
): Promise<ListAccountsResponse> {
  const wanted = pageSize === 0 ? limits.defaultPageSize : pageSize
  if (wanted > limits.pageSize) throw new Failure('invalid_request', `page_size is at most ${limits.pageSize}`)
  const isFound = finding(search)
  const accounts: Account[] = []
  let place: Place | undefined = readToken(pageToken, partitions)
  for (let looked = 0; place && looked < limits.lookedAt;) {
    const { partition, after, told }: Place = place
    const listing = accountListing(partition)
    const limit = limits.readAtOnce
    const page = await store.list(listing, { limit, ...(after !== undefined && { after }) }).catch(noPage)
    const { entries, next } = page
    for (const entry of entries.slice(entries.findIndex(({ key }) => key === told) + 1)) {
      const account = heldAccount(partition, entry)
      const message = account && accountMessage(account.record)
      if (!message || !isFound(message)) continue
      accounts.push(message)
      if (accounts.length < wanted) continue
      return { accounts, nextPageToken: tokenOf({ partition, after, told: entry.key }) }
    }
    looked += entries.length
    place = following(partition, next, partitions)
  }
  return { accounts, nextPageToken: place ? tokenOf(place) : '' }
}

function following(partition: Partition, after: string | undefined, partitions: number): Place | undefined {
  if (after !== undefined) return { partition, after, told: undefined }
  return partition + 1 < partitions ? { partition: partition + 1, after, told: undefined } : undefined
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase()

/** @throws Failure `invalid_request` */
function finding(search: string): (account: Account) => boolean {
  if (search.length > limits.searchCharacters) {
    throw new Failure('invalid_request', `a search has at most ${limits.searchCharacters} characters`)
  }
  const sought = folded(search.trim())
  return ({ id, loginName, name, email, identities }) =>
    [id, loginName, name, email, ...identities.flatMap(({ subject, label }) => [subject, label])].some((text) =>
      folded(text).includes(sought),
    )
}

const tokenOf = ({ partition, after = '', told = '' }: Place): string =>
  Buffer.from(JSON.stringify([partition, after, told])).toString('base64url')

const noToken = () => new Failure('invalid_request', 'page_token is not of an earlier page')

/** The store knows its own places. */
function noPage(thrown: unknown): never {
  throw thrown instanceof Failure && thrown.code === 'invalid_request' ? noToken() : thrown
}

/** @throws Failure `invalid_request` for what is no token of ours */
function readToken(token: string, partitions: number): Place {
  if (token === '') return { partition: 0, after: undefined, told: undefined }
  const [partition, after, told] = token.length > limits.pageTokenCharacters ? [] : parts(token)
  const isPartition = Number.isInteger(partition) && Number(partition) >= 0 && Number(partition) < partitions
  if (!isPartition || typeof after !== 'string' || typeof told !== 'string') throw noToken()
  return { partition: Number(partition), after: after || undefined, told: told || undefined }
}

function parts(token: string): unknown[] {
  try {
    const given: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    return Array.isArray(given) ? given : []
  } catch {
    return []
  }
}
