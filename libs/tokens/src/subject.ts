import { Failure, type Partition } from '@countersign/contracts'
import { SubjectRecord, type SessionRecord } from '@countersign/contracts/records'
import type { Commit } from '@countersign/store'
import { beginCommit, tell, type Deciding } from './deciding.ts'
import { limits } from './limits.ts'
import { subjectKey, subjectRecord, type Versioned } from './records.ts'
import { sessionPut } from './session.ts'
import { checkRoles, isToldOtherwise, withRoles } from './standing.ts'

/** A person's state, where it is kept. */
export interface HeldSubject {
  readonly partition: Partition
  readonly id: string
  /** Undefined: they never signed in, and nobody said anything of them. */
  readonly subject: Versioned<SubjectRecord> | undefined
}

export interface SubjectEnding extends HeldSubject {
  /** What remains: somebody who may sign in anew, somebody who may not, or no more than that there was somebody. */
  readonly as: 'signed_out' | 'disabled' | 'deleted'
  /** A session of theirs that goes on; the tokens that hang on it end as all others. */
  readonly keep?: Versioned<SessionRecord> | undefined
  readonly reason: string
}

/** Ends every session and every token of a person: whatever was issued under an earlier epoch is dead. */
export function endSubject({ as, keep, reason, ...held }: SubjectEnding, by: Deciding): Commit {
  const before = recordOf(held)
  const epoch = before.epoch + 1
  const disabledAt = before.disabledAt || (as === 'signed_out' ? 0 : by.now)
  const ended = { ...before, epoch, disabledAt }
  const isErased = as === 'deleted'
  const commit = changing(held, isErased ? erased(ended, by) : ended, by)
  if (keep) {
    const put = sessionPut(held.partition, { ...keep.record, subjectEpoch: epoch })
    commit.checks.push({ key: put.key, version: keep.version })
    commit.puts.push(put)
  }
  const sessions = keep ? 'others' : 'all'
  tell(commit, by, { type: 'session.ended', subject: held.id, reason, attributes: { sessions } })
  if (isErased && before.deletedAt === 0) tell(commit, by, { type: 'account.deleted', subject: held.id, reason })
  else if (before.disabledAt !== disabledAt) tell(commit, by, { type: 'account.disabled', subject: held.id, reason })
  commit.facts.push({ kind: 'subject', id: held.id })
  return commit
}

/** What must be known for good: that nobody signs in as them, and that no token of theirs is good. */
const erased = ({ id, epoch, disabledAt, deletedAt }: SubjectRecord, { now }: Deciding): SubjectRecord =>
  subjectRecord({ id, epoch, disabledAt, deletedAt: deletedAt || now })

/**
 * Lets a disabled person sign in again; what ended stays ended. Undefined: they may.
 * @throws Failure `not_found` when the person was deleted
 */
export function enableSubject(held: HeldSubject, reason: string, by: Deciding): Commit | undefined {
  const before = existing(held)
  if (before.disabledAt === 0) return undefined
  const commit = changing(held, { ...before, disabledAt: 0 }, by)
  tell(commit, by, { type: 'account.enabled', subject: held.id, reason })
  return commit
}

/**
 * Gives a person exactly these roles, whoever they sign in with. Tokens stay good, and tell of it from the next answer on.
 * Undefined: they had them.
 * @throws Failure `invalid_request` for roles that cannot be kept, `not_found` when the person was deleted
 */
export function setRoles(
  held: HeldSubject,
  roles: readonly string[],
  reason: string,
  by: Deciding,
): Commit | undefined {
  checkRoles(roles)
  const before = existing(held)
  const after = withRoles(before, roles)
  const [added, removed] = [without(after.roles, before.roles), without(before.roles, after.roles)]
  if (added.length === 0 && removed.length === 0) return undefined
  const commit = changing(held, after, by)
  const attributes = { added: told(added), removed: told(removed) }
  tell(commit, by, { type: 'account.roles_changed', subject: held.id, reason, attributes })
  if (held.subject && isToldOtherwise(before, after)) commit.facts.push({ kind: 'subject', id: held.id })
  return commit
}

const recordOf = ({ id, subject }: HeldSubject): SubjectRecord => subject?.record ?? subjectRecord({ id })

function existing(held: HeldSubject): SubjectRecord {
  const record = recordOf(held)
  if (record.deletedAt === 0) return record
  throw new Failure('not_found', 'this account was deleted')
}

function changing({ partition, id, subject }: HeldSubject, after: SubjectRecord, by: Deciding): Commit {
  const commit = beginCommit(by, partition)
  const key = subjectKey(partition, id)
  commit.checks.push({ key, version: subject?.version ?? null })
  commit.puts.push({ key, value: SubjectRecord.encode(after).finish() })
  return commit
}

const without = (roles: readonly string[], others: readonly string[]): string[] =>
  roles.filter((role) => !others.includes(role))

/** As JSON: a role may have any character. */
const told = (roles: readonly string[]): string => JSON.stringify(roles).slice(0, limits.toldRolesCharacters)
