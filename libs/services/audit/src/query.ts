import { Failure, type Millis } from '@countersign/contracts'
import { createHash } from 'node:crypto'
import type { EventFilter, SearchPage } from './journal/port.ts'
import { outcomeNames } from './json.ts'
import { defaultPageEvents, maxFieldCharacters, maxFilterTypes, maxPageEvents, maxTimeMs } from './limits.ts'

type Parameters = ReadonlyMap<string, readonly string[]>

const filterNames = ['type', 'subject', 'client_id', 'grant_id', 'token_fingerprint', 'actor', 'outcome'] as const
const searchNames = [...filterNames, 'from', 'to', 'order', 'limit', 'cursor'] as const
const streamNames = [...filterNames, 'last_event_id'] as const

const refuse = (message: string): Failure => new Failure('invalid_request', message)

/** Each of the names once, but `type` as often as one likes; nothing else, nothing empty. */
function parametersOf(url: string, names: readonly string[]): Parameters {
  const mark = url.indexOf('?')
  const found = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(mark < 0 ? '' : url.slice(mark))) {
    if (!names.includes(name))
      throw refuse(`there is a parameter that is not known here; known are: ${names.join(', ')}`)
    if (value === '') throw refuse(`${name} is empty`)
    if (value.length > maxFieldCharacters && name !== 'type') throw refuse(`${name} is too long`)
    const values = found.get(name) ?? []
    if (values.length > 0 && name !== 'type') throw refuse(`${name} is given more than once`)
    found.set(name, [...values, value])
  }
  return found
}

const typeSyntax = /^[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?$/

function typesOf(values: readonly string[]): string[] {
  const types = [...new Set(values.flatMap((value) => value.split(',')))]
  if (types.length > maxFilterTypes) throw refuse(`at most ${maxFilterTypes} types`)
  if (!types.every((type) => typeSyntax.test(type)))
    throw refuse('type is like token.issued or token.*, several separated by commas')
  return types
}

const timeSyntax = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i

function timeOf(name: string, value: string): Millis {
  const time = /^\d{1,16}$/.test(value) ? Number(value) : timeSyntax.test(value) ? Date.parse(value) : NaN
  if (!(time <= maxTimeMs)) throw refuse(`${name} is like 2026-01-31T12:00:00Z, or milliseconds since 1970`)
  return time
}

function filterOf(parameters: Parameters): EventFilter {
  const filter: EventFilter = {}
  const types = parameters.get('type')
  if (types) filter.types = typesOf(types)
  const fields = {
    subject: 'subject',
    client_id: 'clientId',
    grant_id: 'grantId',
    token_fingerprint: 'tokenFingerprint',
    actor: 'actor',
  } as const
  for (const [name, field] of Object.entries(fields)) {
    const value = parameters.get(name)?.[0]
    if (value !== undefined) filter[field] = value
  }
  const outcome = parameters.get('outcome')?.[0]
  if (outcome !== undefined) {
    if (!Object.hasOwn(outcomeNames, outcome)) throw refuse('outcome is success or failure')
    filter.outcome = outcomeNames[outcome]!
  }
  for (const name of ['from', 'to'] as const) {
    const value = parameters.get(name)?.[0]
    if (value !== undefined) filter[name] = timeOf(name, value)
  }
  return filter
}

function limitOf(value: string | undefined): number {
  if (value === undefined) return defaultPageEvents
  const limit = /^\d{1,4}$/.test(value) ? Number(value) : 0
  if (limit < 1 || limit > maxPageEvents) throw refuse(`limit is from 1 to ${maxPageEvents}`)
  return limit
}

/** Names the search that a cursor belongs to. */
const searchMark = (filter: EventFilter, order: string): string =>
  createHash('sha256')
    .update(JSON.stringify([order, Object.entries(filter).toSorted()]))
    .digest('hex')
    .slice(0, 8)

const cursorOf = (mark: string, after: number): string => Buffer.from(`1.${mark}.${after}`).toString('base64url')

function afterOf(cursor: string, mark: string): number {
  const text = /^[\w-]{1,64}$/.test(cursor) ? Buffer.from(cursor, 'base64url').toString('latin1') : ''
  const match = /^1\.([0-9a-f]{8})\.(\d{1,15})$/.exec(text)
  if (!match || cursorOf(match[1]!, Number(match[2])) !== cursor) throw refuse('cursor is not one of ours')
  if (match[1] !== mark) throw refuse('cursor belongs to another search: repeat the filter and the order it came from')
  return Number(match[2])
}

export interface SearchQuery {
  filter: EventFilter
  page: SearchPage
  /** The cursor for the page behind an index. */
  cursorAfter(index: number): string
}

/** Reads the query of a search. @throws Failure `invalid_request` that says what is expected. */
export function searchQuery(url: string): SearchQuery {
  const parameters = parametersOf(url, searchNames)
  const filter = filterOf(parameters)
  const order = parameters.get('order')?.[0] ?? 'desc'
  if (order !== 'asc' && order !== 'desc') throw refuse('order is asc (oldest first) or desc (newest first)')
  const mark = searchMark(filter, order)
  const page: SearchPage = { order, limit: limitOf(parameters.get('limit')?.[0]) }
  const cursor = parameters.get('cursor')?.[0]
  if (cursor !== undefined) page.after = afterOf(cursor, mark)
  return { filter, page, cursorAfter: (index) => cursorOf(mark, index) }
}

/**
 * Reads the query of a stream; the header `Last-Event-ID` goes before the parameter, because a browser that reconnects
 * repeats the URL it began with. @throws Failure `invalid_request`
 */
export function streamQuery(
  url: string,
  header: string | undefined,
): { filter: EventFilter; after: number | undefined } {
  const parameters = parametersOf(url, streamNames)
  const last = header || parameters.get('last_event_id')?.[0]
  if (last !== undefined && !/^\d{1,15}$/.test(last)) throw refuse('the last event id is the index of an event')
  return { filter: filterOf(parameters), after: last === undefined ? undefined : Number(last) }
}
