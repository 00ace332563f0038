import { Failure, parseRevision, type Millis } from '@countersign/contracts'
import { maxAppendRecords } from '../limits.ts'
import {
  type Database,
  type Dialect,
  type EventRow,
  type Query,
  type Transaction,
  type Value,
  Values,
} from './database.ts'
import { peopleOf, redactedRecord } from './personal.ts'
import type { JournalRecord } from './port.ts'
import { tables } from './schema.ts'
import { arrive, type Hole } from './sequence.ts'

/** PostgreSQL's text has no NUL. */
export const textOf = (text: string): string => text.replaceAll('\0', '\ufffd')
const orNull = (text: string | undefined): string | null => (text ? textOf(text) : null)

const rowOf = ({ event, bytes, receivedAt }: JournalRecord): EventRow => ({
  id: event.id,
  type: event.type,
  time: event.time,
  receivedAt,
  subject: orNull(event.subject),
  clientId: orNull(event.clientId),
  grantId: orNull(event.grantId),
  tokenFingerprint: orNull(event.tokenFingerprint),
  outcome: event.outcome,
  actor: orNull(event.actor?.id),
  bytes,
})

/** SQLite takes 32,766 values in one statement. */
const rowsPerStatement = 1_000

/** `($1, $2), ($3, $4)` for the rows. */
export const listed = (rows: Value[][], { add }: Values): string =>
  rows.map((row) => `(${row.map(add).join(', ')})`).join(', ')

/** The sequence numbers of one partition and epoch in a batch. */
interface Arrivals {
  partition: number
  epoch: string
  sequences: number[]
  at: number
}

function arrivalsOf(records: JournalRecord[]): Arrivals[] {
  const groups = new Map<string, Arrivals>()
  for (const { event, receivedAt } of records) {
    const position = parseRevision(event.revision)
    if (!position || event.sequence < 1) continue
    const { partition, epoch } = position
    const key = `${partition}:${epoch}`
    const group = groups.get(key) ?? { partition, epoch, sequences: [], at: receivedAt }
    group.sequences.push(event.sequence)
    groups.set(key, group)
  }
  return [...groups.values()]
}

export const holeOf = (row: Record<string, unknown>): Hole => ({
  first: Number(row.first),
  last: Number(row.last),
  since: Number(row.since),
  openedBy: Number(row.opened_by),
})

async function noteSequences(query: Query, groups: Arrivals[]): Promise<void> {
  if (groups.length === 0) return
  const known = new Values()
  const named = groups.map((g) => `("partition" = ${known.add(g.partition)} and epoch = ${known.add(g.epoch)})`)
  const rows = await query(
    `select "partition", epoch, highest from ${tables.sequences} where ${named.join(' or ')}`,
    known.list,
  )
  const highest = new Map(rows.map((row) => [`${row.partition}:${row.epoch}`, Number(row.highest)]))
  const upserts: Value[][] = []
  for (const group of groups) {
    const before = highest.get(`${group.partition}:${group.epoch}`) ?? 0
    upserts.push([group.partition, group.epoch, await noteArrivals(query, group, before)])
  }
  const values = new Values()
  const sql = `insert into ${tables.sequences} ("partition", epoch, highest) values ${listed(upserts, values)}
    on conflict ("partition", epoch) do update set highest = excluded.highest`
  await query(sql, values.list)
}

/** Keeps the holes of one partition's sequence up to date; gives the highest number seen. */
async function noteArrivals(query: Query, group: Arrivals, highest: number): Promise<number> {
  const { partition, epoch, sequences, at } = group
  const lowest = sequences.reduce((least, sequence) => Math.min(least, sequence))
  const most = sequences.reduce((greatest, sequence) => Math.max(greatest, sequence))
  const inside = `"partition" = $1 and epoch = $2 and "last" >= $3 and "first" <= $4`
  const place = [partition, epoch, lowest, most]
  const late = lowest <= highest
  const rows = late ? await query(`select * from ${tables.holes} where ${inside}`, place) : []
  const before = rows.map(holeOf)
  const after = arrive({ highest, holes: before }, sequences, at)
  if (before.length > 0) await query(`delete from ${tables.holes} where ${inside}`, place)
  const holes = after.holes.map((hole) => [partition, epoch, hole.first, hole.last, hole.since, hole.openedBy])
  for (let n = 0; n < holes.length; n += rowsPerStatement) {
    const values = new Values()
    const list = listed(holes.slice(n, n + rowsPerStatement), values)
    const columns = '("partition", epoch, "first", "last", since, opened_by)'
    await query(`insert into ${tables.holes} ${columns} values ${list}`, values.list)
  }
  return after.highest
}

/** Keeps the first and the last index of each minute; the indexes given are beyond all before. */
async function noteMinutes(query: Query, records: JournalRecord[], firstIndex: number): Promise<void> {
  const minutes = new Map<number, { first: number; last: number }>()
  for (const [n, { event }] of records.entries()) {
    const minute = Math.floor(event.time / 60_000)
    const seen = minutes.get(minute)
    if (seen) seen.last = firstIndex + n
    else minutes.set(minute, { first: firstIndex + n, last: firstIndex + n })
  }
  const values = new Values()
  const list = listed(
    [...minutes].map(([minute, { first, last }]) => [minute, first, last]),
    values,
  )
  const sql = `insert into ${tables.minutes} ("minute", "first", "last") values ${list}
    on conflict ("minute") do update set "last" = excluded."last"`
  await query(sql, values.list)
}

const deletedBy = ({ event }: JournalRecord): string => (event.type === 'account.deleted' ? textOf(event.subject) : '')

/** Those of the people in these records who are forgotten already, or by one of these. */
async function forgottenAmong(query: Query, { isIn }: Dialect, records: JournalRecord[]): Promise<Set<string>> {
  const people = [...new Set(records.flatMap(({ event }) => peopleOf(event)).map(textOf))]
  if (people.length === 0) return new Set()
  const rows = await query(`select subject from ${tables.redactions} where ${isIn('subject', '$1')}`, [people])
  const deleted = records.map(deletedBy).filter((subject) => subject !== '')
  return new Set([...rows.map((row) => row.subject as string), ...deleted])
}

/** Marks what came redacted, and notes who is to be forgotten in what there is up to now. */
async function noteForgotten(
  { query, dialect }: { query: Query; dialect: Dialect },
  { added, redacted, head }: { added: JournalRecord[]; redacted: Set<string>; head: number },
  at: Millis,
): Promise<void> {
  const marked = added.map(({ event }) => event.id).filter((id) => redacted.has(id))
  if (marked.length > 0)
    await query(`update ${tables.events} set redacted_at = $1 where ${dialect.isIn('id', '$2')}`, [at, marked])
  const deleted = [...new Set(added.map(deletedBy))].filter((subject) => subject !== '')
  if (deleted.length === 0) return
  const values = new Values()
  const list = listed(
    deleted.map((subject) => [subject, 0, head, 0]),
    values,
  )
  const sql = `insert into ${tables.redactions} (subject, done, up_to, records) values ${list}
    on conflict (subject) do nothing`
  await query(sql, values.list)
}

export interface Appended {
  appended: number
  head: number
}

/** Appends within a transaction: see the port. */
export async function appendIn(
  { query, insert }: Transaction,
  dialect: Dialect,
  records: JournalRecord[],
): Promise<Appended> {
  const seen = new Set<string>()
  const once = records.filter(({ event }) => !seen.has(event.id) && seen.add(event.id))
  const forgotten = await forgottenAmong(query, dialect, once)
  const redacted = new Set<string>()
  const rows = once.map((record) => {
    const without = redactedRecord(record, (id) => forgotten.has(textOf(id)))
    if (without) redacted.add(record.event.id)
    return rowOf(without ?? record)
  })
  const { inserted, head } = await insert(rows)
  const added = once.filter(({ event }) => inserted.has(event.id))
  if (added.length === 0) return { appended: 0, head }
  await noteMinutes(query, added, head - added.length + 1)
  await noteSequences(query, arrivalsOf(added))
  if (forgotten.size > 0) await noteForgotten({ query, dialect }, { added, redacted, head }, added[0]!.receivedAt)
  return { appended: added.length, head }
}

export async function append(database: Database, records: JournalRecord[]): Promise<Appended> {
  if (records.length > maxAppendRecords) throw new Failure('internal', `at most ${maxAppendRecords} records at once`)
  return database.write((transaction) => appendIn(transaction, database.dialect, records))
}
