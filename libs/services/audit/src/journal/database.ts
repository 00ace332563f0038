export type Value = string | number | null | Uint8Array | string[]
export type Row = Record<string, unknown>

/** Runs one statement, whose places are `$1`, `$2`, …, each used. */
export type Query = (sql: string, values: Value[]) => Promise<Row[]>

/** What is searched by; null where the event has none. */
export interface EventRow {
  id: string
  type: string
  time: number
  receivedAt: number
  subject: string | null
  clientId: string | null
  grantId: string | null
  tokenFingerprint: string | null
  outcome: number
  actor: string | null
  bytes: Uint8Array
}

export interface Transaction {
  query: Query
  /**
   * Inserts the rows whose id is not there yet, at the indexes behind the highest one, in the order given.
   * Gives those inserted, and the highest index now.
   */
  insert(rows: EventRow[]): Promise<{ inserted: Set<string>; head: number }>
}

/** Where the two databases speak differently. */
export interface Dialect {
  integer: string
  text: string
  bytes: string
  /** The columns of an index that gives one value's records in the order of their index. */
  ordered(column: string): string
  /** The condition for these records, between two indexes; ordered by column and index, that very index answers it. */
  within(column: string, value: string, low: string, high: string): string
  /** The column's value is one of the list at this place. */
  isIn(column: string, place: string): string
  /** Gives a row when the table of this name, `$1`, is there. */
  findTable: string
}

/** One of the two databases under the journal. Everything it throws is a Failure. */
export interface Database {
  dialect: Dialect
  /** Sees what is committed. */
  read: Query
  /** One transaction: all of it or nothing, one at a time among all processes that use the database. */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** A list of values under construction: gives each its place. */
export class Values {
  readonly list: Value[] = []
  readonly add = (value: Value): string => `$${this.list.push(value)}`
}
