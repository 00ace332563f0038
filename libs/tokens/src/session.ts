import type { Millis, Partition } from '@countersign/contracts'
import { SessionRecord, SubjectRecord } from '@countersign/contracts/records'
import type { Commit } from '@countersign/store'
import { tell, type Deciding } from './deciding.ts'
import { limits } from './limits.ts'
import { sessionKey, sessionRecord, subjectKey, subjectSessions, type Versioned } from './records.ts'

/** How a person signed in. */
export interface SignedIn {
  readonly subject: string
  /** base64url SHA-256 of the cookie's value. */
  readonly sessionId: string
  /** RFC 8176. */
  readonly amr: readonly string[]
  readonly acr: string
  readonly idleMs: Millis
  readonly absoluteMs: Millis
  /** Longest time that a token of it can be good. */
  readonly keptMs: Millis
  readonly provider: string
}

/**
 * Adds a new session to a commit, and the subject's state where it has none yet.
 * @param previous the same person's in the same browser: the browser may not use it any more, and its tokens go on
 */
export function addSession(
  commit: Commit,
  signedIn: SignedIn,
  subject: Versioned<SubjectRecord> | undefined,
  previous: Versioned<SessionRecord> | undefined,
  by: Deciding,
): SessionRecord {
  const { partition } = commit
  const { subject: id, sessionId } = signedIn
  const owner = subjectKey(partition, id)
  const record = sessionRecord({
    id: sessionId,
    subject: id,
    startedAt: by.now,
    usedAt: by.now,
    authenticatedAt: by.now,
    expiresAt: by.now + signedIn.absoluteMs,
    keptUntil: by.now + Math.max(signedIn.absoluteMs, signedIn.keptMs),
    idleMs: signedIn.idleMs,
    amr: [...signedIn.amr],
    acr: signedIn.acr,
    subjectEpoch: subject?.record.epoch ?? 0,
    predecessors: previous ? [...previous.record.predecessors, previous.record.id].slice(-limits.predecessors) : [],
  })
  if (previous) {
    const put = sessionPut(partition, { ...previous.record, expiresAt: by.now })
    commit.checks.push({ key: put.key, version: previous.version })
    commit.puts.push(put)
  }
  commit.checks.push(
    { key: owner, version: subject?.version ?? null },
    { key: sessionKey(partition, sessionId), version: null },
  )
  if (!subject) {
    commit.puts.push({ key: owner, value: SubjectRecord.encode({ id, epoch: 0, disabledAt: 0 }).finish() })
  }
  commit.puts.push(sessionPut(partition, record))
  const attributes = { session: sessionId, provider: signedIn.provider }
  tell(commit, by, { type: 'login.succeeded', subject: id, attributes })
  tell(commit, by, { type: 'session.started', subject: id, attributes })
  return record
}

/** A session, linked to its subject, as {@link isBrowserSession} wants them. */
export const sessionPut = (partition: Partition, record: SessionRecord) => ({
  key: sessionKey(partition, record.id),
  value: SessionRecord.encode(record).finish(),
  expiresAt: record.keptUntil,
  listedIn: [subjectSessions(partition, record.subject)],
  links: [subjectKey(partition, record.subject)],
})

/** Whether a browser may go on using a session. */
export function isBrowserSession(
  session: SessionRecord | undefined,
  subject: SubjectRecord | undefined,
  now: Millis,
): session is SessionRecord {
  if (!session || !subject || session.endedAt !== 0 || subject.disabledAt !== 0) return false
  return session.subjectEpoch === subject.epoch && now < session.expiresAt && now < session.usedAt + session.idleMs
}
