import type { Partition } from '@countersign/contracts'
import { TokenKind, TokenRecord, type GrantRecord, type SessionRecord } from '@countersign/contracts/records'
import type { Commit } from '@countersign/store'
import type { Client } from './client.ts'
import { beginCommit, scopesOf, tell, type Deciding } from './deciding.ts'
import { fingerprintOf, type ParsedToken } from './format.ts'
import { grantPut } from './grant.ts'
import { linksOf, ownerOf, tokenKey, type Held, type Versioned } from './records.ts'
import { sessionPut } from './session.ts'

/** Where a token's record is. */
export type TokenPlace = Pick<ParsedToken, 'partition' | 'digest' | 'recordDigest'>

/**
 * Decides a client's revocation of a token (RFC 7009). Undefined: nothing to do, which the client is not told apart
 * (unknown, expired, revoked before, or another client's). A refresh token takes its whole grant with it (section 2.1).
 */
export function revokeToken(
  { held, parsed, client }: { held: Held; parsed: TokenPlace; client: Client },
  by: Deciding,
): Commit | undefined {
  const { token, grant } = held
  if (!grant || ownerOf(token.record, grant.record) !== client.id) return undefined
  // A used code is remembered, so that its next use is noticed; no client may have it forgotten sooner.
  if (token.record.kind === TokenKind.AUTHORIZATION_CODE) return undefined
  return revokeHeld(held, parsed, 'revoked_by_client', by)
}

/** Takes back a token, whoever's it is. */
export function revokeHeld(
  { token, grant }: Held,
  { partition, digest, recordDigest }: TokenPlace,
  reason: string,
  by: Deciding,
): Commit | undefined {
  if (!grant || token.record.revokedAt !== 0 || token.record.expiresAt <= by.now) return undefined
  if (token.record.kind === TokenKind.REFRESH_TOKEN) return revokeGrant({ partition, grant, reason }, by)
  const key = tokenKey(partition, recordDigest)
  const owner = ownerOf(token.record, grant.record)
  const links = linksOf(partition, grant.record, owner)
  for (const ancestor of token.record.ancestors) links.push(tokenKey(partition, ancestor))
  const commit = beginCommit(by, partition)
  commit.checks.push({ key, version: token.version })
  // The record stays, revoked, until it would have expired: a fact is never taken back, nor forgotten early.
  commit.puts.push({
    key,
    value: TokenRecord.encode({ ...token.record, revokedAt: by.now }).finish(),
    expiresAt: token.record.expiresAt,
    links,
  })
  tell(commit, by, {
    type: 'token.revoked',
    subject: grant.record.subject || grant.record.clientId,
    clientId: owner,
    grantId: grant.record.id,
    tokenFingerprint: fingerprintOf(digest),
    scopes: scopesOf(token.record.scope),
    reason,
  })
  commit.facts.push({ kind: 'token', id: recordDigest })
  return commit
}

/** Ends a grant: every code and token that descends from it. Undefined: it had ended. */
export function revokeGrant(
  { partition, grant, reason }: { partition: Partition; grant: Versioned<GrantRecord>; reason: string },
  by: Deciding,
): Commit | undefined {
  const commit = beginCommit(by, partition)
  return addGrantRevocation(commit, grant, reason, by) ? commit : undefined
}

/** Adds the end of a grant to a commit. @returns false when it had ended */
export function addGrantRevocation(
  commit: Commit,
  { record, version }: Versioned<GrantRecord>,
  reason: string,
  by: Deciding,
): boolean {
  if (record.revokedAt !== 0) return false
  const put = grantPut(commit.partition, { ...record, revokedAt: by.now })
  commit.checks.push({ key: put.key, version })
  commit.puts.push(put)
  tell(commit, by, {
    type: 'grant.revoked',
    subject: record.subject || record.clientId,
    clientId: record.clientId,
    grantId: record.id,
    scopes: scopesOf(record.scope),
    reason,
  })
  commit.facts.push({ kind: 'grant', id: record.id })
  return true
}

/** Ends browser sessions of one person, and every grant that does not outlive them. Undefined: they had ended. */
export function endSessions(
  {
    partition,
    sessions,
    reason,
  }: { partition: Partition; sessions: readonly Versioned<SessionRecord>[]; reason: string },
  by: Deciding,
): Commit | undefined {
  const commit = beginCommit(by, partition)
  for (const { record, version } of sessions) {
    if (record.endedAt !== 0) continue
    const put = sessionPut(partition, { ...record, endedAt: by.now })
    commit.checks.push({ key: put.key, version })
    commit.puts.push(put)
    tell(commit, by, { type: 'session.ended', subject: record.subject, reason, attributes: { session: record.id } })
    commit.facts.push({ kind: 'session', id: record.id })
  }
  return commit.facts.length > 0 ? commit : undefined
}
