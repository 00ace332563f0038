import pg from 'pg'
import type { Config } from '@countersign/chassis/config'
import { limits } from '../limits.ts'
import { compareClocks } from './clock.ts'
import { fail, ok, warn, type Check, type Finding } from './finding.ts'
import { inspectFile } from './sqlite-file.ts'
import { readTls } from './tls.ts'

const check = 'audit'
const table = 'countersign_audit_events'

export const journal: Check = {
  name: check,
  mend: 'see that PostgreSQL runs, and that audit.url and its password are right; events wait in the store until then',
  async run({ loaded: { config }, now, signal }) {
    const { url } = config.audit
    if (url.startsWith('sqlite:'))
      return inspectFile(check, url.slice('sqlite:'.length), `select 1 from ${table} limit 1`)
    const client = new pg.Client(optionsFor(config.audit))
    // What goes wrong is told by the query that waits for it.
    client.on('error', () => undefined)
    const cut = () => void client.end()
    signal.addEventListener('abort', cut, { once: true })
    try {
      await client.connect()
      return [...(await inspectDatabase(client)), await compareClocks('PostgreSQL', now, () => timeOf(client))]
    } finally {
      signal.removeEventListener('abort', cut)
      await client.end()
    }
  },
}

function optionsFor({ url, tls }: Config['audit']): pg.ClientConfig {
  const limitMs = limits.checkMs / 2
  return {
    connectionString: url,
    application_name: 'countersign-doctor',
    connectionTimeoutMillis: limitMs,
    query_timeout: limitMs,
    ...(tls !== undefined && { ssl: readTls(tls)! }),
  }
}

const timeOf = async (client: pg.Client): Promise<number> => {
  const { rows } = await client.query<{ ms: string }>('select extract(epoch from clock_timestamp()) * 1000 as ms')
  return Number(rows[0]!.ms)
}

const question = `select current_setting('server_version') as version, current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes, current_setting('synchronous_commit') as synchronous_commit,
  pg_is_in_recovery() as standby, current_setting('transaction_read_only') as read_only,
  has_schema_privilege(coalesce(current_schema(), 'public'), 'create') as may_create,
  to_regclass('${table}') is not null as made,
  case when to_regclass('${table}') is null then null else has_table_privilege('${table}', 'insert, select') end as may_insert`

interface Answer {
  version: string
  fsync: string
  full_page_writes: string
  synchronous_commit: string
  standby: boolean
  read_only: string
  may_create: boolean
  made: boolean
  may_insert: boolean | null
}

async function inspectDatabase(client: pg.Client): Promise<Finding[]> {
  const [answer] = (await client.query<Answer>(question)).rows
  return [...describeAccess(answer!), ...describeDurability(answer!)]
}

function describeAccess({ version, standby, read_only, may_create, made, may_insert }: Answer): Finding[] {
  const server = `PostgreSQL ${version}`
  if (standby || read_only === 'on')
    return [fail(check, `${server} is read-only`, 'give the address of the primary in audit.url')]
  if (!made && !may_create)
    return [fail(check, `${server}: no tables may be made`, 'grant create on schema public to this user')]
  if (!made) return [ok(check, `${server}: the journal is not there yet: the first start makes it`)]
  if (may_insert === false)
    return [fail(check, `${server}: the journal may not be written`, `grant select, insert on ${table} to this user`)]
  return [ok(check, `${server}: the journal can be read and written`)]
}

function describeDurability({ fsync, full_page_writes, synchronous_commit }: Answer): Finding[] {
  const found: Finding[] = []
  for (const [name, value] of Object.entries({ fsync, full_page_writes })) {
    if (value === 'on') continue
    found.push(
      fail(
        check,
        `${name} is ${value}: a crash may destroy the journal`,
        `alter system set ${name} = on; select pg_reload_conf()`,
      ),
    )
  }
  // The journal overrules it, for its own transactions.
  if (synchronous_commit === 'off')
    found.push(warn(check, 'synchronous_commit is off; the journal turns it on for itself'))
  return found
}
