import { Failure } from '@countersign/contracts'
import pg from 'pg'
import {
  postgresConnectMs,
  postgresMigrationMs,
  postgresReaders,
  postgresSilenceMs,
  postgresStatementMs,
  postgresWriters,
} from '../limits.ts'
import type { Database, Dialect, EventRow, Query, Row, Transaction, Value } from './database.ts'
import type { JournalTls } from './open.ts'
import type { Journal } from './port.ts'
import { journalOn } from './relational.ts'
import { isUpToDate, migrate, tables } from './schema.ts'

const dialect: Dialect = {
  integer: 'bigint',
  text: 'text collate "C"',
  bytes: 'bytea',
  ordered: (column) => `${column}, "index"`,
  // Not an equality: the planner would think that walking down the primary key finds some soon, which may be never.
  within: (column, value, low, high) =>
    `e.${column} is not null and (e.${column}, e."index") between (${value}, ${low}) and (${value}, ${high})`,
  isIn: (column, place) => `${column} = any(${place}::text[])`,
  findTable: 'select name from to_regclass($1) as name where name is not null',
}

/**
 * One transaction at a time among all processes: the index has no holes because nobody else appends between the look at
 * the highest index and the commit. The lock goes with the transaction, so that a lost connection frees it; it comes
 * before the first snapshot, which is why the isolation is `read committed`, whatever the server's default. A server
 * set up to answer before the disk has it is overruled.
 */
const begin = `begin isolation level read committed;
  select pg_advisory_xact_lock(hashtext('${tables.events}'));
  select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`

/**
 * All rows in one statement and one answer: the ids come back only when some were there already. The bytes of all
 * events are one value that is cut up there, which costs less than an array of them.
 */
const insertSql = `with added as (
  insert into ${tables.events}
  select head.size + row_number() over (order by place), u.id, u.type, u."time", u.received_at, u.subject, u.client_id,
    u.grant_id, u.token_fingerprint, u.outcome, u.actor, substring($1::bytea from u.start for u.length)
  from unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::bigint[], $13::text[]) with ordinality
    as u(start, length, id, type, "time", received_at, subject, client_id, grant_id, token_fingerprint, outcome, actor,
      place)
  cross join (select coalesce(max("index"), 0) as size from ${tables.events}) as head
  where not exists (select 1 from ${tables.events} e where e.id = u.id)
  order by place
  returning "index", id)
  select coalesce(max("index"), (select max("index") from ${tables.events}), 0) as head,
    case when count(*) < $14::int then coalesce(array_agg(id), '{}') end as ids from added`

const numbers = (list: number[]): string => `{${list.join(',')}}`

/** An array literal; most texts need no escaping, and looking once is cheaper than looking at each. */
function texts(list: (string | null)[]): string {
  const isPlain = !/["\\]/.test(list.join(''))
  const quoted = (text: string) => `"${isPlain ? text : text.replace(/["\\]/g, '\\$&')}"`
  return `{${list.map((text) => (text === null ? 'null' : quoted(text))).join(',')}}`
}

function insertValues(rows: EventRow[]): Value[] {
  const starts: number[] = []
  let start = 1
  for (const { bytes } of rows) {
    starts.push(start)
    start += bytes.length
  }
  return [
    Buffer.concat(rows.map(({ bytes }) => bytes)),
    numbers(starts),
    numbers(rows.map(({ bytes }) => bytes.length)),
    texts(rows.map(({ id }) => id)),
    texts(rows.map(({ type }) => type)),
    numbers(rows.map(({ time }) => time)),
    numbers(rows.map(({ receivedAt }) => receivedAt)),
    texts(rows.map(({ subject }) => subject)),
    texts(rows.map(({ clientId }) => clientId)),
    texts(rows.map(({ grantId }) => grantId)),
    texts(rows.map(({ tokenFingerprint }) => tokenFingerprint)),
    numbers(rows.map(({ outcome }) => outcome)),
    texts(rows.map(({ actor }) => actor)),
    rows.length,
  ]
}

/** Classes of SQLSTATE that speak of the values given: data exception, constraint violation, program limit exceeded. */
const refusals = new Set(['22', '23', '54'])

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  const state = thrown instanceof pg.DatabaseError ? (thrown.code ?? '') : ''
  if (refusals.has(state.slice(0, 2)))
    return new Failure('invalid_request', 'the journal refuses a record', { cause: thrown })
  return new Failure('unavailable', 'the audit journal cannot be reached now', { cause: thrown, retryAfterSeconds: 1 })
}

/** int8 as a number: no index and no time here is beyond 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)),
}

/** Every read is answered by an index in order; without statistics, the planner would rather read it all and sort. */
const readInOrder =
  'set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off'

interface PoolTerms {
  max: number
  /** Run on every new connection. */
  setup?: string
  /** Milliseconds for one statement: on the server, and here when the server is silent. */
  statementMs?: number
  silenceMs?: number
}

function poolOf({ url, tls }: Server, terms: PoolTerms): pg.Pool {
  const { max, setup, statementMs = postgresStatementMs, silenceMs = postgresSilenceMs } = terms
  const pool = new pg.Pool({
    connectionString: url,
    ...(tls && { ssl: { ...tls, rejectUnauthorized: true } }),
    application_name: 'countersign-audit',
    max,
    types,
    keepAlive: true,
    connectionTimeoutMillis: postgresConnectMs,
    statement_timeout: statementMs,
    query_timeout: silenceMs,
    idle_in_transaction_session_timeout: postgresStatementMs,
    ...(setup === undefined ? {} : { onConnect: async (client) => void (await client.query(setup)) }),
  })
  // A connection that breaks says so to whoever waits on it; with nobody waiting, the next one gets a new connection.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

interface Server {
  url: string
  tls: JournalTls | undefined
}

class PostgresDatabase implements Database {
  readonly dialect = dialect
  readonly #server: Server
  readonly #writers: pg.Pool
  readonly #readers: pg.Pool
  #migrated: Promise<void> | undefined

  constructor(server: Server) {
    this.#server = server
    this.#writers = poolOf(server, { max: postgresWriters })
    this.#readers = poolOf(server, { max: postgresReaders, setup: readInOrder })
  }

  /** The schema is made at the first use: the server may be down when the service starts. */
  #ready(): Promise<void> {
    return (this.#migrated ??= migrateOn(this.#server, this.#writers).catch((thrown: unknown) => {
      this.#migrated = undefined
      throw thrown
    }))
  }

  readonly read: Query = async (sql, values) => {
    await this.#ready()
    try {
      return (await this.#readers.query<Row>(sql, values)).rows
    } catch (thrown) {
      throw failureOf(thrown)
    }
  }

  async write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    await this.#ready()
    return transact(this.#writers, work)
  }

  async close(): Promise<void> {
    await Promise.all([this.#writers, this.#readers].map((pool) => (pool.ending ? undefined : pool.end())))
  }
}

async function transact<T>(writers: pg.Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  let client: pg.PoolClient | undefined
  try {
    client = await writers.connect()
    const result = await workIn(client, work)
    client.release()
    return result
  } catch (thrown) {
    client?.release(true) // with whatever state it is in, and its transaction
    throw failureOf(thrown)
  }
}

/** A schema that is behind may take long to bring up to date; only to look whether it is must not. */
async function migrateOn(server: Server, writers: pg.Pool): Promise<void> {
  if (await transact(writers, (transaction) => isUpToDate(transaction, dialect))) return
  const patient = { max: 1, statementMs: postgresMigrationMs, silenceMs: postgresMigrationMs }
  const migrators = poolOf(server, patient)
  try {
    await migrate({ dialect, write: (work) => transact(migrators, work) })
  } finally {
    await migrators.end()
  }
}

async function workIn<T>(client: pg.PoolClient, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const query: Query = async (sql, values) => (await client.query<Row>(sql, values)).rows
  await client.query(begin)
  const result = await work({
    query,
    async insert(rows) {
      const [answer] = await query(insertSql, insertValues(rows))
      const ids = (answer?.ids as string[] | null) ?? rows.map(({ id }) => id)
      return { inserted: new Set(ids), head: Number(answer?.head ?? 0) }
    },
  })
  await client.query('commit')
  return result
}

const isLocal = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[?::1\]?|\/.*)$/.test(host)
/** pg verifies the server's certificate in each of these, unless told to do as libpq does. */
const isVerified = (parameters: URLSearchParams): boolean =>
  parameters.get('sslmode') === 'verify-full' ||
  (/^(require|verify-ca)$/.test(parameters.get('sslmode') ?? '') && !parameters.has('uselibpqcompat'))

/**
 * The journal in PostgreSQL 12 or later. Does not connect yet: while the server is away every call fails `unavailable`,
 * and the journal recovers by itself.
 * @throws Failure `invalid_request` when the URL is none, or would carry the journal in the clear beyond loopback.
 */
export function openPostgresJournal(url: string, allowPlaintext: boolean, tls?: JournalTls): Journal {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new Failure('invalid_request', 'audit.url is not a URL: postgres://user:password@host:5432/database')
  }
  const host = parsed.searchParams.get('host') ?? parsed.hostname
  if (!tls && !isVerified(parsed.searchParams) && !isLocal(host) && !allowPlaintext)
    throw new Failure(
      'invalid_request',
      'audit.url needs sslmode=verify-full, or audit.tls: the journal would cross the network in the clear',
    )
  // In the URL it would overrule what is given here.
  if (tls) parsed.searchParams.delete('sslmode')
  return journalOn(new PostgresDatabase({ url: tls ? parsed.href : url, tls }))
}
