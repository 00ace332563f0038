import { Failure } from '@countersign/contracts'
import { createHash } from 'node:crypto'
import { maxGapsListed, maxHeldIds, maxParkedTextCharacters } from '../limits.ts'
import { append, holeOf, textOf } from './append.ts'
import type { Database, Query } from './database.ts'
import { forget } from './forget.ts'
import type { Gap, Journal, ParkedMessage } from './port.ts'
import { tables } from './schema.ts'
import { entryColumns, entryOf, headOf, searchIn } from './search.ts'

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
  const some = dialect.isIn('id', '$1')
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
  forget: (at) => forget(database, at),
  park: (message) => park(database, message),
  held: (ids) => held(database, ids),
  search: (filter, page) => searchIn(database, filter, page),
  async after(index, limit) {
    const sql = `select ${entryColumns} from ${tables.events} e where e."index" > $1 order by e."index" limit $2`
    return (await database.read(sql, [index, limit])).map(entryOf)
  },
  head: () => headOf(database.read),
  gaps: () => gaps(database.read),
  close: () => database.close(),
})
