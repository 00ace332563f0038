import { afterAll, describe, expect, test } from '@jest/globals'
import { ActorKind, Outcome } from '@countersign/contracts/events'
import { temporaryFolder } from '@countersign/servers'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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
  forgetAll,
  ofPerson,
} from '../conformance/redaction.ts'
import { describeSearch } from '../conformance/search.ts'
import type { Query } from './database.ts'
import { forget } from './forget.ts'
import { redactionBatchRecords } from '../limits.ts'
import { openJournal } from './open.ts'
import type { Journal, SearchPage } from './port.ts'
import { tables } from './schema.ts'
import { searchIn } from './search.ts'
import { openSqliteDatabase } from './sqlite.ts'

const folder = temporaryFolder('audit')
const opened: Journal[] = []
let places = 0

const newPath = () => join(folder, 'made', `${++places}`, 'audit.db')
async function open(path: string): Promise<Journal> {
  const journal = await openJournal({ url: `sqlite:${path}` })
  opened.push(journal)
  return journal
}
function execute(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}
const place = async (): Promise<Place> => {
  const path = newPath()
  return { open: () => open(path), execute: async (sql) => execute(path, sql) }
}

afterAll(async () => {
  await Promise.all(opened.map((journal) => journal.close()))
  rmSync(folder, { recursive: true })
})

describe('the journal in SQLite', () => {
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

test('is for its owner only', async () => {
  const path = newPath()
  const journal = await open(path)
  await journal.append(recordsOf(1, 3))
  for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o077).toBe(0)
})

test('a file that is no database is refused by name', async () => {
  const path = join(folder, 'not-a-database')
  writeFileSync(path, 'plain text, and long enough to be taken for what it is: '.repeat(20))
  await expect(openJournal({ url: `sqlite:${path}` })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(openJournal({ url: `sqlite:${path}` })).rejects.toThrow('not-a-database')
})

test('a search that finds little looks at a bounded number of records, and goes on where it stopped', async () => {
  const path = newPath()
  const journal = await open(path)
  const rare = { actor: { kind: 2, id: 'rare', address: '', userAgent: '' } } as const
  await journal.append([...recordsOf(1, 44), recordOf(45, rare), ...recordsOf(46, 100)])
  const database = await openSqliteDatabase(path)
  const bounds = { candidatesPerStep: 10, maxSearchSteps: 4 }
  const filter = { actor: 'rare', types: ['token.*'] }
  const find = (page: SearchPage) => searchIn(database, filter, page, bounds)
  expect(await find({ order: 'asc', limit: 5 })).toEqual({ entries: [], next: 40 })
  const second = await find({ order: 'asc', limit: 5, after: 40 })
  expect(second).toMatchObject({ entries: [{ index: 45 }], next: 80 })
  expect(await find({ order: 'asc', limit: 5, after: 80 })).toEqual({ entries: [] })
  expect(await find({ order: 'desc', limit: 5 })).toEqual({ entries: [], next: 61 })
  expect(await find({ order: 'desc', limit: 5, after: 61 })).toMatchObject({ entries: [{ index: 45 }], next: 21 })
  await database.close()
})

test('what is appended in the middle of a search changes nothing of what it finds', async () => {
  const path = newPath()
  const journal = await open(path)
  const given = (n: number) => (n % 3 === 0 ? { outcome: Outcome.FAILURE } : {})
  await journal.append(Array.from({ length: 200 }, (_, n) => recordOf(n + 1, given(n + 1))))
  const database = await openSqliteDatabase(path)
  let sequence = 200
  const read: Query = async (sql, values) => {
    const rows = await database.read(sql, values)
    for (let n = 0; n < 4; n++) await journal.append([recordOf(++sequence, given(sequence))])
    return rows
  }
  const bounds = { candidatesPerStep: 10, maxSearchSteps: 1_000 }
  const failures = Array.from({ length: 66 }, (_, n) => (n + 1) * 3)
  const find = async (order: 'asc' | 'desc') => {
    const page = { order, limit: 1_000 }
    const { entries } = await searchIn({ dialect: database.dialect, read }, { outcome: Outcome.FAILURE }, page, bounds)
    return entries.map(({ index }) => index)
  }
  expect(await find('asc')).toEqual(failures)
  sequence = 1_000_000
  const found = await find('desc')
  expect(found).toEqual([...new Set(found)].toSorted((a, b) => b - a))
  expect(found.slice(-66)).toEqual(failures.toReversed())
  await database.close()
})

test('a record that was tampered with is named', async () => {
  const path = newPath()
  const journal = await open(path)
  await journal.append(recordsOf(1, 3))
  const database = await openSqliteDatabase(path)
  await database.write(({ query }) => query(`update ${tables.events} set bytes = x'0a7f' where "index" = $1`, [2]))
  await database.close()
  await expect(journal.after(0, 10)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('2'),
  })
})

test('what is forgotten is nowhere in the file', async () => {
  const path = newPath()
  const journal = await open(path)
  await journal.append(recordsOf(1, 300, ofPerson('alice')))
  await journal.append([recordOf(301, deletionOf('alice'))])
  await forgetAll(journal)
  await journal.close()
  const file = readFileSync(path, 'latin1')
  expect(file).toContain('alice')
  for (const personal of ['198.51.100.9', 'Secret/1', 'alice@example.org']) expect(file).not.toContain(personal)
})

test('a process that was overtaken while it read writes nothing back', async () => {
  const path = newPath()
  const journal = await open(path)
  const olga = { kind: ActorKind.OPERATOR, id: 'olga', address: '203.0.113.1', userAgent: '' }
  await journal.append([recordOf(1, ofPerson('alice', { actor: olga })), recordOf(2, deletionOf('alice'))])
  await journal.append([recordOf(3, deletionOf('olga'))])
  const database = await openSqliteDatabase(path)
  const read: Query = async (sql, values) => {
    const rows = await database.read(sql, values)
    if (sql.includes('union all')) await forgetAll(journal)
    return rows
  }
  const slow = { dialect: database.dialect, read, write: database.write.bind(database), close: () => database.close() }
  expect(await forget(slow, 9)).toEqual({ subject: 'alice', redacted: 0 })
  expect(await forget(slow, 9)).toBeUndefined()
  const [first] = await journal.after(0, 1)
  expect(first).toMatchObject({ redactedAt: 5_000, event: { actor: { id: 'olga', address: '' } } })
  await database.close()
})

test('a damaged record holds up nobody who is to be forgotten', async () => {
  const path = newPath()
  const journal = await open(path)
  await journal.append(recordsOf(1, 3, ofPerson('alice')))
  await journal.append([recordOf(4, deletionOf('alice'))])
  execute(path, `update ${tables.events} set bytes = x'0a7f' where "index" = 2`)
  await forgetAll(journal)
  const entries = await journal.after(2, 10)
  expect(entries.at(-1)?.event.attributes).toEqual({ records: '3', first_index: '1', last_index: '4' })
})

/** Runs the script, which has `journal`, until it has told as many lines; gives them. */
async function runUntilKilled(path: string, body: string, lines: number): Promise<string[]> {
  const from = (file: string) => JSON.stringify(new URL(file, import.meta.url))
  const script = `
    const { openJournal } = await import(${from('open.ts')})
    const { recordsOf } = await import(${from('../conformance/events.ts')})
    const journal = await openJournal({ url: ${JSON.stringify(`sqlite:${path}`)} })
    ${body}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  let told = ''
  for await (const chunk of child.stdout) {
    told += String(chunk)
    if (told.split('\n').length > lines) child.kill('SIGKILL')
  }
  await gone
  return told.trim().split('\n')
}

test('a process killed in the middle of appending leaves what it was told is there, and no half of a batch', async () => {
  const path = newPath()
  const body = `for (let n = 1; ; n += 40) process.stdout.write((await journal.append(recordsOf(n, n + 39))).head + '\\n')`
  const told = await runUntilKilled(path, body, 50)
  const journal = await open(path)
  const head = await journal.head()
  expect(head).toBeGreaterThanOrEqual(Number(told.at(-1)))
  expect(head % 40).toBe(0)
  const entries = await journal.after(0, 1_000_000)
  expect(entries.map(({ index, event }) => [index, event.sequence])).toEqual(entries.map((_, n) => [n + 1, n + 1]))
  expect(await journal.gaps()).toEqual([])
})

test('a process killed in the middle of forgetting is gone on for by the next, and it is told once', async () => {
  const path = newPath()
  const journal = await open(path)
  const last = 20 * redactionBatchRecords
  for (let n = 0; n < last; n += 1_000) await journal.append(recordsOf(n + 1, n + 1_000, ofPerson('alice')))
  await journal.append([recordOf(last + 1, deletionOf('alice'))])
  const body = `for (let step; (step = await journal.forget(1));) process.stdout.write(step.redacted + '\\n')`
  expect((await runUntilKilled(path, body, 3)).slice(0, 3)).toEqual(Array(3).fill(String(redactionBatchRecords)))
  const redacted = (await journal.after(0, 10_000)).filter(({ redactedAt }) => redactedAt !== undefined)
  expect(redacted.length).toBeLessThan(last)
  await forgetAll(journal)
  const entries = await journal.after(0, 10_000)
  expect(entries.filter(({ event }) => event.actor?.address)).toEqual([])
  const events = entries.filter(({ event }) => event.type === 'audit.redacted')
  expect(events.map(({ event }) => event.attributes.records)).toEqual([String(last + 1)])
})
