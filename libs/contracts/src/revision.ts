/** Milliseconds since the Unix epoch. */
export type Millis = number

/** A number from 0 to 63: the set of keys that one commit may touch together. */
export type Partition = number

/** Where a partition's log of facts stands: `partition:epoch:sequence`. */
export type Revision = string

export interface Position {
  partition: Partition
  /** Names the store's history; made at random when the partition is first written. Empty before that. */
  epoch: string
  /** Sequence number of the newest fact; 0 when there is none. */
  sequence: number
}

export const formatRevision = ({ partition, epoch, sequence }: Position): Revision =>
  `${partition}:${epoch}:${sequence}`

/** Reads a revision; undefined when it is not one. */
export function parseRevision(revision: string): Position | undefined {
  const match = /^(\d{1,2}):([0-9a-f]{0,32}):(\d{1,15})$/.exec(revision)
  if (!match) return undefined
  return { partition: Number(match[1]), epoch: match[2]!, sequence: Number(match[3]) }
}

/** What a fact is about. */
export const factKinds = ['token', 'grant', 'session', 'subject', 'client'] as const
export type FactKind = (typeof factKinds)[number]

/** A revocation: written once, never taken back. */
export interface Fact {
  kind: FactKind
  /** For a token, the base64url SHA-256 of it. */
  id: string
}

/** Revocations of one commit, as they are passed on. */
export interface FactPush {
  /** Where the log stands with them: the place of the last one. */
  revision: Revision
  /** Names the newest fact, and all before it. */
  tip: string
  /** The tip before them: a push that does not fit to it is of another history. For `publishing`: `Committed.previousTip`. */
  previousTip: string
  facts: Fact[]
}
