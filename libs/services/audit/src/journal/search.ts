import { decodeEvent, Failure } from '@countersign/contracts'
import { candidatesPerStep, maxSearchSteps } from '../limits.ts'
import { type Database, type Query, type Row, Values } from './database.ts'
import type { EventFilter, FoundEntries, JournalEntry, SearchPage } from './port.ts'
import { tables } from './schema.ts'

type Add = Values['add']
/** Writes a condition on `e`, the events. */
type Condition = (add: Add) => string

/** The records with this value, given in order by an index; or every record. */
type Branch = 'all' | { column: string; value: string }

interface Plan {
  /** Candidates are what one of these gives. */
  branches: Branch[]
  /** What candidates must meet besides. */
  rest: Condition[]
}

/** How many records one statement looks at, and how many statements one search may make. */
export interface SearchBounds {
  candidatesPerStep: number
  maxSearchSteps: number
}

interface Search extends Pick<Database, 'read' | 'dialect'> {
  order: SearchPage['order']
  /** What still has to be looked at. */
  span: Span
}

/** The index bounds that still have to be looked at, both included. */
interface Span {
  low: number
  high: number
}

const asText = (text: string): string => text.replaceAll('\0', '\ufffd')
const equals =
  (column: string, value: string | number | undefined): Condition =>
  (add) =>
    `e.${column} = ${add(typeof value === 'string' ? asText(value) : value!)}`
const either =
  (conditions: Condition[]): Condition =>
  (add) =>
    `(${conditions.map((condition) => condition(add)).join(' or ')})`

/** `token.*` is everything from `token.` to before `token/`, the next character. */
const prefixBounds = (pattern: string): [string, string] => [pattern.slice(0, -1), `${pattern.slice(0, -2)}/`]

const typeCondition = (pattern: string): Condition => {
  if (!pattern.endsWith('.*')) return equals('type', pattern)
  const [from, to] = prefixBounds(pattern)
  return (add) => `(e.type >= ${add(from)} and e.type < ${add(to)})`
}

/** The types in the journal that begin so: one look at the index per type. */
async function typesLike(read: Query, pattern: string): Promise<string[]> {
  if (!pattern.endsWith('.*')) return [pattern]
  const sql = `with recursive found(type) as (
      select min(type) from ${tables.events} where type >= $1 and type < $2
      union all
      select (select min(e.type) from ${tables.events} e where e.type > found.type and e.type < $2)
      from found where found.type is not null)
    select type from found where type is not null`
  return (await read(sql, prefixBounds(pattern))).map((row) => row.type as string)
}

async function planOf(read: Query, filter: EventFilter): Promise<Plan> {
  const { types, from, to } = filter
  const indexed: [string, string | undefined][] = [
    ['token_fingerprint', filter.tokenFingerprint],
    ['grant_id', filter.grantId],
    ['subject', filter.subject],
    ['client_id', filter.clientId],
  ]
  const [best, ...others] = indexed.filter(([, value]) => value !== undefined)
  const rest = others.map(([column, value]) => equals(column, value))
  if (filter.actor !== undefined) rest.push(equals('actor', filter.actor))
  if (filter.outcome !== undefined) rest.push(equals('outcome', filter.outcome))
  if (from !== undefined) rest.push((add) => `e."time" >= ${add(from)}`)
  if (to !== undefined) rest.push((add) => `e."time" < ${add(to)}`)
  if (best) {
    if (types) rest.push(either(types.map(typeCondition)))
    return { branches: [{ column: best[0], value: asText(best[1]!) }], rest }
  }
  if (!types) return { branches: ['all'], rest }
  const exact = new Set<string>()
  for (const pattern of types) for (const type of await typesLike(read, pattern)) exact.add(type)
  return { branches: [...exact].map((value) => ({ column: 'type', value })), rest }
}

export async function headOf(read: Query): Promise<number> {
  const [row] = await read(`select max("index") as head from ${tables.events}`, [])
  return Number(row?.head ?? 0)
}

/** Ends at the head at the latest: what is appended while the search goes on would shift what its steps look at. */
async function spanOf(read: Query, { from, to }: EventFilter, page: SearchPage): Promise<Span> {
  const { order, after } = page
  const upTo = page.upTo ?? (await headOf(read))
  const span = { low: 1, high: upTo }
  if (after !== undefined && order === 'asc') span.low = after + 1
  if (after !== undefined && order === 'desc') span.high = Math.min(upTo, after - 1)
  if (from === undefined && to === undefined) return span
  const values = new Values()
  const conditions: string[] = []
  if (from !== undefined) conditions.push(`"minute" >= ${values.add(Math.floor(from / 60_000))}`)
  if (to !== undefined) conditions.push(`"minute" <= ${values.add(Math.floor((to - 1) / 60_000))}`)
  const sql = `select min("first") as low, max("last") as high from ${tables.minutes} where ${conditions.join(' and ')}`
  const [row] = await read(sql, values.list)
  const known = { low: Number(row?.low ?? 1), high: Number(row?.high ?? 0) }
  return { low: Math.max(span.low, known.low), high: Math.min(span.high, known.high) }
}

/** The next `most` candidates' indexes, in order. */
function candidates({ branches }: Plan, { dialect, order, span }: Search, most: number, add: Add): string {
  const [low, high, limit] = [add(span.low), add(span.high), add(most)]
  const from = `select e."index" from ${tables.events} e where`
  const parts = branches.map((branch) => {
    if (branch === 'all')
      return `${from} e."index" between ${low} and ${high} order by e."index" ${order} limit ${limit}`
    const { column, value } = branch
    const condition = dialect.within(column, add(value), low, high)
    return `${from} ${condition} order by e.${column} ${order}, e."index" ${order} limit ${limit}`
  })
  if (parts.length === 1) return parts[0]!
  const all = parts.map((part, n) => `select * from (${part}) as b${n}`).join(' union all ')
  return `select "index" from (${all}) as b order by "index" ${order} limit ${limit}`
}

async function readMatches(plan: Plan, search: Search, most: number, wanted: number): Promise<JournalEntry[]> {
  const values = new Values()
  const from = candidates(plan, search, most, values.add)
  const where = plan.rest.map((condition) => condition(values.add)).join(' and ') || 'true'
  const sql = `select ${entryColumns} from (${from}) as c
    join ${tables.events} e on e."index" = c."index"
    where ${where} order by e."index" ${search.order} limit ${values.add(wanted)}`
  return (await search.read(sql, values.list)).map(entryOf)
}

/** The last of as many candidates as one step looks at; undefined when there are fewer. */
async function lastLookedAt(plan: Plan, search: Search, most: number): Promise<number | undefined> {
  const values = new Values()
  const from = candidates(plan, search, most, values.add)
  const skipped = values.add(most - 1)
  const sql = `select "index" from (${from}) as c order by "index" ${search.order} limit 1 offset ${skipped}`
  const [row] = await search.read(sql, values.list)
  return row === undefined ? undefined : Number(row.index)
}

/** What {@link entryOf} reads, of the events as `e`. */
export const entryColumns = 'e."index", e.received_at, e.redacted_at, e.bytes'

/**
 * A row of an entry's columns. @throws Failure `internal` when the bytes are no event: they were tampered
 * with.
 */
export function entryOf(row: Row): JournalEntry {
  const index = Number(row.index)
  const bytes = row.bytes as Uint8Array
  try {
    const entry = { index, event: decodeEvent(bytes), bytes, receivedAt: Number(row.received_at) }
    return row.redacted_at === null ? entry : { ...entry, redactedAt: Number(row.redacted_at) }
  } catch (cause) {
    throw new Failure('internal', `record ${index} of the journal is no event: verify the journal`, { cause })
  }
}

/**
 * Finds entries in the order of their index. Each statement looks at a bounded number of records, taken from the index
 * that fits best, and so does the whole search: see {@link FoundEntries.next}.
 */
export async function searchIn(
  { read, dialect }: Pick<Database, 'read' | 'dialect'>,
  filter: EventFilter,
  page: SearchPage,
  bounds: SearchBounds = { candidatesPerStep, maxSearchSteps },
): Promise<FoundEntries> {
  const { order, limit } = page
  const search: Search = { read, dialect, order, span: await spanOf(read, filter, page) }
  const plan = await planOf(read, filter)
  const entries: JournalEntry[] = []
  if (plan.branches.length === 0) return { entries }
  const isExact = plan.rest.length === 0
  for (let step = 1; search.span.low <= search.span.high; step++) {
    const wanted = limit - entries.length
    const most = isExact ? wanted + 1 : Math.ceil(bounds.candidatesPerStep / plan.branches.length)
    const found = await readMatches(plan, search, most, wanted + 1)
    entries.push(...found.slice(0, wanted))
    if (found.length > wanted) return { entries, next: entries.at(-1)!.index }
    const last = isExact ? undefined : await lastLookedAt(plan, search, most)
    if (last === undefined) break
    if (step === bounds.maxSearchSteps) return { entries, next: last }
    search.span = order === 'asc' ? { ...search.span, low: last + 1 } : { ...search.span, high: last - 1 }
  }
  return { entries }
}
