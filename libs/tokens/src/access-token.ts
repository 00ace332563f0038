import type { Millis, Partition } from '@countersign/contracts'
import { TokenKind, TokenRecord, type Confirmation, type GrantRecord } from '@countersign/contracts/records'
import type { Put } from '@countersign/store'
import type { Client } from './client.ts'
import type { Minting } from './format.ts'
import type { Standing } from './standing.ts'
import { linksOf, tokenKey, tokenRecord } from './records.ts'

/** What an access token is to be good for. */
export interface AccessTerms {
  readonly client: Client
  readonly partition: Partition
  readonly grant: GrantRecord
  readonly scope: string
  readonly audience: readonly string[]
  readonly clientEpoch: number
  readonly subjectEpoch: number
  readonly confirmation: Confirmation | undefined
  /** Of its person, as it is now; a machine has none. */
  readonly standing?: Standing
  /** Where it was exchanged: what from, and for whom. */
  readonly ancestors?: readonly string[]
  readonly actors?: readonly string[]
  /** No later than this, milliseconds; the client's lifetime apart. */
  readonly notAfter?: Millis
}

export interface AccessToken {
  /** The token itself; undefined where it is a JWT, which is yet to be signed. */
  readonly opaque: string | undefined
  /** What its record is kept under; a JWT's `jti`. */
  readonly digest: string
  readonly record: TokenRecord
  readonly terms: AccessTerms
  readonly put: Put
}

const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const jwtIdCharacters = 22

/** A JWT's `jti`: its partition as one character of base64url, then 126 random bits. It is no credential by itself. */
export const jwtIdOf = (partition: Partition, secret: Uint8Array): string =>
  base64url[partition]! +
  Buffer.from(secret)
    .toString('base64url')
    .slice(0, jwtIdCharacters - 1)

/** Where the record of a JWT of ours is; undefined for what is no such `jti`. */
export function parseJwtId(jti: unknown): { partition: Partition; digest: string } | undefined {
  if (typeof jti !== 'string' || !/^[A-Za-z0-9_-]{22}$/.test(jti)) return undefined
  return { partition: base64url.indexOf(jti[0]!), digest: jti }
}

/** An access token under a grant (RFC 6749 section 1.4). @param secret 32 random bytes */
export function accessToken(terms: AccessTerms, format: Minting, secret: Uint8Array, now: Millis): AccessToken {
  const { client, partition, grant, ancestors = [], actors = [], confirmation } = terms
  const minted =
    client.accessTokenFormat === 'jwt'
      ? { token: undefined, digest: jwtIdOf(partition, secret) }
      : format.mint(TokenKind.ACCESS_TOKEN, partition, secret)
  const expiresAt = Math.min(now + client.accessTokenLifetimeMs, terms.notAfter ?? Infinity)
  const record = tokenRecord({
    kind: TokenKind.ACCESS_TOKEN,
    grantId: grant.id,
    scope: terms.scope,
    audience: [...terms.audience],
    issuedAt: now,
    expiresAt,
    clientEpoch: terms.clientEpoch,
    subjectEpoch: terms.subjectEpoch,
    clientId: client.id === grant.clientId ? '' : client.id,
    ancestors: [...ancestors],
    actors: [...actors],
    confirmation,
  })
  const links = linksOf(partition, grant, client.id)
  for (const ancestor of ancestors) links.push(tokenKey(partition, ancestor))
  return {
    opaque: minted.token,
    digest: minted.digest,
    record,
    terms,
    put: { key: tokenKey(partition, minted.digest), value: TokenRecord.encode(record).finish(), expiresAt, links },
  }
}
