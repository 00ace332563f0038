import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqliteBusyMs } from '../limits.ts'

/** What brings a file from each version of the schema to the next; a file of a newer version is refused. */
const steps = [
  `
  CREATE TABLE partitions (
    partition INTEGER PRIMARY KEY, epoch TEXT NOT NULL, facts INTEGER NOT NULL, outbox INTEGER NOT NULL,
    backlog INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE entries (
    key TEXT PRIMARY KEY, version TEXT NOT NULL, value BLOB NOT NULL, expires_at INTEGER, links TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE members (
    listing TEXT NOT NULL, expires_at INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (listing, expires_at, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX members_by_key ON members (key, listing);
  CREATE TRIGGER members_of_deleted AFTER DELETE ON entries BEGIN DELETE FROM members WHERE key = OLD.key; END;
  CREATE TABLE outbox (
    partition INTEGER NOT NULL, sequence INTEGER NOT NULL, facts INTEGER NOT NULL, event BLOB NOT NULL,
    PRIMARY KEY (partition, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE facts (
    partition INTEGER NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (partition, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE applied (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX applied_by_time ON applied (at);
`,
  `
  ALTER TABLE partitions ADD COLUMN tip TEXT;
  ALTER TABLE facts ADD COLUMN previous_tip TEXT;
`,
]

/**
 * Opens the file, making it (for its owner only) and its folder when missing. Every commit is on the disk before it is
 * acknowledged: write-ahead log with `synchronous=FULL`.
 * @throws Error that says what is wrong with the file.
 */
export function openDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  const database = new DatabaseSync(path, { timeout: sqliteBusyMs })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;')
    migrate(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function migrate(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
    if (version > steps.length)
      throw new Error(`${path} was written by a newer Countersign (schema ${version}; this one knows ${steps.length})`)
    for (const step of steps.slice(version)) database.exec(step)
    database.exec(`PRAGMA user_version = ${steps.length}; COMMIT`)
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
