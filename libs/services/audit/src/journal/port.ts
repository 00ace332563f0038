import type { Millis, Partition } from '@countersign/contracts'
import type { Event, Outcome } from '@countersign/contracts/events'

export interface JournalRecord {
  event: Event
  /** The event as it came, stamp and all: what is kept. */
  bytes: Uint8Array
  receivedAt: Millis
}

export interface JournalEntry extends JournalRecord {
  /** The place in the journal: from 1, without a hole, never changed. */
  index: number
  /** When what is personal about somebody who is forgotten was taken out of it; absent when nothing was. */
  redactedAt?: Millis
}

/** What one step of forgetting did. */
export interface Forgotten {
  subject: string
  /** Records redacted in this step. */
  redacted: number
  /** The index of the newest entry, when this step was the last one of the subject, and told of it. */
  head?: number
}

/** A message that cannot be journaled as an event. */
export interface ParkedMessage {
  subject: string
  /** As the bus tells it; empty when it does not. */
  id: string
  bytes: Uint8Array
  /** What is wrong with it, for operators. */
  error: string
  at: Millis
}

/** What an event must have; what is absent is not asked for. */
export interface EventFilter {
  /** Any of these: a type, or `<prefix>.*`. */
  types?: string[]
  subject?: string
  clientId?: string
  grantId?: string
  tokenFingerprint?: string
  /** The actor's id. */
  actor?: string
  outcome?: Outcome
  /** Not before. */
  from?: Millis
  /** Before. */
  to?: Millis
}

export interface SearchPage {
  /** By index: `asc` oldest first. */
  order: 'asc' | 'desc'
  /** Entries at most. */
  limit: number
  /** Go on behind this index, in the order asked for. */
  after?: number
  /** Nothing beyond this index. */
  upTo?: number
}

export interface FoundEntries {
  entries: JournalEntry[]
  /**
   * The `after` of the next page; absent when there is nothing more. A page may hold fewer entries than asked for, even
   * none, and have a next one: a search looks at a bounded number of records at a time.
   */
  next?: number
}

/** A hole in the sequence of a partition: events that must exist and are not in the journal. */
export interface Gap {
  partition: Partition
  epoch: string
  /** The first and the last sequence number missing. */
  first: number
  last: number
  /** When an event beyond it was first received. */
  since: Millis
  /** The sequence number of that event: names the gap for as long as any of it is open. */
  openedBy: number
}

/**
 * The audit journal: every event once, in one order, for good. Several processes may use one at once.
 * Whoever `account.deleted` concerns is forgotten: what is personal about them is taken out of what comes from then on as
 * it comes, and by {@link Journal.forget} out of what is there.
 * Every method @throws Failure `unavailable` when it cannot tell; trying again is safe.
 */
export interface Journal {
  /**
   * Appends, in one transaction, those whose event id the journal does not have yet; the rest are passed over. Durable
   * once it resolves.
   * @throws Failure `invalid_request` when one of the records cannot be kept whatever one does; none of them is then.
   */
  append(records: JournalRecord[]): Promise<{ appended: number; head: number }>
  /**
   * One bounded step of forgetting: redacts some records of one deleted person. Once all are redacted that were there when
   * the deletion was journaled, it appends `audit.redacted`, which is done once whoever asks how often. Undefined when
   * there is nobody to forget.
   */
  forget(at: Millis): Promise<Forgotten | undefined>
  /** Keeps a message aside, durably. False when this very message is there already. */
  park(message: ParkedMessage): Promise<boolean>
  /** Those of the event ids that are journaled or parked. @throws Failure `invalid_request` for too many. */
  held(ids: string[]): Promise<string[]>
  search(filter: EventFilter, page: SearchPage): Promise<FoundEntries>
  /** The entries behind an index, in order. */
  after(index: number, limit: number): Promise<JournalEntry[]>
  /** The index of the newest entry, which is how many there are; 0 when there is none. */
  head(): Promise<number>
  /** The holes, oldest first; a bounded number of them. */
  gaps(): Promise<Gap[]>
  close(): Promise<void>
}
