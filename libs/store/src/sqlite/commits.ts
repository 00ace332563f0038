import { formatRevision, type Millis } from '@countersign/contracts'
import type { DatabaseSync } from 'node:sqlite'
import { tipOf } from '../commit-id.ts'
import { appliedIdsKeptMs, clearedPerCommit, factsKeptMs, maxFactsKept } from '../limits.ts'
import type { Committed, Put } from '../port.ts'
import type { PreparedCommit } from '../validate.ts'

/** The expiry, in `members`, of what never expires: later than any time, and exact as a double. */
export const never = Number.MAX_SAFE_INTEGER

interface PartitionRow {
  epoch: string
  facts: number
  outbox: number
  backlog: number
  /** Null in data written before there were tips. */
  tip: string | null
}

const prepareStatements = (database: DatabaseSync) => ({
  isApplied: database.prepare('SELECT 1 FROM applied WHERE id = ?'),
  partition: database.prepare('SELECT epoch, facts, outbox, backlog, tip FROM partitions WHERE partition = ?'),
  version: database.prepare('SELECT version FROM entries WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)'),
  deleteExpired: database.prepare('DELETE FROM entries WHERE key = ? AND expires_at <= ?'),
  put: database.prepare(
    `INSERT INTO entries (key, version, value, expires_at, links) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
     SET version = excluded.version, value = excluded.value, expires_at = excluded.expires_at, links = excluded.links`,
  ),
  moveMembers: database.prepare('UPDATE members SET expires_at = ?1 WHERE key = ?2 AND expires_at <> ?1'),
  addMember: database.prepare('INSERT OR IGNORE INTO members (listing, expires_at, key) VALUES (?, ?, ?)'),
  delete: database.prepare('DELETE FROM entries WHERE key = ?'),
  addEvent: database.prepare('INSERT INTO outbox (partition, sequence, facts, event) VALUES (?, ?, ?, ?)'),
  addFact: database.prepare(
    'INSERT INTO facts (partition, sequence, kind, id, at, previous_tip) VALUES (?, ?, ?, ?, ?, ?)',
  ),
  oldestYoungFact: database.prepare(
    'SELECT sequence FROM facts WHERE partition = ? AND at > ? ORDER BY sequence LIMIT 1',
  ),
  forgetFacts: database.prepare('DELETE FROM facts WHERE partition = ? AND sequence < ?'),
  addApplied: database.prepare('INSERT INTO applied (id, at) VALUES (?, ?)'),
  setPartition: database.prepare(
    'INSERT OR REPLACE INTO partitions (partition, epoch, facts, outbox, backlog, tip) VALUES (?, ?, ?, ?, ?, ?)',
  ),
  clearEntries: database.prepare(
    'DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)',
  ),
  clearApplied: database.prepare(
    'DELETE FROM applied WHERE id IN (SELECT id FROM applied WHERE at <= ? ORDER BY at LIMIT ?)',
  ),
})

/** Applies commits to SQLite, one after the other, inside a transaction that the caller began. */
export class Commits {
  readonly #sql: ReturnType<typeof prepareStatements>
  readonly #randomEpoch: () => string

  constructor(database: DatabaseSync, randomEpoch: () => string) {
    this.#sql = prepareStatements(database)
    this.#randomEpoch = randomEpoch
  }

  /** All of it, or nothing: whatever can refuse it is looked at before the first write. */
  apply(commit: PreparedCommit, at: Millis): Committed | 'conflict' {
    const { id, partition, checks, puts, deletes } = commit
    const sql = this.#sql
    const row = sql.partition.get(partition) as PartitionRow | undefined
    if (row && sql.isApplied.get(id)) return { ...committed(commit, row, '', undefined), repeated: true }
    for (const { key, version } of checks)
      if ((sql.version.get(key, at)?.version ?? null) !== version) return 'conflict'
    for (const put of puts) this.#put(put, id, at)
    for (const key of deletes) sql.delete.run(key)
    sql.addApplied.run(id, at)
    return this.#log(commit, row ?? { epoch: this.#randomEpoch(), ...empty }, at)
  }

  #put({ key, value, expiresAt, links = [], listedIn = [] }: Put, version: string, at: Millis): void {
    const sql = this.#sql
    sql.deleteExpired.run(key, at)
    sql.put.run(key, version, value, expiresAt ?? null, links.length === 0 ? null : JSON.stringify(links))
    const place = expiresAt ?? never
    sql.moveMembers.run(place, key)
    for (const listing of listedIn) sql.addMember.run(listing, place, key)
  }

  #log(commit: PreparedCommit, before: PartitionRow, at: Millis): Committed {
    const { id: commitId, partition, facts, encodedEvents } = commit
    const sql = this.#sql
    const previousTip = before.tip ?? ''
    const after = {
      epoch: before.epoch,
      facts: before.facts + facts.length,
      outbox: before.outbox + encodedEvents.length,
      backlog: before.backlog + encodedEvents.length,
      tip: facts.length === 0 ? previousTip : tipOf(previousTip, commitId),
    }
    for (const [n, { kind, id }] of facts.entries())
      sql.addFact.run(partition, before.facts + n + 1, kind, id, at, n === 0 ? previousTip : after.tip)
    for (const [n, event] of encodedEvents.entries())
      sql.addEvent.run(partition, before.outbox + n + 1, after.facts, event)
    sql.setPartition.run(partition, after.epoch, after.facts, after.outbox, after.backlog, after.tip)
    if (facts.length > 0) {
      const young = sql.oldestYoungFact.get(partition, at - factsKeptMs)?.sequence ?? after.facts + 1
      sql.forgetFacts.run(partition, Math.max(Number(young), after.facts + 1 - maxFactsKept))
    }
    return committed(commit, after, previousTip, encodedEvents.length === 0 ? undefined : before.outbox + 1)
  }

  /** Clears away more than these commits add, but a bounded number, of what is dead. */
  clear(at: Millis, commits: PreparedCommit[]): void {
    const most = commits.reduce((sum, { puts }) => sum + clearedPerCommit + 2 * puts.length, 0)
    this.#sql.clearEntries.run(at, most)
    this.#sql.clearApplied.run(at - appliedIdsKeptMs, most)
  }
}

const empty = { facts: 0, outbox: 0, backlog: 0, tip: '' }

const committed = (
  { partition }: PreparedCommit,
  row: PartitionRow,
  previousTip: string,
  firstSequence: number | undefined,
): Committed => ({
  revision: formatRevision({ partition, epoch: row.epoch, sequence: row.facts }),
  previousTip,
  repeated: false,
  firstSequence,
  backlogEvents: row.backlog,
})
