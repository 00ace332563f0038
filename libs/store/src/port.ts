import type { Fact, Millis, Partition, Revision } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'

/** 128 random bits from the caller, as 32 lower-case hex digits; becomes the version of every key that the commit puts. */
export type CommitId = string
/** `<partition>:<name>`, e.g. `0:token/4Rk…`; see {@link keyOf}. */
export type Key = string
/** A named list of keys, written as a key is: `<partition>:<name>`. */
export type Listing = string
export type Bytes = Uint8Array

export const keyOf = (partition: Partition, name: string): Key => `${partition}:${name}`

/** The partition that a key or listing is in. */
export const partitionOf = (key: Key | Listing): Partition => Number(key.slice(0, key.indexOf(':')))

export interface Check {
  key: Key
  /** null: must be absent. */
  version: CommitId | null
}

export interface Put {
  key: Key
  value: Bytes
  /** Housekeeping only: the domain checks time itself. Absent: kept for ever. */
  expiresAt?: Millis
  /** Listings that shall hold this key until it is deleted or expires; membership in others is left as it was. */
  listedIn?: Listing[]
  /** Keys of the same partition that a reader of this one wants together with it. */
  links?: Key[]
}

/** All of it or nothing of it. Everything in it is of one partition. */
export interface Commit {
  id: CommitId
  partition: Partition
  checks: Check[]
  puts: Put[]
  deletes: Key[]
  /** Go to the outbox with the state. Ids are `<commit id>:<n>`, n from 0. */
  events: Event[]
  /** Appended to the partition's log of facts, each with the next dense sequence number. */
  facts: Fact[]
}

/** A commit that does nothing yet. */
export const emptyCommit = (id: CommitId, partition: Partition): Commit => ({
  id,
  partition,
  checks: [],
  puts: [],
  deletes: [],
  events: [],
  facts: [],
})

export interface Committed {
  /** Where the log of facts stands now. */
  revision: Revision
  /** The log's tip before this commit, see {@link FactLog.tip}; means nothing when it is repeated. */
  previousTip: string
  /** This id was applied before: `revision` may tell of later commits, too. */
  repeated: boolean
  /** Outbox sequence number of the first event; undefined when there was none, or when this id was applied before. */
  firstSequence: number | undefined
  /** Events of the partition that are not in the audit journal yet. */
  backlogEvents: number
}

export interface Entry {
  key: Key
  version: CommitId
  value: Bytes
}

export interface PageRequest {
  /** Entries at most; 1 to 1,000. */
  limit: number
  /** `next` of the page before. */
  after?: string
}

/** Living entries of a listing, soonest to expire first. */
export interface Page {
  entries: Entry[]
  /** Absent on the last page. */
  next?: string
}

export interface LoggedFact {
  sequence: number
  fact: Fact
  /** The log's tip once this was written. */
  tip: string
}

export interface FactLog {
  /** The head: where the log stands. */
  revision: Revision
  /** Names the newest fact and all before it, see `tipOf`; empty when there was none. */
  tip: string
  /** False when facts after the position asked for are gone already (the log is kept for minutes), or it is of another history. */
  complete: boolean
  /** The position asked for is not of this history: another epoch, ahead of the head, or another fact is there than `tip` names. */
  otherHistory: boolean
  /** In order, without a gap up to the head. Empty when not complete. */
  facts: LoggedFact[]
}

/** Reads from the primary, linearizably. @throws Failure `unavailable` when it cannot. */
export interface Reader {
  /** In the order of the keys, which may be of several partitions. */
  get(keys: Key[]): Promise<(Entry | undefined)[]>
  /** An entry and what it links to, in one round trip; linked entries that are absent are left out. Undefined when the entry itself is absent. */
  follow(key: Key): Promise<Entry[] | undefined>
  list(listing: Listing, page: PageRequest): Promise<Page>
  /**
   * The facts after a position; after undefined: the head alone.
   * @param tip what was told with that revision; a store that was set back and went on differently is found out by it
   */
  facts(partition: Partition, after: Revision | undefined, tip?: string): Promise<FactLog>
}

export interface OutboxEntry {
  sequence: number
  /** Where the log of facts stood once the event was committed. */
  revision: Revision
  /** The encoded event, without its stamp. */
  event: Bytes
}

/** Events that the audit journal does not have yet, in order. */
export interface Outbox {
  read(afterSequence: number, limit: number): Promise<OutboxEntry[]>
  /** Takes away what is still there with this sequence number and this event id: numbers come again after a restored backup. */
  remove(journaled: { sequence: number; eventId: string }[]): Promise<void>
  size(): Promise<number>
}

export interface Store extends Reader {
  /**
   * Applies a commit, or tells that a check did not hold. A commit id that was applied in the last minute answers as
   * committed, with no second event: retrying after a time-out is safe.
   * @throws Failure `invalid_request` when the commit is malformed or over a limit, `unavailable` when the store cannot tell.
   */
  commit(commit: Commit): Promise<Committed | 'conflict'>
  outbox(partition: Partition): Outbox
  /** Cheap proof of life. @throws Failure `unavailable` */
  ping(): Promise<void>
  close(): Promise<void>
}
