import type { Millis } from '@countersign/contracts'
import { TokenRecord } from '@countersign/contracts/records'
import type { Commit } from '@countersign/store'
import type { Client } from './client.ts'
import { fingerprintOf, type ParsedToken } from './format.ts'
import { clientKey, grantKey, sessionKey, subjectKey, tokenKey, type Held } from './records.ts'
import { eventOf, type Asker } from './told.ts'

/**
 * Decides a client's revocation of a token (RFC 7009). Undefined: nothing to do, which the client is not told apart
 * (unknown, expired, revoked before, or another client's).
 */
export function revokeToken(
  { held, parsed, client }: { held: Held; parsed: ParsedToken; client: Client },
  commitId: string,
  asker: Asker,
  now: Millis,
): Commit | undefined {
  const { token, grant } = held
  if (grant?.record.clientId !== client.id) return undefined
  if (token.record.revokedAt !== 0 || token.record.expiresAt <= now) return undefined
  const { partition, digest } = parsed
  const links = [grantKey(partition, grant.record.id), clientKey(partition, client.id)]
  if (grant.record.subject !== '') links.push(subjectKey(partition, grant.record.subject))
  if (grant.record.sessionId !== '') links.push(sessionKey(partition, grant.record.sessionId))
  const key = tokenKey(partition, digest)
  return {
    id: commitId,
    partition,
    checks: [{ key, version: token.version }],
    // The record stays, revoked, until it would have expired: a fact is never taken back, nor forgotten early.
    puts: [
      {
        key,
        value: TokenRecord.encode({ ...token.record, revokedAt: now }).finish(),
        expiresAt: token.record.expiresAt,
        links,
      },
    ],
    deletes: [],
    events: [
      eventOf(commitId, 0, asker, now, {
        type: 'token.revoked',
        partition,
        subject: grant.record.subject || grant.record.clientId,
        clientId: client.id,
        grantId: grant.record.id,
        tokenFingerprint: fingerprintOf(digest),
        scopes: token.record.scope === '' ? [] : token.record.scope.split(' '),
        reason: 'revoked_by_client',
      }),
    ],
    facts: [{ kind: 'token', id: digest }],
  }
}
