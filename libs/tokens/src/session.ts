import type { Millis, Partition } from '@countersign/contracts'
import { SessionRecord, SubjectRecord, type Attribute } from '@countersign/contracts/records'
import type { Commit } from '@countersign/store'
import { tell, type Deciding } from './deciding.ts'
import { limits } from './limits.ts'
import { isToldOtherwise, withStanding } from './standing.ts'
import { sessionKey, sessionRecord, subjectKey, subjectRecord, subjectSessions, type Versioned } from './records.ts'

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
  /** The provider's id; what the person has by signing in with it takes the place of what they had by it before. */
  readonly provider: string
  readonly roles: readonly string[]
  readonly attributes: readonly Attribute[]
}

/**
 * Adds a new session to a commit, and the subject's state where it has none yet, or has another standing. A standing that
 * changed is a fact: whoever knows something of the subject asks again, and nothing ends.
 * @returns the session and its subject, as they are once the commit is made
 * @param previous the same person's in the same browser: the browser may not use it any more, and its tokens go on
 */
export function addSession(
  commit: Commit,
  signedIn: SignedIn,
  subject: Versioned<SubjectRecord> | undefined,
  previous: Versioned<SessionRecord> | undefined,
  by: Deciding,
): { record: SessionRecord; subject: Versioned<SubjectRecord> } {
  const { partition } = commit
  const { subject: id, sessionId, provider } = signedIn
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
    provider,
    userAgent: by.asker.userAgent.slice(0, limits.userAgentCharacters).toWellFormed(),
    address: by.asker.address.slice(0, limits.addressCharacters).toWellFormed(),
    predecessors: previous ? [...previous.record.predecessors, previous.record.id].slice(-limits.predecessors) : [],
  })
  if (previous) {
    const put = sessionPut(partition, { ...previous.record, expiresAt: by.now })
    commit.checks.push({ key: put.key, version: previous.version })
    commit.puts.push(put)
  }
  commit.checks.push({ key: sessionKey(partition, sessionId), version: null })
  commit.puts.push(sessionPut(partition, record))
  const standing = addStanding(commit, signedIn, subject, by)
  const attributes = { session: sessionId, provider }
  tell(commit, by, { type: 'login.succeeded', subject: id, attributes })
  tell(commit, by, { type: 'session.started', subject: id, attributes })
  return { record, subject: standing }
}

/** @returns the subject as it is once the commit is made */
function addStanding(
  commit: Commit,
  { subject: id, provider, roles, attributes }: SignedIn,
  before: Versioned<SubjectRecord> | undefined,
  by: Deciding,
): Versioned<SubjectRecord> {
  const key = subjectKey(commit.partition, id)
  commit.checks.push({ key, version: before?.version ?? null })
  const earlier = before?.record ?? subjectRecord({ id })
  const record = withStanding(earlier, provider, { roles, attributes }, by.now)
  if (before && record === earlier) return before
  commit.puts.push({ key, value: SubjectRecord.encode(record).finish() })
  if (before && isToldOtherwise(earlier, record)) commit.facts.push({ kind: 'subject', id })
  return { record, version: commit.id }
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
