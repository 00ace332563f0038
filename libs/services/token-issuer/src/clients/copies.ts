import { hash } from 'node:crypto'
import type { Millis, Partition } from '@countersign/contracts'
import { ClientRecord, type ClientOrigin, GrantRecord } from '@countersign/contracts/records'
import type { Commit, Entry, Store } from '@countersign/store'
import { clientKey, clientListing, grantKey, grantRecord, type Versioned } from '@countersign/tokens'
import { limits } from '../limits.ts'

/** What a copy says of a client; its own state (disabled, epoch) apart. */
export interface CopyTerms {
  readonly id: string
  readonly origin: ClientOrigin
  readonly digest: string
  readonly homePartition: Partition
}

/** A client's record in one partition, and the grant that its machine tokens hang on where that is its home. */
export interface HeldCopy {
  readonly client: Versioned<ClientRecord> | undefined
  readonly standingGrant: Entry | undefined
}

export const standingGrantKey = (partition: Partition, clientId: string) =>
  grantKey(partition, standingGrantId(clientId))

const standingGrantId = (clientId: string): string => `standing.${clientId}`

/** Where a client's machine grants live, for a client that has no record yet. */
export const firstHome = (id: string, partitions: number): Partition =>
  hash('sha256', id, 'buffer').readUInt32BE(0) % partitions

export async function readCopy(store: Pick<Store, 'get'>, id: string, partition: Partition): Promise<HeldCopy> {
  const [client, standingGrant] = await store.get([clientKey(partition, id), standingGrantKey(partition, id)])
  return { client: client && { record: ClientRecord.decode(client.value), version: client.version }, standingGrant }
}

/** Writes a client's copy, if it is still as it was read; in its home, its standing grant with it. */
export function addCopy(commit: Commit, terms: CopyTerms, held: HeldCopy, now: Millis): void {
  const { partition } = commit
  const { id, origin, digest, homePartition } = terms
  const before = held.client?.record
  const key = clientKey(partition, id)
  const record: ClientRecord = {
    id,
    origin,
    digest,
    homePartition,
    createdAt: before?.createdAt ?? now,
    disabledAt: before?.disabledAt ?? 0,
    epoch: before?.epoch ?? firstEpoch(commit),
  }
  commit.checks.push({ key, version: held.client?.version ?? null })
  commit.puts.push({ key, value: ClientRecord.encode(record).finish(), listedIn: [clientListing(partition)] })
  if (partition !== homePartition || held.standingGrant) return
  const grant = grantRecord({ id: standingGrantId(id), clientId: id, createdAt: now })
  const put = { key: standingGrantKey(partition, id), value: GrantRecord.encode(grant).finish(), links: [key] }
  commit.checks.push({ key: put.key, version: null })
  commit.puts.push(put)
}

/** Tokens of an earlier client of this id stay dead: no two begin with the same epoch. */
const firstEpoch = ({ id }: Commit): number => Number.parseInt(id.slice(0, limits.firstEpochDigits), 16)

/** Deletes a client's copy, if it is still as it was read: from then on its tokens in this partition are dead. */
export function deleteCopy(commit: Commit, { record, version }: Versioned<ClientRecord>): void {
  const key = clientKey(commit.partition, record.id)
  commit.checks.push({ key, version })
  commit.deletes.push(key, standingGrantKey(commit.partition, record.id))
  commit.facts.push({ kind: 'client', id: record.id })
}

/** The clients of one origin that a partition has copies of. */
export async function copiesOf(
  store: Pick<Store, 'list'>,
  partition: Partition,
  from: ClientOrigin,
): Promise<ClientRecord[]> {
  const entries = await listAll(store, clientListing(partition))
  return entries.map(({ value }) => ClientRecord.decode(value)).filter(({ origin }) => origin === from)
}

/** A whole listing, page by page. */
export async function listAll(store: Pick<Store, 'list'>, listing: string): Promise<Entry[]> {
  const found: Entry[] = []
  let after: string | undefined
  do {
    const page = await store.list(listing, { limit: limits.clientsPerPage, ...(after !== undefined && { after }) })
    found.push(...page.entries)
    after = page.next
  } while (after !== undefined)
  return found
}
