import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto'
import { Failure, type Millis, type Partition } from '@countersign/contracts'
import {
  TokenKind,
  TokenRecord,
  type Confirmation,
  type Family,
  type GrantRecord,
} from '@countersign/contracts/records'
import type { Commit, Put } from '@countersign/store'
import { accessToken, type AccessToken } from './access-token.ts'
import { grantedAudience, grantedScope, type Client } from './client.ts'
import { beginCommit, scopesOf, tell, type Deciding } from './deciding.ts'
import {
  familyBytes,
  familyDigestOf,
  fingerprintOf,
  type Minting,
  type ParsedToken,
  type TokenFormat,
} from './format.ts'
import { isLive } from './introspect.ts'
import { limits } from './limits.ts'
import { clientIn, linksOf, tokenKey, tokenRecord, type Held } from './records.ts'
import { revokeGrant } from './revoke.ts'
import { standingOf } from './standing.ts'

/** What a refresh token's successor is derived under, so that nothing readable of it need be kept. */
export const successorKeyFrom = (masterKey: Uint8Array): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', 'countersign refresh successor v1', 32)))

const derive = (key: KeyObject, what: 'refresh' | 'access', token: string): Buffer =>
  createHmac('sha256', key).update(what).update('\0').update(token).digest()

interface Successors {
  refresh: { token: string; digest: string }
  accessSecret: Buffer
  /** What the access token is minted with, too. */
  format: Minting
}

function successorsOf(key: KeyObject, token: string, parsed: ParsedToken, format: Minting): Successors {
  const secret = Buffer.concat([parsed.family!, derive(key, 'refresh', token).subarray(0, familyBytes)])
  return {
    refresh: format.mint(TokenKind.REFRESH_TOKEN, parsed.partition, secret),
    accessSecret: derive(key, 'access', token),
    format,
  }
}

/** The first refresh token of a grant. @param secret 32 random bytes */
export function firstRefreshToken(
  { grant, partition, clientEpoch, subjectEpoch, confirmation }: RefreshTerms,
  format: TokenFormat,
  secret: Uint8Array,
  now: Millis,
): { token: string; digest: string; put: Put } {
  const { token, digest } = format.mint(TokenKind.REFRESH_TOKEN, partition, secret)
  const record = tokenRecord({
    kind: TokenKind.REFRESH_TOKEN,
    grantId: grant.id,
    scope: grant.scope,
    audience: grant.audience,
    issuedAt: now,
    expiresAt: grant.expiresAt,
    clientEpoch,
    subjectEpoch,
    confirmation,
    family: { current: digest, rotations: [] },
  })
  const key = tokenKey(partition, familyDigestOf(secret.subarray(0, familyBytes)))
  return { token, digest, put: familyPut(key, record, partition, grant) }
}

export interface RefreshTerms {
  readonly grant: GrantRecord
  readonly partition: Partition
  readonly clientEpoch: number
  readonly subjectEpoch: number
  /** What whoever refreshes must prove to hold: of a public client alone, for others authenticate (RFC 9449 section 5). */
  readonly confirmation: Confirmation | undefined
}

const familyPut = (key: string, record: TokenRecord, partition: Partition, grant: GrantRecord): Put => ({
  key,
  value: TokenRecord.encode(record).finish(),
  expiresAt: record.expiresAt,
  links: linksOf(partition, grant),
})

export interface RefreshRequest {
  readonly token: string
  readonly parsed: ParsedToken
  readonly held: Held
  readonly client: Client
  readonly scope: string | undefined
  readonly resources: readonly string[]
  /** What the client proved to hold with this request. */
  readonly confirmation: Confirmation | undefined
}

export type Refreshed =
  | { readonly kind: 'rotated'; readonly commit: Commit; readonly access: AccessToken; readonly refreshToken: string }
  /** The same answer as before: the access token's record is `access.put.key`'s, if that is there still. */
  | { readonly kind: 'repeated'; readonly access: AccessToken; readonly refreshToken: string }
  /** A rotated token was used once more, after its grace: somebody has a copy. The whole family ends. */
  | { readonly kind: 'reused'; readonly commit: Commit }

const refused = () => new Failure('invalid_grant', 'the refresh token is expired, revoked, or not of this client')

/**
 * Decides a refresh (RFC 6749 section 6) with rotation (RFC 9700 section 4.14.2). Whatever uses a token within the grace
 * after its rotation gets the successor that the first use got.
 * @param keys current first, then the one before
 * @throws Failure `invalid_grant`, `invalid_scope`, `invalid_target`
 */
export function refresh(
  request: RefreshRequest,
  format: TokenFormat,
  keys: readonly KeyObject[],
  graceMs: Millis,
  by: Deciding,
): Refreshed {
  const { held, client, parsed, token } = request
  const { record } = held.token
  const { grant } = held
  if (!grant || record.kind !== TokenKind.REFRESH_TOKEN || grant.record.clientId !== client.id) throw refused()
  if (!record.family || !isLive(held, by.now)) throw refused()
  if (!holdsKey(record.confirmation, request.confirmation)) {
    throw new Failure('invalid_grant', 'this refresh token is bound to another key')
  }
  const { current, rotations } = record.family
  if (current === parsed.digest) return rotate(request, record, grant.record, format, keys[0]!, graceMs, by)
  const at = rotations.findIndex(({ digest }) => digest === parsed.digest)
  const rotation = rotations[at]
  if (rotation && by.now - rotation.rotatedAt <= graceMs) {
    const successor = rotations[at + 1]?.digest ?? current
    // A token has the tag of the master key that it was minted under.
    const derived = keys.map((key, n) => successorsOf(key, token, parsed, n === 0 ? format : (format.before ?? format)))
    const known = derived.find(({ refresh: { digest } }) => digest === successor)
    if (!known) throw refused()
    const access = successorAccess(request, record, grant.record, known, by.now)
    return { kind: 'repeated', refreshToken: known.refresh.token, access }
  }
  const commit = revokeGrant({ partition: parsed.partition, grant, reason: 'refresh_token_reused' }, by)
  if (!commit) throw refused()
  tell(commit, by, {
    type: 'token.reuse_detected',
    subject: grant.record.subject,
    clientId: client.id,
    grantId: grant.record.id,
    tokenFingerprint: fingerprintOf(parsed.digest),
    reason: 'refresh_token',
  })
  return { kind: 'reused', commit }
}

function successorAccess(
  { client, held, parsed, scope, resources, confirmation }: RefreshRequest,
  record: TokenRecord,
  grant: GrantRecord,
  { accessSecret, format }: Successors,
  now: Millis,
): AccessToken {
  const terms = {
    client,
    partition: parsed.partition,
    grant,
    // What was taken from the client since, it does not get again.
    scope: grantedScope(
      scopesOf(record.scope).filter((each) => client.scopes.includes(each)),
      scope,
    ),
    audience: grantedAudience(
      record.audience.filter((each) => client.audience.includes(each)),
      resources,
    ),
    clientEpoch: clientIn(held, client.id)!.record.epoch,
    subjectEpoch: record.subjectEpoch,
    confirmation,
    notAfter: grant.expiresAt,
    standing: standingOf(held.subject?.record, grant.provider),
  }
  return accessToken(terms, format, accessSecret, now)
}

function rotate(
  request: RefreshRequest,
  record: TokenRecord,
  grant: GrantRecord,
  format: TokenFormat,
  key: KeyObject,
  graceMs: Millis,
  by: Deciding,
): Refreshed {
  const { parsed, held } = request
  const { partition } = parsed
  const successors = successorsOf(key, request.token, parsed, format)
  const access = successorAccess(request, record, grant, successors, by.now)
  const family: Family = {
    current: successors.refresh.digest,
    rotations: [
      ...record.family!.rotations.filter(({ rotatedAt }) => by.now - rotatedAt <= graceMs),
      { digest: parsed.digest, rotatedAt: by.now },
    ].slice(-limits.rotationsKept),
  }
  const familyKey = tokenKey(partition, parsed.recordDigest)
  const commit = beginCommit(by, partition)
  commit.checks.push({ key: familyKey, version: held.token.version })
  commit.puts.push(familyPut(familyKey, { ...record, family }, partition, grant), access.put)
  tell(commit, by, {
    type: 'token.refreshed',
    subject: grant.subject,
    clientId: grant.clientId,
    grantId: grant.id,
    tokenFingerprint: fingerprintOf(access.digest),
    scopes: scopesOf(access.record.scope),
  })
  return { kind: 'rotated', commit, access, refreshToken: successors.refresh.token }
}

/** Whether what was proven is what a token is bound to. */
export function holdsKey(bound: Confirmation | undefined, proven: Confirmation | undefined): boolean {
  if (!bound) return true
  const same = (one: string, other: string) =>
    one === '' || (one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other)))
  return same(bound.jkt, proven?.jkt ?? '') && same(bound.x5tS256, proven?.x5tS256 ?? '')
}
