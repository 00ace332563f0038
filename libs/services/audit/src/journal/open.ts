import { Failure } from '@countersign/contracts'
import type { Journal } from './port.ts'

export interface JournalTls {
  ca?: string | undefined
  /** Our own certificate, where the server asks for one. */
  cert?: string | undefined
  key?: string | undefined
}

export interface JournalOptions {
  /** `sqlite:<path>`, or `postgres://…` (`postgresql://…`). */
  url: string
  /** Lets PostgreSQL be reached without TLS beyond loopback. Default false. */
  allowPlaintext?: boolean
  /** TLS to PostgreSQL, verified against these authorities (or those that Node.js knows); PEM texts. */
  tls?: JournalTls | undefined
}

/**
 * Opens the journal; SQLite's file is made when missing, PostgreSQL's tables at the first use.
 * @throws Failure `invalid_request` for a URL that is none of these, `unavailable` when the file cannot be used.
 */
export async function openJournal({ url, allowPlaintext = false, tls }: JournalOptions): Promise<Journal> {
  if (url.startsWith('sqlite:') && url.length > 'sqlite:'.length) {
    const { openSqliteJournal } = await import('./sqlite.ts')
    return openSqliteJournal(url.slice('sqlite:'.length))
  }
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { openPostgresJournal } = await import('./postgres.ts')
    return openPostgresJournal(url, allowPlaintext, tls)
  }
  throw new Failure('invalid_request', 'audit.url must be sqlite:<path> or postgres://…')
}
