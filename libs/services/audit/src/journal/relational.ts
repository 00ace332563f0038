import { Failure, parseRevision } from '@countersign/contracts'
import { createHash } from 'node:crypto'
import { maxAppendRecords, maxGapsListed, maxHeldIds, maxParkedTextCharacters } from '../limits.ts'
import { type Database, type EventRow, type Query, type Value, Values } from './database.ts'
import type { Gap, Journal, JournalRecord, ParkedMessage } from './port.ts'
import { tables } from './schema.ts'
import { entryOf, headOf, searchIn } from './search.ts'
import { arrive, type Hole } from './sequence.ts'

/** PostgreSQL's text has no NUL. */
const textOf = (text: string): string => text.replaceAll('\0', '\ufffd')
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
const listed = (rows: Value[][], { add }: Values): string =>
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

const holeOf = (row: Record<string, unknown>): Hole => ({
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
async function noteMinutes(query: Query, rows: EventRow[], firstIndex: number): Promise<void> {
  const minutes = new Map<number, { first: number; last: number }>()
  for (const [n, { time }] of rows.entries()) {
    const minute = Math.floor(time / 60_000)
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

async function append(database: Database, records: JournalRecord[]): Promise<{ appended: number; head: number }> {
  if (records.length > maxAppendRecords) throw new Failure('internal', `at most ${maxAppendRecords} records at once`)
  const seen = new Set<string>()
  const once = records.filter(({ event }) => !seen.has(event.id) && seen.add(event.id))
  return database.write(async ({ query, insert }) => {
    const rows = once.map(rowOf)
    const { inserted, head } = await insert(rows)
    const added = rows.filter(({ id }) => inserted.has(id))
    if (added.length === 0) return { appended: 0, head }
    await noteMinutes(query, added, head - added.length + 1)
    await noteSequences(query, arrivalsOf(once.filter(({ event }) => inserted.has(event.id))))
    return { appended: added.length, head }
  })
}

const digestOf = ({ subject, id, bytes }: ParkedMessage): string =>
  createHash('sha256')
    .update(JSON.stringify([subject, id]))
    .update(bytes)
    .digest('base64url')

async function park(database: Database, message: ParkedMessage): Promise<boolean> {
  const [subject, id, error] = [message.subject, message.id, message.error].map((text) =>
    textOf(text.slice(0, maxParkedTextCharacters).toWellFormed()),
  )
  const sql = `insert into ${tables.parked} (digest, subject, id, error, at, bytes) values ($1, $2, $3, $4, $5, $6)
    on conflict (digest) do nothing returning digest`
  const values = [digestOf(message), subject!, id!, error!, message.at, message.bytes]
  return database.write(async ({ query }) => (await query(sql, values)).length === 1)
}

async function held({ read, dialect }: Database, ids: string[]): Promise<string[]> {
  if (ids.length > maxHeldIds) throw new Failure('invalid_request', `at most ${maxHeldIds} ids at once`)
  if (ids.length === 0) return []
  const some = dialect.idIn('$1')
  const sql = `select id from ${tables.events} where ${some} union select id from ${tables.parked} where ${some}`
  return (await read(sql, [ids.map(textOf)])).map((row) => row.id as string)
}

async function gaps(read: Query): Promise<Gap[]> {
  const sql = `select * from ${tables.holes} order by since, "partition", epoch, "first" limit ${maxGapsListed}`
  const rows = await read(sql, [])
  return rows.map((row) => ({ partition: Number(row.partition), epoch: row.epoch as string, ...holeOf(row) }))
}

/** The journal on a database of SQL. */
export const journalOn = (database: Database): Journal => ({
  append: (records) => append(database, records),
  park: (message) => park(database, message),
  held: (ids) => held(database, ids),
  search: (filter, page) => searchIn(database, filter, page),
  async after(index, limit) {
    const sql = `select "index", received_at, bytes from ${tables.events} where "index" > $1 order by "index" limit $2`
    return (await database.read(sql, [index, limit])).map(entryOf)
  },
  head: () => headOf(database.read),
  gaps: () => gaps(database.read),
  close: () => database.close(),
})
