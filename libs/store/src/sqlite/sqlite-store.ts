import { formatRevision, type FactKind, type Millis, type Partition } from '@countersign/contracts'
import type { DatabaseSync } from 'node:sqlite'
import { formatCursor, parseCursor } from '../cursor.ts'
import { randomEpoch } from '../epoch.ts'
import { eventStart } from '../event-start.ts'
import { answerFacts } from '../fact-log.ts'
import { maxCommitsPerTransaction } from '../limits.ts'
import type { Bytes, Commit, Committed, Entry, Key, Listing, Outbox, Page, PageRequest, Store } from '../port.ts'
import { unavailable } from '../unavailable.ts'
import { checkKey, checkKeys, checkOutboxLimit, checkPageLimit, checkPartition, prepareCommit } from '../validate.ts'
import type { PreparedCommit } from '../validate.ts'
import { Commits, never } from './commits.ts'
import { openDatabase } from './database.ts'

export interface SqliteStoreOptions {
  /** The file; made with its folder when missing. */
  path: string
  now?: () => Millis
  randomEpoch?: () => string
}

/**
 * The embedded store: one SQLite file, for one process (others may read and write it, and wait for each other). Commits
 * that arrive in the same turn of the event loop share one transaction, so one wait for the disk.
 * @throws Error when the file cannot be opened, or is of a newer version.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  return new SqliteStore(openDatabase(options.path), options)
}

interface PendingCommit {
  commit: PreparedCommit
  resolve: (outcome: Committed | 'conflict') => void
  reject: (error: unknown) => void
}

interface EntryRow {
  key: string
  version: string
  value: Bytes
}

const alive = '(e.expires_at IS NULL OR e.expires_at > ?2)'

const prepareReads = (database: DatabaseSync) => ({
  get: database.prepare(`SELECT key, version, value FROM entries e WHERE key = ?1 AND ${alive}`),
  follow: database.prepare(
    `SELECT -1 AS place, key, version, value FROM entries e WHERE key = ?1 AND ${alive}
     UNION ALL
     SELECT j.key, e.key, e.version, e.value
     FROM json_each((SELECT links FROM entries e WHERE key = ?1 AND ${alive})) j JOIN entries e ON e.key = j.value
     WHERE ${alive} ORDER BY 1`,
  ),
  list: database.prepare(
    `SELECT e.key, e.version, e.value, m.expires_at FROM members m JOIN entries e ON e.key = m.key
     WHERE m.listing = ?1 AND m.expires_at > ?2 AND (m.expires_at, m.key) > (?3, ?4)
     ORDER BY m.expires_at, m.key LIMIT ?5`,
  ),
  partition: database.prepare('SELECT epoch, facts AS sequence, backlog, tip FROM partitions WHERE partition = ?'),
  facts: database.prepare(
    `SELECT sequence, kind, id, previous_tip FROM facts WHERE partition = ? AND sequence > ? AND sequence <= ?
     ORDER BY sequence`,
  ),
  readOutbox: database.prepare(
    'SELECT sequence, facts, event FROM outbox WHERE partition = ? AND sequence > ? ORDER BY sequence LIMIT ?',
  ),
  removeFromOutbox: database.prepare(
    'DELETE FROM outbox WHERE partition = ? AND sequence = ? AND substr(event, 1, length(?3)) = ?3',
  ),
  lowerBacklog: database.prepare('UPDATE partitions SET backlog = backlog - ? WHERE partition = ?'),
})

class SqliteStore implements Store {
  readonly #database: DatabaseSync
  readonly #commits: Commits
  readonly #sql: ReturnType<typeof prepareReads>
  readonly #now: () => Millis
  #pending: PendingCommit[] = []

  constructor(database: DatabaseSync, options: SqliteStoreOptions) {
    this.#database = database
    this.#commits = new Commits(database, options.randomEpoch ?? randomEpoch)
    this.#sql = prepareReads(database)
    this.#now = options.now ?? Date.now
  }

  async commit(commit: Commit): Promise<Committed | 'conflict'> {
    const prepared = prepareCommit(commit)
    return new Promise((resolve, reject) => {
      if (this.#pending.length === 0) setImmediate(() => this.#flush())
      this.#pending.push({ commit: prepared, resolve, reject })
    })
  }

  #flush(): void {
    const group = this.#pending.splice(0, maxCommitsPerTransaction)
    if (group.length === 0) return
    if (this.#pending.length > 0) setImmediate(() => this.#flush())
    try {
      const outcomes = this.#ask(() => this.#transact(group))
      for (const [n, { resolve }] of group.entries()) resolve(outcomes[n]!)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  #transact(group: PendingCommit[]): (Committed | 'conflict')[] {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const at = this.#now()
      const commits = group.map(({ commit }) => commit)
      this.#commits.clear(at, commits)
      const outcomes = commits.map((commit) => this.#commits.apply(commit, at))
      this.#database.exec('COMMIT')
      return outcomes
    } finally {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    }
  }

  async get(keys: Key[]): Promise<(Entry | undefined)[]> {
    checkKeys(keys)
    const at = this.#now()
    return this.#ask(() => keys.map((key) => this.#sql.get.get(key, at) as EntryRow | undefined)).map(
      (row) => row && entryOf(row),
    )
  }

  async follow(key: Key): Promise<Entry[] | undefined> {
    checkKey(key)
    const rows = this.#ask(() => this.#sql.follow.all(key, this.#now())) as unknown as EntryRow[]
    return rows.length === 0 ? undefined : rows.map(entryOf)
  }

  async list(listing: Listing, page: PageRequest): Promise<Page> {
    checkKey(listing)
    checkPageLimit(page.limit)
    const after = parseCursor(page)
    const place = Math.min(after?.expiresAt ?? 0, never)
    const key = after ? `${listing.slice(0, listing.indexOf(':'))}:${after.name}` : ''
    const found = this.#ask(() => this.#sql.list.all(listing, this.#now(), place, key, page.limit + 1))
    const rows = found.slice(0, page.limit) as unknown as (EntryRow & { expires_at: Millis })[]
    const entries = rows.map(entryOf)
    const last = rows.at(-1)
    if (found.length <= page.limit || !last) return { entries }
    const expiresAt = last.expires_at === never ? Infinity : last.expires_at
    return { entries, next: formatCursor({ expiresAt, name: last.key.slice(last.key.indexOf(':') + 1) }) }
  }

  async facts(partition: Partition, after: string | undefined, tip?: string) {
    checkPartition(partition)
    return this.#ask(() =>
      answerFacts({ partition, ...this.#head(partition) }, after, tip, (from, last) =>
        this.#sql.facts.all(partition, from, last).map(({ sequence, kind, id, previous_tip: previousTip }) => ({
          sequence: Number(sequence),
          fact: { kind: kind as FactKind, id: String(id) },
          previousTip: optional(previousTip),
        })),
      ),
    )
  }

  outbox(partition: Partition): Outbox {
    checkPartition(partition)
    return {
      read: async (afterSequence, limit) => {
        checkOutboxLimit(limit)
        return this.#ask(() => {
          const { epoch } = this.#head(partition)
          return this.#sql.readOutbox.all(partition, afterSequence, limit).map(({ sequence, facts, event }) => ({
            sequence: Number(sequence),
            revision: formatRevision({ partition, epoch, sequence: Number(facts) }),
            event: event as Bytes,
          }))
        })
      },
      remove: async (journaled) => this.#ask(() => this.#removeFromOutbox(partition, journaled)),
      size: async () => this.#ask(() => this.#head(partition).backlog),
    }
  }

  #removeFromOutbox(partition: Partition, journaled: { sequence: number; eventId: string }[]): void {
    if (journaled.length === 0) return
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      let removed = 0
      for (const { sequence, eventId } of journaled)
        removed += Number(this.#sql.removeFromOutbox.run(partition, sequence, eventStart(eventId)).changes)
      this.#sql.lowerBacklog.run(removed, partition)
      this.#database.exec('COMMIT')
    } finally {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    }
  }

  async ping(): Promise<void> {
    this.#ask(() => this.#head(0))
  }

  async close(): Promise<void> {
    while (this.#pending.length > 0) this.#flush()
    if (this.#database.isOpen) this.#database.close()
  }

  #head(partition: Partition): { epoch: string; sequence: number; backlog: number; tip: string | undefined } {
    const row = this.#sql.partition.get(partition)
    if (!row) return { epoch: '', sequence: 0, backlog: 0, tip: '' }
    const { epoch, sequence, backlog, tip } = row
    return { epoch: String(epoch), sequence: Number(sequence), backlog: Number(backlog), tip: optional(tip) }
  }

  #ask<T>(work: () => T): T {
    if (!this.#database.isOpen) throw unavailable('it is closed')
    try {
      return work()
    } catch (error) {
      throw unavailable('its file cannot be read or written', error)
    }
  }
}

const entryOf = ({ key, version, value }: EntryRow): Entry => ({ key, version, value })

const optional = (column: unknown): string | undefined => (typeof column === 'string' ? column : undefined)
