import { Failure } from '@countersign/contracts'
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import {
  sqliteAttempts,
  sqliteAttemptMs,
  sqliteBusyMs,
  sqliteCacheKibibytes,
  sqliteCheckpointPages,
} from '../limits.ts'
import type { Database, Dialect, EventRow, Query, Row, Transaction, Value } from './database.ts'
import type { Journal } from './port.ts'
import { journalOn } from './relational.ts'
import { migrate, tables } from './schema.ts'

const dialect: Dialect = {
  integer: 'integer',
  text: 'text',
  bytes: 'blob',
  ordered: (column) => column,
  within: (column, value, low, high) => `e.${column} = ${value} and e."index" between ${low} and ${high}`,
  isIn: (column, place) => `${column} in (select value from json_each(${place}))`,
  findTable: `select name from sqlite_master where type = 'table' and name = $1`,
}

/** Result codes that speak of the values given: TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const refusals = new Set([18, 19, 20, 25])

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  const code = Number((thrown as { errcode?: unknown })?.errcode) & 0xff
  if (refusals.has(code)) return new Failure('invalid_request', 'the journal refuses a record', { cause: thrown })
  return new Failure('unavailable', 'the audit journal cannot be used now', { cause: thrown, retryAfterSeconds: 1 })
}

const bound = (values: Value[]): Record<string, SQLInputValue> =>
  Object.fromEntries(values.map((value, n) => [`$${n + 1}`, Array.isArray(value) ? JSON.stringify(value) : value]))

const runOn = (database: DatabaseSync, sql: string, values: Value[]): Row[] =>
  database.prepare(sql).all(bound(values)) as Row[]

function insertRows(database: DatabaseSync, statement: StatementSync, rows: EventRow[]) {
  const [row] = runOn(database, `select max("index") as head from ${tables.events}`, [])
  let head = Number(row?.head ?? 0)
  const inserted = new Set<string>()
  for (const r of rows) {
    const searched = [r.subject, r.clientId, r.grantId, r.tokenFingerprint, r.outcome, r.actor]
    const { changes } = statement.run(head + 1, r.id, r.type, r.time, r.receivedAt, ...searched, r.bytes)
    if (changes === 0) continue
    head++
    inserted.add(r.id)
  }
  return { inserted, head }
}

/** The file and its folder, for their owner only: it tells of people. */
function make(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
}

const isBusy = (thrown: unknown): boolean => (Number((thrown as { errcode?: unknown })?.errcode) & 0xff) === 5

/** Waits for a writer of another process without holding up the event loop, as SQLite itself would. */
async function begin(database: DatabaseSync): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return database.exec('begin immediate')
    } catch (thrown) {
      if (!isBusy(thrown) || attempt === sqliteAttempts) throw thrown
    }
    await sleep(sqliteAttemptMs)
  }
}

class SqliteDatabase implements Database {
  readonly dialect = dialect
  readonly #writer: DatabaseSync
  /** A connection of its own: it shall not see what is not committed. */
  readonly #reader: DatabaseSync
  readonly #insert: () => StatementSync
  #lastWrite: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    make(path)
    this.#writer = new DatabaseSync(path, { timeout: sqliteBusyMs })
    this.#writer
      .exec(`pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -${sqliteCacheKibibytes};
      pragma wal_autocheckpoint = ${sqliteCheckpointPages}; pragma busy_timeout = 0; pragma secure_delete = on`)
    this.#reader = new DatabaseSync(path, { timeout: sqliteBusyMs, readOnly: true })
    const sql = `insert into ${tables.events} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null) on conflict (id) do nothing`
    let statement: StatementSync | undefined
    this.#insert = () => (statement ??= this.#writer.prepare(sql))
  }

  readonly read: Query = async (sql, values) => {
    await nextTurn() // a search is many statements: others get their turn between
    try {
      return runOn(this.#reader, sql, values)
    } catch (thrown) {
      throw failureOf(thrown)
    }
  }

  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const written = this.#lastWrite.then(() => this.#transact(work))
    this.#lastWrite = written.catch(() => undefined)
    return written
  }

  async #transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const writer = this.#writer
    try {
      await begin(writer)
      const result = await work({
        query: async (sql, values) => runOn(writer, sql, values),
        insert: async (rows) => insertRows(writer, this.#insert(), rows),
      })
      writer.exec('commit')
      return result
    } catch (thrown) {
      if (writer.isOpen && writer.isTransaction) writer.exec('rollback')
      throw failureOf(thrown)
    }
  }

  async close(): Promise<void> {
    await this.#lastWrite
    if (!this.#writer.isOpen) return
    this.#reader.close()
    this.#writer.close()
  }
}

/** Opens the file, making it when missing. @throws Failure `unavailable` when it cannot be used. */
export async function openSqliteDatabase(path: string): Promise<Database> {
  try {
    const database = new SqliteDatabase(path)
    await migrate(database)
    return database
  } catch (thrown) {
    const cause = thrown instanceof Failure ? thrown.cause : thrown
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('unavailable', `the audit journal ${path} cannot be opened: ${why}`, { cause })
  }
}

/** The journal in a file of its own. @throws Failure `unavailable` when it cannot be used. */
export const openSqliteJournal = async (path: string): Promise<Journal> => journalOn(await openSqliteDatabase(path))
