import type { Millis } from '@countersign/contracts'
import { redactionBatchRecords } from '../limits.ts'
import { redactionRecord, type Redacted } from '../own-events.ts'
import { appendIn, textOf } from './append.ts'
import { type Database, type Query, type Row, Values } from './database.ts'
import { redactedRecord } from './personal.ts'
import type { Forgotten, JournalEntry } from './port.ts'
import { isOfAnother, tables } from './schema.ts'
import { entryColumns, entryOf } from './search.ts'

/** Somebody who is to be forgotten in what there is up to an index, and how far it is done. */
interface Redaction extends Redacted {
  done: number
  upTo: number
}

const orUndefined = (value: unknown): number | undefined => (value === null ? undefined : Number(value))

/**
 * Always in the same order, and the next one only when one has ended: so nobody writes a record back as it was before
 * another took something out of it.
 */
async function nextOf(read: Query): Promise<Redaction | undefined> {
  const sql = `select * from ${tables.redactions} where ended_at is null order by up_to, subject limit 1`
  const [row] = await read(sql, [])
  return (
    row && {
      subject: row.subject as string,
      done: Number(row.done),
      upTo: Number(row.up_to),
      records: Number(row.records),
      first: orUndefined(row.first),
      last: orUndefined(row.last),
    }
  )
}

/** The next records that concern somebody, or in which they acted. */
async function nextRows({ read, dialect }: Database, { subject, done, upTo }: Redaction): Promise<Row[]> {
  const values = new Values()
  const [value, low, high] = [subject, done + 1, upTo].map(values.add) as [string, string, string]
  const limit = values.add(redactionBatchRecords)
  const of = (column: string, condition: string): string =>
    `select ${entryColumns} from ${tables.events} e where ${dialect.within(column, value, low, high)} ${condition}
      order by e.${column}, e."index" limit ${limit}`
  const sql = `select * from (select * from (${of('subject', '')}) as s union all
    select * from (${of('actor', `and ${isOfAnother('e')}`)}) as a) as e
    order by "index" limit ${limit}`
  return read(sql, values.list)
}

/** Undefined for what is no event any more: it is named to whoever reads it, and holds up nobody here. */
function readable(row: Row): JournalEntry | undefined {
  try {
    return entryOf(row)
  } catch {
    return undefined
  }
}

/** False when another process did it. */
async function advance(query: Query, before: Redaction, after: Redaction, endedAt: Millis | null): Promise<boolean> {
  const sql = `update ${tables.redactions} set done = $1, records = $2, "first" = $3, "last" = $4, ended_at = $5
    where subject = $6 and done = $7 and ended_at is null returning subject`
  const now = [after.done, after.records, after.first ?? null, after.last ?? null, endedAt]
  return (await query(sql, [...now, before.subject, before.done])).length === 1
}

async function overwrite(query: Query, { integer, bytes }: Database['dialect'], entries: JournalEntry[], at: Millis) {
  if (entries.length === 0) return
  const values = new Values()
  const time = values.add(at)
  const list = entries.map(
    (e) => `(cast(${values.add(e.index)} as ${integer}), cast(${values.add(e.bytes)} as ${bytes}))`,
  )
  const sql = `with without("index", bytes) as (values ${list.join(', ')})
    update ${tables.events} set bytes = without.bytes, redacted_at = ${time} from without
    where ${tables.events}."index" = without."index"`
  await query(sql, values.list)
}

/** See the port. What is looked at is read before the transaction, which holds up whoever appends. */
export async function forget(database: Database, at: Millis): Promise<Forgotten | undefined> {
  const before = await nextOf(database.read)
  if (!before) return undefined
  const { subject } = before
  const rows = await nextRows(database, before)
  const entries = rows.map(readable).filter((entry) => entry !== undefined)
  const changed = entries.flatMap((entry) => {
    const without = redactedRecord(entry, (id) => textOf(id) === subject)
    return without ? [{ ...entry, ...without }] : []
  })
  const fresh = new Set(changed.map(({ index }) => index))
  const redacted = entries.filter(({ index, redactedAt }) => redactedAt !== undefined || fresh.has(index))
  const isLast = rows.length < redactionBatchRecords
  const after: Redaction = {
    ...before,
    done: isLast ? before.upTo : Number(rows.at(-1)!.index),
    records: before.records + redacted.length,
    first: before.first ?? redacted[0]?.index,
    last: redacted.at(-1)?.index ?? before.last,
  }
  return database.write(async (transaction) => {
    if (!(await advance(transaction.query, before, after, isLast ? at : null))) return { subject, redacted: 0 }
    await overwrite(transaction.query, database.dialect, changed, at)
    if (!isLast) return { subject, redacted: changed.length }
    const { head } = await appendIn(transaction, database.dialect, [redactionRecord(after, at)])
    return { subject, redacted: changed.length, head }
  })
}
