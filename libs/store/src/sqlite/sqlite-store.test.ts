import { temporaryFolder } from '@countersign/servers'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Harness } from '../conformance/harness.ts'
import { storeConformance } from '../conformance/suite.ts'
import { openSqliteStore } from './sqlite-store.ts'

const toVersionOne = `
  ALTER TABLE partitions DROP COLUMN tip; ALTER TABLE facts DROP COLUMN previous_tip; PRAGMA user_version = 1;`

async function openHarness(): Promise<Harness> {
  const folder = temporaryFolder('sqlite')
  const path = join(folder, 'store.db')
  let copies = 0
  let time = 1_700_000_000_000
  const now = () => time
  const beside = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path)
    try {
      return work(database)
    } finally {
      database.close()
    }
  }
  const replace = async (make: () => void) => {
    await harness.store.close()
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    make()
    harness.store = await openSqliteStore({ path, now })
  }
  const harness: Harness = {
    store: await openSqliteStore({ path, now }),
    partition: 0,
    now,
    pass: async (ms) => void (time += ms),
    reopen: async () => {
      await harness.store.close()
      harness.store = await openSqliteStore({ path, now })
    },
    wipe: () => replace(() => undefined),
    backUp: async () => {
      const copy = join(folder, `copy-${copies++}.db`)
      beside((database) => database.prepare('VACUUM INTO ?').run(copy))
      return () => replace(() => copyFileSync(copy, path))
    },
    forgetTips: async () => {
      await harness.store.close()
      beside((database) => database.exec(toVersionOne))
      harness.store = await openSqliteStore({ path, now })
    },
    forgetFacts: async () => beside((database) => database.exec('DELETE FROM facts')),
    held: async () => beside(held),
    close: async () => {
      await harness.store.close()
      rmSync(folder, { recursive: true })
    },
  }
  return harness
}

function held(database: DatabaseSync): { things: number; bytes: number } {
  const one = (sql: string) => Object.values(database.prepare(sql).get()!)[0] as number
  const things = one('SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM members)')
  return { things, bytes: one('PRAGMA page_count') * one('PRAGMA page_size') }
}

storeConformance('the store in SQLite', openHarness)
