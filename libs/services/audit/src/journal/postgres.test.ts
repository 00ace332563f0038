import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createInProcessBus } from '@countersign/bus/in-process'
import { startPostgres, type PostgresServer } from '@countersign/servers'
import pg from 'pg'
import {
  describeAppend,
  describeConcurrency,
  describeGaps,
  describeKeeping,
  type Place,
} from '../conformance/append.ts'
import { recordOf, recordsOf } from '../conformance/events.ts'
import {
  deletionOf,
  describeForgetting,
  describeForgettingInSteps,
  describeLateEvents,
  describeMigration,
  describeWhoIsForgotten,
  ofPerson,
} from '../conformance/redaction.ts'
import { describeSearch } from '../conformance/search.ts'
import { messagesFor, until } from '../conformance/world.ts'
import { createJournaling } from '../consume.ts'
import { openJournal } from './open.ts'
import type { Journal } from './port.ts'

let server: PostgresServer
const opened: Journal[] = []
let databases = 0

async function execute(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}
async function newDatabase(): Promise<string> {
  const name = `journal_${++databases}`
  await execute(server.url, `create database ${name}`)
  return server.url.replace(/postgres$/, name)
}
async function open(url: string): Promise<Journal> {
  const journal = await openJournal({ url })
  opened.push(journal)
  return journal
}
/** After a kill the server's children hold its memory for a moment, and it would not start. */
const startAgain = async (): Promise<unknown> => server.start().catch(startAgain)
/** A schema of its own: quicker to make than a database. */
const place = async (): Promise<Place> => {
  const name = `place_${++databases}`
  await execute(server.url, `create schema ${name}`)
  const url = `${server.url}?options=-csearch_path%3D${name}`
  return { open: () => open(url), execute: async (sql) => void (await execute(url, sql)) }
}

beforeAll(async () => {
  server = await startPostgres()
}, 60_000)

afterAll(async () => {
  await Promise.all(opened.map((journal) => journal.close()))
  await server.stop()
})

describe('the journal in PostgreSQL', () => {
  describeAppend(place)
  describeConcurrency(place)
  describeKeeping(place)
  describeGaps(place)
  describeSearch(place)
  describeForgetting(place)
  describeWhoIsForgotten(place)
  describeLateEvents(place)
  describeForgettingInSteps(place)
  describeMigration(place)
})

test('processes that start at once make one schema', async () => {
  const url = await newDatabase()
  const journals = await Promise.all(Array.from({ length: 6 }, () => open(url)))
  const results = await Promise.all(journals.map((journal, n) => journal.append([recordOf(n + 1)])))
  expect(results.map(({ head }) => head).toSorted()).toEqual([1, 2, 3, 4, 5, 6])
})

test('the index stays dense when the server isolates transactions more by default', async () => {
  const url = await newDatabase()
  await execute(url, `alter database ${url.split('/').at(-1)} set default_transaction_isolation = 'serializable'`)
  const journals = await Promise.all([open(url), open(url)])
  const records = recordsOf(1, 400)
  for (let n = 0; n < 400; n += 20) await Promise.all(journals.map((j) => j.append(records.slice(n, n + 20))))
  expect((await journals[0]!.after(0, 1_000)).map(({ index }) => index)).toEqual(records.map((_, n) => n + 1))
})

test('killed in the middle of appending, it keeps every append that resolved, once, though set up not to', async () => {
  const url = await newDatabase()
  await execute(url, `alter database ${url.split('/').at(-1)} set synchronous_commit = off`)
  await execute(url, `alter system set wal_writer_delay = '10s'`)
  await execute(url, 'select pg_reload_conf()')
  const journal = await open(url)
  const records = recordsOf(1, 20_000)
  const resolved: string[] = []
  let failures = 0
  let isOver = false
  const writer = async () => {
    for (let n = 0; n < records.length && !isOver;) {
      const batch = records.slice(n, n + 50)
      try {
        await journal.append(batch)
        resolved.push(...batch.map(({ event }) => event.id))
        n += 50
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'unavailable' })
        failures++
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
  const writing = writer()
  for (const atLeast of [500, 3_000]) {
    while (resolved.length < atLeast) await new Promise((resolve) => setTimeout(resolve, 2))
    await server.kill()
    const failed = failures
    while (failures === failed) await new Promise((resolve) => setTimeout(resolve, 5))
    await startAgain()
  }
  const recovered = resolved.length
  while (resolved.length < recovered + 500) await new Promise((resolve) => setTimeout(resolve, 5))
  isOver = true
  await writing
  const head = await journal.head()
  const entries = (await Promise.all([0, 5, 10, 15].map((n) => journal.after(n * 1_000, 5_000)))).flat()
  expect(entries.map(({ index }) => index)).toEqual(Array.from({ length: head }, (_, n) => n + 1))
  const ids = entries.map(({ event }) => event.id)
  expect(new Set(ids).size).toBe(head)
  expect(resolved.filter((id) => !ids.includes(id))).toEqual([])
  expect(await journal.gaps()).toEqual([])
}, 60_000)

test('killed in the middle of forgetting, it goes on, and tells of it once', async () => {
  const journal = await open(await newDatabase())
  await journal.append(recordsOf(1, 1_000, ofPerson('alice')))
  await journal.append([recordOf(1_001, deletionOf('alice'))])
  expect(await journal.forget(1)).toMatchObject({ subject: 'alice' })
  const step = journal.forget(1).catch((failure: unknown) => failure)
  await server.kill()
  await step
  await expect(journal.forget(1)).rejects.toMatchObject({ code: 'unavailable' })
  await startAgain()
  while (await journal.forget(1)) expect(await journal.head()).toBeLessThan(1_003)
  const entries = await journal.after(0, 2_000)
  expect(entries.filter(({ event }) => event.actor?.address)).toEqual([])
  expect(entries).toHaveLength(1_002)
  expect(entries[1_001]!.event).toMatchObject({ type: 'audit.redacted', attributes: { records: '1001' } })
}, 60_000)

test('it may be opened while the server is down', async () => {
  const url = await newDatabase()
  await server.kill()
  const journal = await open(url)
  await expect(journal.head()).rejects.toMatchObject({ code: 'unavailable' })
  await expect(journal.append([recordOf(1)])).rejects.toMatchObject({ code: 'unavailable' })
  await startAgain()
  expect(await journal.append([recordOf(1)])).toEqual({ appended: 1, head: 1 })
})

test('idle connections that break are not an error, and are replaced', async () => {
  const journal = await open(await newDatabase())
  await Promise.all([journal.head(), journal.gaps(), journal.append([recordOf(1)])])
  await execute(
    server.url,
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign-audit'`,
  )
  const answered = async (): Promise<number> => journal.head().catch(answered)
  expect(await answered()).toBe(1)
})

test('a role that may not make tables uses those that are there', async () => {
  const url = await newDatabase()
  await (await open(url)).append([recordOf(1)])
  await execute(
    url,
    `create role clerk login; grant select, insert, update, delete on all tables in schema public to clerk`,
  )
  const journal = await open(url.replace('countersign@', 'clerk@'))
  expect(await journal.append([recordOf(2)])).toEqual({ appended: 1, head: 2 })
})

test('what the bus brings while the server is killed and restarted is journaled once, and acknowledged', async () => {
  const journal = await open(await newDatabase())
  const bus = createInProcessBus()
  const acknowledged = new Set<string>()
  bus.onAcknowledged((ids) => ids.forEach((id) => acknowledged.add(id)))
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const journaling = await createJournaling({ bus, journal, log, now: Date.now })
  const messages = messagesFor(1, 6_000)
  const publishing = (async () => {
    for (let n = 0; n < messages.length; n += 20) {
      for (const message of messages.slice(n, n + 20)) bus.publish(message)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })()
  await until(() => acknowledged.size > 200)
  await server.kill()
  await until(() => !journaling.stats().available)
  await startAgain()
  await publishing
  await until(() => acknowledged.size === 6_000)
  expect(await journal.head()).toBe(6_000)
  const entries = (await Promise.all([0, 2_000, 4_000].map((n) => journal.after(n, 2_000)))).flat()
  expect(new Set(entries.map(({ event }) => event.id))).toEqual(acknowledged)
  expect(await journal.gaps()).toEqual([])
  expect(journaling.stats()).toMatchObject({ parked: 0, available: true })
  await journaling.close()
  await bus.close()
}, 60_000)
