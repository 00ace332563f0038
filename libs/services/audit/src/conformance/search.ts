import { expect, test } from '@jest/globals'
import { Outcome, type Event } from '@countersign/contracts/events'
import type { EventFilter, Journal, JournalEntry, SearchPage } from '../journal/port.ts'
import type { Place } from './append.ts'
import { recordOf, recordsOf } from './events.ts'

const pick = <T>(list: T[], n: number): T => list[n % list.length]!
const subjects = ['alice', 'bob', 'batch', '']
const types = ['token.issued', 'token.revoked', 'login.failed', 'audit.gap_detected', 'tokens.other', 'token']

/** Events of every kind, spread without a pattern that a query could lean on. */
const mixed = (n: number): Partial<Event> => ({
  subject: pick(subjects, Math.floor(n / 3)),
  type: n % 97 === 0 ? 'client.deleted' : pick(types, n * 7 + (n >> 3)),
  clientId: pick(['web', 'batch', 'cli'], n >> 2),
  grantId: pick(['g1', 'g2', 'g3', 'g4', 'g5', ''], n * 5),
  tokenFingerprint: n % 4 === 0 ? '' : `print-${n % 50}`,
  outcome: pick([Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNSPECIFIED], n * 3 + (n >> 4)),
  actor: n % 5 === 0 ? undefined : { kind: 2, id: pick(subjects, n * 11), address: '', userAgent: '' },
  time: 1_750_000_000_000 + Math.floor(n / 10) * 20_000 - (n % 13) * 45_000,
})

const isLike = (type: string, pattern: string): boolean =>
  pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern

/** What a filter means, said once more in plain words. */
function meets(event: Event, filter: EventFilter): boolean {
  const same = (wanted: unknown, value: unknown) => wanted === undefined || wanted === value
  return (
    (filter.types === undefined || filter.types.some((pattern) => isLike(event.type, pattern))) &&
    same(filter.subject, event.subject) &&
    same(filter.clientId, event.clientId) &&
    same(filter.grantId, event.grantId) &&
    same(filter.tokenFingerprint, event.tokenFingerprint) &&
    same(filter.actor, event.actor?.id) &&
    same(filter.outcome, event.outcome) &&
    (filter.from === undefined || event.time >= filter.from) &&
    (filter.to === undefined || event.time < filter.to)
  )
}

const t0 = 1_750_000_000_000
const filters: EventFilter[] = [
  {},
  { types: ['token.*'] },
  { types: ['token.issued', 'login.failed'] },
  { types: ['token', 'audit.*', 'client.*', 'none.*', 'nothing.here'] },
  { types: ['none.*'] },
  { types: ['client.deleted'] },
  { subject: 'alice' },
  { subject: 'alice', types: ['token.*', 'login.failed'] },
  { subject: 'nobody' },
  { clientId: 'web', grantId: 'g1' },
  { grantId: 'g2', outcome: Outcome.FAILURE, actor: 'bob' },
  { tokenFingerprint: 'print-7' },
  { tokenFingerprint: 'print-7', subject: 'bob', clientId: 'cli', grantId: 'g3' },
  { actor: 'alice' },
  { outcome: Outcome.FAILURE, types: ['client.*'] },
  { from: t0 + 3_000_000 },
  { to: t0 + 1_000_000 },
  { from: t0 + 1_400_000, to: t0 + 1_990_000 },
  { from: t0 + 2_000_000, to: t0 + 2_400_001, subject: 'batch' },
  { from: t0 + 2_000_000, to: t0 + 2_000_000 },
  { from: 1, to: 2 },
  { from: t0 - 500_000_000, to: t0 + 500_000_000, types: ['audit.*'], actor: 'batch' },
]

async function readAll(journal: Journal, filter: EventFilter, page: SearchPage): Promise<JournalEntry[]> {
  const all: JournalEntry[] = []
  for (let after = page.after; ;) {
    const { entries, next } = await journal.search(filter, after === undefined ? page : { ...page, after })
    expect(entries.length).toBeLessThanOrEqual(page.limit)
    all.push(...entries)
    if (next === undefined) return all
    after = next
  }
}

/** How every journal is searched. */
export function describeSearch(place: () => Promise<Place>): void {
  test('every filter finds what it describes, in both orders, page by page', async () => {
    const journal = await (await place()).open()
    const records = Array.from({ length: 3_000 }, (_, n) => recordOf(n + 1, mixed(n)))
    for (let n = 0; n < records.length; n += 1_000) await journal.append(records.slice(n, n + 1_000))
    for (const filter of filters) {
      const expected = records.flatMap(({ event }, n) => (meets(event, filter) ? [n + 1] : []))
      const limit = expected.length > 200 ? 333 : 7
      const ascending = await readAll(journal, filter, { order: 'asc', limit })
      const descending = await readAll(journal, filter, { order: 'desc', limit })
      expect({ filter, found: ascending.map(({ index }) => index) }).toEqual({ filter, found: expected })
      expect({ filter, found: descending.map(({ index }) => index) }).toEqual({ filter, found: expected.toReversed() })
    }
    expect(filters.map((filter) => records.some(({ event }) => meets(event, filter)))).toContain(true)
  })

  test('a page tells of a next one exactly when there is more', async () => {
    const journal = await (await place()).open()
    await journal.append(recordsOf(1, 4))
    expect(await journal.search({}, { order: 'asc', limit: 4 })).not.toHaveProperty('next')
    expect(await journal.search({}, { order: 'asc', limit: 3 })).toHaveProperty('next', 3)
    expect(await journal.search({}, { order: 'desc', limit: 3 })).toHaveProperty('next', 2)
    expect(await journal.search({}, { order: 'desc', limit: 3, after: 2 })).not.toHaveProperty('next')
    expect(await journal.search({ subject: 'batch' }, { order: 'asc', limit: 1, after: 4 })).toEqual({ entries: [] })
  })

  test('pages stay put while new events arrive', async () => {
    const journal = await (await place()).open()
    await journal.append(recordsOf(1, 10))
    const first = await journal.search({}, { order: 'desc', limit: 4 })
    await journal.append(recordsOf(11, 15))
    const rest = await readAll(journal, {}, { order: 'desc', limit: 4, after: first.next! })
    expect([...first.entries, ...rest].map(({ index }) => index)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
  })

  test('nothing beyond the bound given is found', async () => {
    const journal = await (await place()).open()
    await journal.append(recordsOf(1, 10))
    const page: SearchPage = { order: 'asc', limit: 100, after: 2, upTo: 5 }
    const { entries } = await journal.search({ actor: 'batch' }, page)
    expect(entries.map(({ index }) => index)).toEqual([3, 4, 5])
    expect(await journal.search({}, { ...page, after: 5 })).toEqual({ entries: [] })
  })
}
