import type { Database, Dialect, Transaction } from './database.ts'

export const tables = {
  schema: 'countersign_audit_schema',
  events: 'countersign_audit_events',
  parked: 'countersign_audit_parked',
  minutes: 'countersign_audit_minutes',
  sequences: 'countersign_audit_sequences',
  holes: 'countersign_audit_holes',
  redactions: 'countersign_audit_redactions',
} as const

const searchedBy = ['subject', 'client_id', 'grant_id', 'token_fingerprint']

/**
 * `minutes` has the first and the last index of the events of each minute: a search by time needs no index of its own.
 */
const first = ({ integer, text, bytes, ordered }: Dialect): string[] => [
  `create table ${tables.events} ("index" ${integer} primary key, id ${text} not null unique, type ${text} not null,
     "time" ${integer} not null, received_at ${integer} not null, subject ${text}, client_id ${text}, grant_id ${text},
     token_fingerprint ${text}, outcome ${integer} not null, actor ${text}, bytes ${bytes} not null)`,
  `create index ${tables.events}_type on ${tables.events} (${ordered('type')})`,
  ...searchedBy.map(
    (column) =>
      `create index ${tables.events}_${column} on ${tables.events} (${ordered(column)}) where ${column} is not null`,
  ),
  `create table ${tables.parked} (digest ${text} primary key, subject ${text} not null, id ${text} not null,
     error ${text} not null, at ${integer} not null, bytes ${bytes} not null)`,
  `create index ${tables.parked}_id on ${tables.parked} (id)`,
  `create table ${tables.minutes} ("minute" ${integer} primary key, "first" ${integer} not null,
     "last" ${integer} not null)`,
  `create table ${tables.sequences} ("partition" ${integer} not null, epoch ${text} not null,
     highest ${integer} not null, primary key ("partition", epoch))`,
  `create table ${tables.holes} ("partition" ${integer} not null, epoch ${text} not null, "first" ${integer} not null,
     "last" ${integer} not null, since ${integer} not null, opened_by ${integer} not null,
     primary key ("partition", epoch, "first"))`,
]

/** Who acted is neither whom it concerns nor the client: few records, so that it is cheap to find them by the actor. */
export const isOfAnother = (table: string): string =>
  `${table}.actor is distinct from ${table}.subject and ${table}.actor is distinct from ${table}.client_id`

/** `redactions` has everybody who is forgotten: what is redacted up to `done` of what there was before, `up_to`. */
const second = ({ integer, text, ordered }: Dialect): string[] => [
  `alter table ${tables.events} add column redacted_at ${integer}`,
  `create index ${tables.events}_actor on ${tables.events} (${ordered('actor')})
     where actor is not null and ${isOfAnother(tables.events)}`,
  `create table ${tables.redactions} (subject ${text} primary key, done ${integer} not null, up_to ${integer} not null,
     records ${integer} not null, "first" ${integer}, "last" ${integer}, ended_at ${integer})`,
  `create index ${tables.redactions}_open on ${tables.redactions} (up_to, subject) where ended_at is null`,
]

/** Each brings the schema from the version before to its own; released ones are never changed. */
const versions: ((dialect: Dialect) => string[])[] = [first, second]

async function versionOf({ query }: Pick<Transaction, 'query'>, dialect: Dialect): Promise<number> {
  if ((await query(dialect.findTable, [tables.schema])).length === 0) return 0
  const [row] = await query(`select max(version) as version from ${tables.schema}`, [])
  return Number(row?.version ?? 0)
}

export const isUpToDate = async (transaction: Transaction, dialect: Dialect): Promise<boolean> =>
  (await versionOf(transaction, dialect)) >= versions.length

/**
 * Brings the schema up to date, whatever it is now; several processes may do so at once. A newer one is left as it is.
 */
export async function migrate(database: Pick<Database, 'dialect' | 'write'>): Promise<void> {
  const { dialect } = database
  await database.write(async (transaction) => {
    const version = await versionOf(transaction, dialect)
    if (version >= versions.length) return
    if (version === 0)
      await transaction.query(`create table ${tables.schema} (version ${dialect.integer} primary key)`, [])
    for (const statement of versions.slice(version).flatMap((statements) => statements(dialect)))
      await transaction.query(statement, [])
    await transaction.query(`insert into ${tables.schema} (version) values ($1)`, [versions.length])
  })
}
