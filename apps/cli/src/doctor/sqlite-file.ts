import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { limits } from '../limits.ts'
import { fail, ok, sentenceOf, warn, type Finding } from './finding.ts'

/** Looks at a SQLite file without changing it. @param read a statement that must work on it */
export async function inspectFile(check: string, path: string, read: string): Promise<Finding[]> {
  const folder = nearestFolder(path)
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return [
      fail(check, `the folder ${folder} may not be written by this user`, `chown it to the user who runs the services`),
    ]
  }
  const room = await freeRoom(check, folder)
  if (!existsSync(path)) return [ok(check, `${path} is not there yet: the first start makes it`), ...room]
  return [openAndRead(check, path, read), ...permissions(check, path), ...room]
}

function nearestFolder(path: string): string {
  let folder = dirname(path)
  while (!existsSync(folder)) folder = dirname(folder)
  return folder
}

function openAndRead(check: string, path: string, read: string): Finding {
  let database: DatabaseSync | undefined
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    database = new DatabaseSync(path, { readOnly: true, timeout: limits.checkMs / 2 })
    const mode = database.prepare('pragma journal_mode').get()?.journal_mode
    const startedMs = performance.now()
    database.prepare(read).all()
    const tookMs = performance.now() - startedMs
    const what = `${path} can be read and written (journal mode ${String(mode)}); a read takes ${tookMs.toFixed(1)} ms`
    if (mode === 'wal') return ok(check, what)
    return warn(check, what, 'the next start sets it to wal')
  } catch (thrown) {
    const mend = 'see that it is the file of this service, and its owner’s; else restore it from a backup'
    return fail(check, `${path} cannot be used: ${sentenceOf(thrown)}`, mend)
  } finally {
    database?.close()
  }
}

function permissions(check: string, path: string): Finding[] {
  if (process.platform === 'win32' || (statSync(path).mode & 0o077) === 0) return []
  return [warn(check, `${path} may be read by others`, `chmod 600 ${path}`)]
}

async function freeRoom(check: string, folder: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free >= limits.freeBytes) return []
  return [
    warn(
      check,
      `${folder} has ${Math.floor(free / 1_048_576)} MB left`,
      'make room: nothing is issued when it is full',
    ),
  ]
}
