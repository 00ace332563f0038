import { Failure } from '@countersign/contracts'
import type { Journal } from './port.ts'

export interface JournalOptions {
  /** `sqlite:<path>`, or `postgres://…` (`postgresql://…`). */
  url: string
  /** Lets PostgreSQL be reached without TLS beyond loopback. Default false. */
  allowPlaintext?: boolean
}

/**
 * Opens the journal; SQLite's file is made when missing, PostgreSQL's tables at the first use.
 * @throws Failure `invalid_request` for a URL that is none of these, `unavailable` when the file cannot be used.
 */
export async function openJournal({ url, allowPlaintext = false }: JournalOptions): Promise<Journal> {
  if (url.startsWith('sqlite:') && url.length > 'sqlite:'.length) {
    const { openSqliteJournal } = await import('./sqlite.ts')
    return openSqliteJournal(url.slice('sqlite:'.length))
  }
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { openPostgresJournal } = await import('./postgres.ts')
    return openPostgresJournal(url, allowPlaintext)
  }
  throw new Failure('invalid_request', 'audit.url must be sqlite:<path> or postgres://…')
}
