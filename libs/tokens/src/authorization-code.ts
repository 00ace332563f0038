import { Failure, type Millis, type Partition } from '@countersign/contracts'
import {
  TokenKind,
  TokenRecord,
  type AuthorizationRecord,
  type CodeTerms,
  type Confirmation,
  type GrantRecord,
  type SubjectRecord,
} from '@countersign/contracts/records'
import type { Commit } from '@countersign/store'
import { accessToken, type AccessToken } from './access-token.ts'
import type { Client } from './client.ts'
import { beginCommit, scopesOf, tell, type Deciding } from './deciding.ts'
import { fingerprintOf, type ParsedToken, type TokenFormat } from './format.ts'
import { grantPut } from './grant.ts'
import { isLive } from './introspect.ts'
import { limits } from './limits.ts'
import { matchesChallenge } from './pkce.ts'
import {
  asIfGranted,
  grantKey,
  linksOf,
  subjectCodes,
  tokenKey,
  tokenRecord,
  type Held,
  type Versioned,
} from './records.ts'
import { firstRefreshToken } from './refresh-token.ts'
import { revokeGrant } from './revoke.ts'
import { standingOf } from './standing.ts'

/** What a code is made of; the grant itself begins when it is redeemed. */
export interface CodeRequest {
  readonly request: AuthorizationRecord
  readonly grant: GrantRecord
  readonly clientEpoch: number
  readonly subjectEpoch: number
  /** The person was asked this time. */
  readonly isAgreed: boolean
}

/** Adds an authorization code (RFC 6749 section 4.1.2) to a commit. @param secret 32 random bytes */
export function addCode(
  commit: Commit,
  { request, grant, clientEpoch, subjectEpoch, isAgreed }: CodeRequest,
  format: TokenFormat,
  secret: Uint8Array,
  lifetimeMs: Millis,
  by: Deciding,
): string {
  const { partition } = commit
  const { token, digest } = format.mint(TokenKind.AUTHORIZATION_CODE, partition, secret)
  const { redirectUri, redirectNamed, codeChallenge, nonce, dpopJkt } = request
  const code: CodeTerms = { grant, redirectUri, redirectNamed, codeChallenge, nonce, dpopJkt, usedAt: 0 }
  const record = tokenRecord({
    kind: TokenKind.AUTHORIZATION_CODE,
    grantId: grant.id,
    scope: grant.scope,
    audience: grant.audience,
    issuedAt: by.now,
    expiresAt: by.now + lifetimeMs,
    clientEpoch,
    subjectEpoch,
    code,
  })
  commit.puts.push({
    key: tokenKey(partition, digest),
    value: TokenRecord.encode(record).finish(),
    expiresAt: record.expiresAt + limits.codeRememberedMs,
    listedIn: [subjectCodes(partition, grant.subject)],
    links: linksOf(partition, grant),
  })
  if (isAgreed) {
    const told = { subject: grant.subject, clientId: grant.clientId, grantId: grant.id, scopes: scopesOf(grant.scope) }
    tell(commit, by, { type: 'consent.given', ...told, reason: grant.origin })
  }
  return token
}

/**
 * Adds the end of a code that nobody has redeemed yet to a commit.
 * @param digest of the code
 * @returns false when it was redeemed, or had ended
 */
export function addCodeRevocation(
  commit: Commit,
  { record, version }: Versioned<TokenRecord>,
  digest: string,
  reason: string,
  by: Deciding,
): boolean {
  const grant = record.code?.grant
  if (!grant || record.code!.usedAt !== 0 || record.revokedAt !== 0 || record.expiresAt <= by.now) return false
  const key = tokenKey(commit.partition, digest)
  commit.checks.push({ key, version })
  commit.puts.push({
    key,
    value: TokenRecord.encode({ ...record, revokedAt: by.now }).finish(),
    expiresAt: record.expiresAt + limits.codeRememberedMs,
    links: linksOf(commit.partition, grant),
  })
  const told = { subject: grant.subject, clientId: grant.clientId, grantId: grant.id, scopes: scopesOf(record.scope) }
  tell(commit, by, { type: 'token.revoked', ...told, tokenFingerprint: fingerprintOf(digest), reason })
  commit.facts.push({ kind: 'token', id: digest })
  return true
}

/** What a client redeems a code with. */
export interface CodeRedemption {
  readonly parsed: ParsedToken
  readonly held: Held
  readonly client: Client
  readonly redirectUri: string | undefined
  readonly codeVerifier: string | undefined
  /** What the client proved to hold with this request. */
  readonly confirmation: Confirmation | undefined
}

/** Random bytes of one redemption. */
export interface RedemptionSecrets {
  /** 32 bytes each. */
  readonly access: Uint8Array
  readonly refresh: Uint8Array
}

/** The first tokens of a grant. */
export interface FirstTokens {
  readonly commit: Commit
  readonly grant: GrantRecord
  readonly access: AccessToken
  readonly refreshToken: string | undefined
}

export type Redeemed =
  | (FirstTokens & { readonly kind: 'redeemed'; readonly nonce: string })
  /** It had been redeemed: what came of it ends (RFC 6749 section 4.1.2). */
  | { readonly kind: 'reused'; readonly commit: Commit }

const refused = (why = 'the code is expired, used, or not of this client') => new Failure('invalid_grant', why)

/**
 * Decides a redemption (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
 * @throws Failure `invalid_grant`
 */
export function redeemCode(
  redemption: CodeRedemption,
  format: TokenFormat,
  secrets: RedemptionSecrets,
  by: Deciding,
): Redeemed {
  const { held, client, parsed, confirmation } = redemption
  const { record, version } = held.token
  const terms = record.code
  const grant = terms?.grant
  if (!terms || !grant || grant.clientId !== client.id) throw refused()
  if (terms.usedAt !== 0) return reused(held, parsed, by)
  if (!isLive(asIfGranted(held, terms), by.now)) throw refused()
  checkTerms(terms, redemption)
  const { partition } = parsed
  const commit = beginCommit(by, partition)
  const key = tokenKey(partition, parsed.digest)
  const used = { ...record, code: { ...terms, usedAt: by.now } }
  commit.checks.push({ key, version })
  commit.puts.push({
    key,
    value: TokenRecord.encode(used).finish(),
    expiresAt: record.expiresAt + limits.codeRememberedMs,
    links: linksOf(partition, grant),
  })
  const beginning = { client, grant, record, subject: held.subject?.record, confirmation, tokenSecrets: secrets }
  const first = addFirstTokens(commit, beginning, format, by)
  return { kind: 'redeemed', nonce: terms.nonce, ...first }
}

function checkTerms(terms: CodeTerms, { redirectUri, codeVerifier, confirmation }: CodeRedemption): void {
  if (terms.redirectNamed && redirectUri === undefined) throw refused('redirect_uri is required, as in the request')
  if (redirectUri !== undefined && redirectUri !== terms.redirectUri) throw refused('redirect_uri is not the request’s')
  if (terms.codeChallenge === '' && codeVerifier !== undefined) {
    throw refused('there was no code_challenge for this code_verifier')
  }
  if (terms.codeChallenge !== '' && !matchesChallenge(codeVerifier ?? '', terms.codeChallenge)) {
    throw refused('code_verifier does not match the code_challenge')
  }
  if (terms.dpopJkt !== '' && terms.dpopJkt !== confirmation?.jkt)
    throw refused('the code is bound to another DPoP key')
}

function reused({ grant }: Held, { partition, digest }: ParsedToken, by: Deciding): Redeemed {
  const commit = grant && revokeGrant({ partition, grant, reason: 'code_reused' }, by)
  if (!commit) throw refused()
  tell(commit, by, {
    type: 'token.reuse_detected',
    subject: grant!.record.subject,
    clientId: grant!.record.clientId,
    grantId: grant!.record.id,
    tokenFingerprint: fingerprintOf(digest),
    reason: 'authorization_code',
  })
  return { kind: 'reused', commit }
}

export interface GrantBeginning {
  readonly client: Client
  readonly grant: GrantRecord
  readonly record: Pick<TokenRecord, 'clientEpoch' | 'subjectEpoch'>
  readonly subject: SubjectRecord | undefined
  readonly confirmation: Confirmation | undefined
  readonly tokenSecrets: RedemptionSecrets
}

/** Adds a grant and its first tokens to a commit; a refresh token where the client may refresh. */
export function addFirstTokens(
  commit: Commit,
  beginning: GrantBeginning,
  format: TokenFormat,
  by: Deciding,
): FirstTokens {
  const { client, grant: agreed, record, subject, confirmation, tokenSecrets } = beginning
  const { clientEpoch, subjectEpoch } = record
  const partition: Partition = commit.partition
  // It was reckoned from the agreement; the first access token begins now.
  const grant = { ...agreed, expiresAt: Math.max(agreed.expiresAt, by.now + client.accessTokenLifetimeMs) }
  const { scope, audience } = grant
  const terms = { client, partition, grant, scope, audience, clientEpoch, subjectEpoch, confirmation }
  const standing = standingOf(subject, grant.provider)
  const access = accessToken({ ...terms, standing }, format, tokenSecrets.access, by.now)
  commit.checks.push({ key: grantKey(partition, grant.id), version: null })
  commit.puts.push(grantPut(partition, grant), access.put)
  const told = { subject: grant.subject, clientId: grant.clientId, grantId: grant.id, scopes: scopesOf(scope) }
  tell(commit, by, { type: 'grant.created', ...told, reason: grant.origin })
  tell(commit, by, {
    type: 'token.issued',
    ...told,
    tokenFingerprint: fingerprintOf(access.digest),
    reason: grant.origin,
  })
  if (!client.grants.includes('refresh_token')) return { commit, grant, access, refreshToken: undefined }
  // A confidential client proves who it is at each refresh, and may change its key then.
  const bound = client.public ? confirmation : undefined
  const refresh = firstRefreshToken(
    { grant, partition, clientEpoch, subjectEpoch, confirmation: bound },
    format,
    tokenSecrets.refresh,
    by.now,
  )
  commit.puts.push(refresh.put)
  return { commit, grant, access, refreshToken: refresh.token }
}
