import { expect, test } from '@jest/globals'
import type { Journal } from '../journal/port.ts'
import { epochOf, eventOf, recordOf, recordsOf } from './events.ts'

/** A journal of its own for one test. */
export interface Place {
  /** Opens the same journal, as one more process would. The caller need not close it. */
  open(): Promise<Journal>
  /** Runs SQL on the database under it, as its administrator would. */
  execute(sql: string): Promise<void>
}

const idsOf = (entries: { event: { id: string } }[]): string[] => entries.map(({ event }) => event.id)
const indexesOf = (entries: { index: number }[]): number[] => entries.map(({ index }) => index)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1)

/** What every journal does with what it is given. */
export function describeAppend(place: () => Promise<Place>): void {
  const open = async () => (await place()).open()

  test('entries are numbered from 1 in the order given, and keep their bytes', async () => {
    const journal = await open()
    expect(await journal.head()).toBe(0)
    expect(await journal.after(0, 10)).toEqual([])
    const records = recordsOf(1, 7)
    expect(await journal.append(records.slice(0, 4))).toEqual({ appended: 4, head: 4 })
    expect(await journal.append(records.slice(4))).toEqual({ appended: 3, head: 7 })
    const entries = await journal.after(0, 10)
    expect(indexesOf(entries)).toEqual(upTo(7))
    expect(entries.map(({ event }) => event)).toEqual(records.map(({ event }) => event))
    expect(entries.map(({ bytes }) => Buffer.from(bytes))).toEqual(records.map(({ bytes }) => Buffer.from(bytes)))
    expect(entries[0]!.receivedAt).toBe(1_000)
    expect(indexesOf(await journal.after(3, 2))).toEqual([4, 5])
    expect(await journal.head()).toBe(7)
  })

  test('an event that comes again, in the same batch or later, is passed over and leaves no hole', async () => {
    const journal = await open()
    const records = recordsOf(1, 6)
    const [a, b, c, d, e, f] = records as [(typeof records)[0], ...typeof records]
    expect(await journal.append([a, b!, a, b!, a])).toEqual({ appended: 2, head: 2 })
    expect(await journal.append([b!, c!, a, d!, c!])).toEqual({ appended: 2, head: 4 })
    expect(await journal.append([a, b!, c!, d!])).toEqual({ appended: 0, head: 4 })
    expect(await journal.append([])).toEqual({ appended: 0, head: 4 })
    expect(await journal.append([e!, f!])).toEqual({ appended: 2, head: 6 })
    const entries = await journal.after(0, 10)
    expect(indexesOf(entries)).toEqual(upTo(6))
    expect(idsOf(entries)).toEqual(records.map(({ event }) => event.id))
  })

  test('an empty append to an empty journal is no entry', async () => {
    expect(await (await open()).append([])).toEqual({ appended: 0, head: 0 })
  })

  test('a record that cannot be kept takes its batch with it, and leaves no hole', async () => {
    const journal = await open()
    await journal.append(recordsOf(1, 3))
    const refused = { ...recordOf(5), event: { ...eventOf(5), time: NaN } }
    await expect(journal.append([recordOf(4), refused, recordOf(6)])).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await journal.head()).toBe(3)
    expect(await journal.gaps()).toEqual([])
    await journal.append([recordOf(4)])
    expect(indexesOf(await journal.after(0, 10))).toEqual(upTo(4))
  })
}

/** What comes of appending at once. */
export function describeConcurrency(place: () => Promise<Place>): void {
  const open = async () => (await place()).open()

  test('processes that append the same events at once make one record of each, without a hole', async () => {
    const here = await place()
    const journals = [await here.open(), await here.open(), await here.open()]
    const records = recordsOf(1, 1_200)
    const shares = journals.map((journal, n) => ({ journal, mine: records.filter((_, i) => i % 3 !== n) }))
    const results = await Promise.all(
      shares.map(async ({ journal, mine }) => {
        let appended = 0
        for (let n = 0; n < mine.length; n += 37) appended += (await journal.append(mine.slice(n, n + 37))).appended
        return appended
      }),
    )
    expect(results.reduce((sum, appended) => sum + appended)).toBe(1_200)
    const entries = await journals[0]!.after(0, 2_000)
    expect(indexesOf(entries)).toEqual(upTo(1_200))
    expect(idsOf(entries).toSorted()).toEqual(records.map(({ event }) => event.id).toSorted())
    expect(await journals[1]!.gaps()).toEqual([])
  })

  test('appends of one process at once do not disturb each other', async () => {
    const journal = await open()
    const batches = upTo(20).map((n) => recordsOf(n * 10 - 9, n * 10 + 3))
    await Promise.all(batches.map((batch) => journal.append(batch)))
    expect(indexesOf(await journal.after(0, 500))).toEqual(upTo(203))
    expect(await journal.gaps()).toEqual([])
  })
}

/** What it keeps besides, and answers. */
export function describeKeeping(place: () => Promise<Place>): void {
  const open = async () => (await place()).open()

  test('what is journaled or parked is held, and nothing else', async () => {
    const journal = await open()
    await journal.append(recordsOf(1, 3))
    await journal.park({ subject: 's', id: 'parked:0', bytes: new Uint8Array([1]), error: 'broken', at: 5 })
    const ids = [1, 2, 3, 4].map((n) => eventOf(n).id)
    expect((await journal.held([...ids, 'parked:0', 'unknown:0', `'"{}\\`, 'a\0b'])).toSorted()).toEqual(
      [...ids.slice(0, 3), 'parked:0'].toSorted(),
    )
    expect(await journal.held([])).toEqual([])
    await expect(journal.held(Array.from({ length: 20_000 }, String))).rejects.toMatchObject({
      code: 'invalid_request',
    })
  })

  test('a message is parked once, whatever is in it', async () => {
    const journal = await open()
    const worst = { subject: 'a\0b\ud800', id: '\0'.repeat(9_999), error: '\u202e\udfff\0', at: 1 }
    const message = { ...worst, bytes: new Uint8Array([0, 255, 92, 34]) }
    expect(await journal.park(message)).toBe(true)
    expect(await journal.park({ ...message, at: 2 })).toBe(false)
    expect(await journal.park({ ...message, bytes: new Uint8Array() })).toBe(true)
    expect(await journal.park({ ...message, id: '' })).toBe(true)
    expect(await journal.head()).toBe(0)
  })

  test('fields with quotes, backslashes, braces, NUL and any script are kept and found', async () => {
    const journal = await open()
    const subjects = ['a"b', 'a\\b', '{a,b}', 'NULL', 'null', 'a\0b', 'ünï ｗide 🦊', '\u202eevil', "' or true --"]
    await journal.append(subjects.map((subject, n) => recordOf(n + 1, { subject })))
    for (const [n, subject] of subjects.entries()) {
      const { entries } = await journal.search({ subject }, { order: 'asc', limit: 10 })
      expect(entries.map(({ event }) => event.subject)).toEqual([subject])
      expect(entries[0]!.index).toBe(n + 1)
    }
  })

  test('after closing every call is unavailable', async () => {
    const journal = await open()
    await journal.close()
    await journal.close()
    await expect(journal.append([recordOf(1)])).rejects.toMatchObject({ code: 'unavailable' })
    await expect(journal.head()).rejects.toMatchObject({ code: 'unavailable' })
  })
}

/** What it knows of events that are missing. */
export function describeGaps(place: () => Promise<Place>): void {
  const open = async () => (await place()).open()

  test('a hole in a sequence is known until it is filled, through a restart', async () => {
    const here = await place()
    const journal = await here.open()
    const at = (n: number, receivedAt: number) => recordOf(n, {}, receivedAt)
    await journal.append([at(1, 10), at(2, 10)])
    expect(await journal.gaps()).toEqual([])
    await journal.append([at(6, 20), at(9, 20)])
    const names = { partition: 0, epoch: epochOf('e') }
    const upper = { ...names, first: 7, last: 8, since: 20, openedBy: 9 }
    expect(await journal.gaps()).toEqual([{ ...names, first: 3, last: 5, since: 20, openedBy: 6 }, upper])
    await journal.append([at(4, 30)])
    const pieces = [3, 5].map((n) => ({ ...names, first: n, last: n, since: 20, openedBy: 6 }))
    expect(await journal.gaps()).toEqual([...pieces, upper])
    await journal.close()
    const again = await here.open()
    expect(await again.gaps()).toEqual([...pieces, upper])
    await again.append([at(5, 40), at(3, 40), at(8, 40), at(10, 40)])
    expect(await again.gaps()).toEqual([{ ...upper, last: 7 }])
    await again.append([at(7, 50)])
    expect(await again.gaps()).toEqual([])
  })

  test('each partition and each epoch has its own sequence; events without a stamp have none', async () => {
    const journal = await open()
    const unstamped = { revision: '', sequence: 0 }
    await journal.append([
      recordOf(1),
      recordOf(1, { partition: 3 }),
      recordOf(1, { epoch: epochOf('a') }),
      recordOf(77, unstamped),
      recordOf(3, { partition: 3 }),
      recordOf(2, { epoch: epochOf('a') }),
    ])
    expect(await journal.gaps()).toEqual([
      { partition: 3, epoch: epochOf('e'), first: 2, last: 2, since: 1_000, openedBy: 3 },
    ])
  })

  test('a journal that begins late in a history misses what came before', async () => {
    const journal = await open()
    await journal.append(recordsOf(1_000_001, 1_000_500))
    expect(await journal.gaps()).toMatchObject([{ first: 1, last: 1_000_000 }])
  })

  test('a thousand holes in one batch are all known, and all filled by the next', async () => {
    const journal = await open()
    const records = recordsOf(1, 2_001)
    await journal.append(records.filter((_, n) => n % 2 === 0))
    expect(await journal.gaps()).toHaveLength(1_000)
    await journal.append(records.filter((_, n) => n % 2 === 1))
    expect(await journal.gaps()).toEqual([])
  })
}
