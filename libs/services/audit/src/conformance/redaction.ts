import { expect, test } from '@jest/globals'
import { ActorKind, type Event } from '@countersign/contracts/events'
import type { Journal, JournalEntry } from '../journal/port.ts'
import { tables } from '../journal/schema.ts'
import { redactionBatchRecords } from '../limits.ts'
import type { Place } from './append.ts'
import { recordOf, recordsOf } from './events.ts'

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const by = (kind: ActorKind, id: string) => ({ kind, id, address: '198.51.100.9', userAgent: 'Secret/1' })

/** Something that a person did or that concerns her, with what is hers. */
export const ofPerson = (subject: string, given: Partial<Event> = {}): Partial<Event> => ({
  subject,
  clientId: 'web',
  actor: by(ActorKind.PERSON, subject),
  traceparent: trace,
  attributes: { provider: 'local', session: 's1', login_name: 'alice@example.org' },
  ...given,
})
export const deletionOf = (subject: string, given: Partial<Event> = {}): Partial<Event> =>
  ofPerson(subject, { type: 'account.deleted', clientId: '', ...given })

/** Until there is nobody to forget; gives how many steps it took. */
export async function forgetAll(journal: Journal, at = 5_000): Promise<number> {
  for (let steps = 0; ; steps++) if (!(await journal.forget(at))) return steps
}

const all = (journal: Journal): Promise<JournalEntry[]> => journal.after(0, 10_000)
const told = async (journal: Journal) =>
  (await all(journal)).filter(({ event }) => event.type === 'audit.redacted').map(({ event }) => event)
const isPersonal = ({ bytes }: JournalEntry): boolean =>
  /198\.51\.100\.9|Secret|alice@|0af76519/.test(String(Buffer.from(bytes)))
const redactedIn = (entries: JournalEntry[]): number[] =>
  entries.filter(({ redactedAt }) => redactedAt !== undefined).map(({ index }) => index)

/** What is left of a record of hers. */
const bare = (event: Event): Event => ({
  ...event,
  actor: event.actor && { ...event.actor, address: '', userAgent: '' },
  traceparent: '',
  attributes: { provider: 'local', session: 's1' },
})

/** How every journal forgets somebody. */
export function describeForgetting(place: () => Promise<Place>): void {
  const open = async () => (await place()).open()

  test('what is personal about a deleted person goes from what is there, and everything else stays', async () => {
    const journal = await open()
    const records = [
      recordOf(1, ofPerson('alice')),
      recordOf(2, ofPerson('bob')),
      recordOf(3, ofPerson('alice', { actor: by(ActorKind.CLIENT, 'web') })),
      recordOf(4, ofPerson('bob', { actor: by(ActorKind.PERSON, 'alice') })),
      recordOf(5),
      recordOf(6, deletionOf('alice')),
      recordOf(7, ofPerson('alice2')),
    ]
    await journal.append(records)
    await forgetAll(journal)
    const entries = await all(journal)
    const hers = [1, 3, 4, 6]
    for (const [n, { event, bytes }] of records.entries()) {
      expect(entries[n]!.event).toEqual(hers.includes(n + 1) ? bare(event) : event)
      if (!hers.includes(n + 1)) expect(Buffer.from(entries[n]!.bytes)).toEqual(Buffer.from(bytes))
    }
    expect(entries.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(redactedIn(entries)).toEqual(hers)
    expect(entries[7]!.event).toMatchObject({
      type: 'audit.redacted',
      time: 5_000,
      subject: 'alice',
      actor: { kind: ActorKind.SYSTEM, id: 'audit' },
      reason: 'account_deleted',
      attributes: { records: '4', first_index: '1', last_index: '6' },
    })
    const page = { order: 'asc', limit: 10 } as const
    const found = async (filter: object) => (await journal.search(filter, page)).entries.map(({ index }) => index)
    expect(await found({ subject: 'alice' })).toEqual([1, 3, 6, 8])
    expect(await found({ actor: 'alice' })).toEqual([1, 4, 6])
    expect(redactedIn((await journal.search({ subject: 'alice' }, page)).entries)).toEqual([1, 3, 6])
    expect(await journal.gaps()).toEqual([])
  })
}

/** Whose records are whose, and what is nobody's. */
export function describeWhoIsForgotten(place: () => Promise<Place>): void {
  const open = async () => (await place()).open()

  test('where an operator acted from stays, but not when the operator is forgotten, too', async () => {
    const journal = await open()
    const given = ofPerson('alice', { type: 'account.disabled', actor: by(ActorKind.OPERATOR, 'olga') })
    const { event } = recordOf(1, given)
    await journal.append([
      recordOf(1, given),
      recordOf(2, deletionOf('alice', given)),
      recordOf(3, deletionOf('alice')),
    ])
    await forgetAll(journal)
    const [first] = await all(journal)
    expect(first!.event).toEqual({ ...event, attributes: { provider: 'local', session: 's1' } })
    await journal.append([recordOf(4, deletionOf('olga'))])
    await forgetAll(journal, 6_000)
    const [again] = await all(journal)
    expect(again).toMatchObject({ event: bare(event), redactedAt: 6_000 })
  })

  test('a machine is nobody to forget, nor is nobody', async () => {
    const journal = await open()
    const nobody = recordOf(2, deletionOf('', { actor: by(ActorKind.OPERATOR, 'olga') }))
    await journal.append([recordOf(1, { attributes: { note: 'x' } }), nobody, recordOf(3, deletionOf('batch'))])
    await forgetAll(journal)
    const entries = await all(journal)
    expect(redactedIn(entries)).toEqual([3])
    expect(entries[0]!.event.attributes).toEqual({ note: 'x' })
    expect(await told(journal)).toMatchObject([{ subject: 'batch', attributes: { records: '1' } }])
  })

  test('of whom there is nothing personal, it is told that nothing was redacted', async () => {
    const journal = await open()
    const plain = { actor: undefined, traceparent: '', attributes: {} }
    await journal.append([recordOf(1, ofPerson('alice', plain)), recordOf(2, deletionOf('alice', plain))])
    await forgetAll(journal)
    expect(redactedIn(await all(journal))).toEqual([])
    expect((await told(journal)).map(({ attributes }) => attributes)).toEqual([{ records: '0' }])
  })
}

/** What becomes of events that come late, or again. */
export function describeLateEvents(place: () => Promise<Place>): void {
  const open = async () => (await place()).open()

  test('what comes after a deletion, or with it, is redacted as it comes, and never kept as it was', async () => {
    const journal = await open()
    await journal.append([
      recordOf(1, ofPerson('alice')),
      recordOf(2, deletionOf('alice')),
      recordOf(3, ofPerson('alice')),
    ])
    expect((await all(journal)).filter(isPersonal)).toEqual([])
    await journal.append([recordOf(4, ofPerson('alice')), recordOf(5, ofPerson('bob', { actor: by(2, 'alice') }))])
    await forgetAll(journal)
    await journal.append([recordOf(6, ofPerson('alice')), recordOf(7, ofPerson('bob'))])
    const entries = await all(journal)
    expect(redactedIn(entries)).toEqual([1, 2, 3, 4, 5, 7])
    expect(entries.filter(isPersonal).map(({ event }) => event.subject)).toEqual(['bob'])
    expect(await told(journal)).toMatchObject([{ attributes: { records: '3', first_index: '1', last_index: '3' } }])
    expect(await forgetAll(journal)).toBe(0)
  })

  test('events are recognised as they were before, and do not bring back what was forgotten', async () => {
    const journal = await open()
    const records = [recordOf(1, ofPerson('alice')), recordOf(2, deletionOf('alice'))]
    await journal.append([records[0]!])
    await journal.append([records[1]!])
    await forgetAll(journal)
    expect(await journal.append(records)).toEqual({ appended: 0, head: 3 })
    expect(await journal.held(records.map(({ event }) => event.id))).toHaveLength(2)
    expect((await all(journal)).filter(isPersonal)).toEqual([])
    expect(await journal.append([recordOf(3, deletionOf('alice'))])).toEqual({ appended: 1, head: 4 })
    expect(await forgetAll(journal)).toBe(0)
    expect(await told(journal)).toHaveLength(1)
  })
}

/** How it is done in steps, by several, and after a crash. */
export function describeForgettingInSteps(place: () => Promise<Place>): void {
  const many = 2 * redactionBatchRecords + 50

  test('it is done in bounded steps, goes on after a restart where it was, and is told once', async () => {
    const here = await place()
    const journal = await here.open()
    await journal.append(recordsOf(1, many, ofPerson('alice')))
    await journal.append([recordOf(many + 1, deletionOf('alice'))])
    expect(await journal.forget(5_000)).toEqual({ subject: 'alice', redacted: redactionBatchRecords })
    expect((await all(journal)).filter(isPersonal)).toHaveLength(many - redactionBatchRecords)
    expect(await told(journal)).toEqual([])
    await journal.close()
    const again = await here.open()
    expect(await again.forget(6_000)).toEqual({ subject: 'alice', redacted: redactionBatchRecords })
    expect(await again.forget(6_000)).toEqual({ subject: 'alice', redacted: 50, head: many + 2 })
    expect(await again.forget(6_000)).toBeUndefined()
    const entries = await all(again)
    expect(entries.filter(isPersonal)).toEqual([])
    expect(entries[0]!.redactedAt).toBe(5_000)
    const attributes = { records: String(many + 1), first_index: '1', last_index: String(many + 1) }
    expect(await told(again)).toMatchObject([{ attributes }])
  })

  test('several processes forget several people at once, while events go on coming', async () => {
    const here = await place()
    const journals = [await here.open(), await here.open(), await here.open()]
    const [journal] = journals as [Journal, Journal, Journal]
    const people = ['alice', 'bob', 'carol']
    const records = Array.from({ length: 900 }, (_, n) => recordOf(n + 1, ofPerson(people[n % 3]!)))
    await journal.append(records)
    const deletions = people.map((subject, n) => recordOf(901 + n, deletionOf(subject)))
    const late = Array.from({ length: 300 }, (_, n) => recordOf(904 + n, ofPerson(people[n % 3]!)))
    await Promise.all([
      ...journals.map(async (each, n) => {
        await each.append([deletions[n]!])
        await forgetAll(each)
      }),
      (async () => {
        for (let n = 0; n < late.length; n += 10) await journal.append(late.slice(n, n + 10))
      })(),
    ])
    await forgetAll(journal)
    const entries = await all(journal)
    expect(entries.filter(isPersonal)).toEqual([])
    expect(entries.map(({ index }) => index)).toEqual(entries.map((_, n) => n + 1))
    const events = await told(journal)
    expect(events.map(({ subject }) => subject).toSorted()).toEqual(people)
    for (const { subject, attributes } of events) {
      const deletion = entries.find(({ event }) => event.type === 'account.deleted' && event.subject === subject)!
      const before = entries.filter(({ index, event }) => index <= deletion.index && event.subject === subject)
      expect(attributes.records).toBe(String(before.length))
    }
    expect(await journal.gaps()).toEqual([])
  })
}

/** What the second version of the schema added, taken away again. */
const toFirstVersion = [
  `drop index ${tables.events}_actor`,
  `drop table ${tables.redactions}`,
  `alter table ${tables.events} drop column redacted_at`,
  `update ${tables.schema} set version = 1`,
]

/** How a journal that was made before anybody could be forgotten is brought up to date. */
export function describeMigration(place: () => Promise<Place>): void {
  test('a journal of the first version is brought up to date once, and forgets what it had', async () => {
    const here = await place()
    const before = await here.open()
    await before.append([recordOf(1, ofPerson('alice')), recordOf(2, ofPerson('bob', { actor: by(2, 'alice') }))])
    const kept = await all(before)
    await before.close()
    for (const sql of toFirstVersion) await here.execute(sql)
    const [one, two] = await Promise.all([here.open(), here.open()])
    expect(await Promise.all([all(one), all(two)])).toEqual([kept, kept])
    await Promise.all([one.append([recordOf(3, deletionOf('alice'))]), two.append([recordOf(4)])])
    await forgetAll(two)
    expect((await all(one)).filter(isPersonal)).toEqual([])
    expect(await told(one)).toMatchObject([{ attributes: { records: '3', first_index: '1' } }])
    await one.close()
    expect(await (await here.open()).head()).toBe(5)
  })
}
