import { Failure, type Millis, type Partition } from '@countersign/contracts'
import { TokenKind, TokenRecord, type ClientRecord, type GrantRecord } from '@countersign/contracts/records'
import type { Commit } from '@countersign/store'
import { grantedScope, type Client } from './client.ts'
import { fingerprintOf, type TokenFormat } from './format.ts'
import { clientKey, grantKey, tokenKey, type Versioned } from './records.ts'
import { eventOf, type Asker } from './told.ts'

/** A client's state as last read: of its home partition. */
export interface ClientState {
  readonly partition: Partition
  readonly client: Versioned<ClientRecord>
  /** The one grant that all its machine tokens hang on. */
  readonly standingGrant: Versioned<GrantRecord>
}

/** Randomness for one issue. */
export interface Randomness {
  /** 32 hex digits. */
  commitId: string
  /** 32 bytes. */
  tokenSecret: Uint8Array
}

export interface Issued {
  readonly commit: Commit
  /** The only place where the token itself is. */
  readonly token: string
  readonly scope: string
  readonly expiresInSeconds: number
}

/**
 * Decides a client credentials grant (RFC 6749 section 4.4).
 * The commit checks the client's state as given here: if that has changed, it conflicts.
 * @throws Failure `unauthorized_client`, `invalid_client`, `invalid_scope`
 */
export function issueClientCredentials(
  { client, state, scope: requested }: { client: Client; state: ClientState; scope: string | undefined },
  format: TokenFormat,
  { commitId, tokenSecret }: Randomness,
  asker: Asker,
  now: Millis,
): Issued {
  if (client.public || !client.grants.includes('client_credentials')) {
    throw new Failure('unauthorized_client', 'this client may not use client_credentials')
  }
  const { partition, standingGrant } = state
  if (state.client.record.disabledAt !== 0 || standingGrant.record.revokedAt !== 0) {
    throw new Failure('invalid_client', 'this client is disabled')
  }
  const scope = grantedScope(client.scopes, requested)
  const expiresAt = now + client.accessTokenLifetimeMs
  const { token, digest } = format.mint(TokenKind.ACCESS_TOKEN, partition, tokenSecret)
  const grant = grantKey(partition, standingGrant.record.id)
  const owner = clientKey(partition, client.id)
  const record: TokenRecord = {
    kind: TokenKind.ACCESS_TOKEN,
    grantId: standingGrant.record.id,
    scope,
    audience: [...client.audience],
    issuedAt: now,
    expiresAt,
    revokedAt: 0,
    clientEpoch: state.client.record.epoch,
    subjectEpoch: 0,
  }
  const told = {
    type: 'token.issued',
    partition,
    subject: client.id,
    clientId: client.id,
    grantId: standingGrant.record.id,
    tokenFingerprint: fingerprintOf(digest),
    scopes: scope === '' ? [] : scope.split(' '),
    reason: 'client_credentials',
  } as const
  const commit: Commit = {
    id: commitId,
    partition,
    checks: [
      { key: owner, version: state.client.version },
      { key: grant, version: standingGrant.version },
    ],
    puts: [
      {
        key: tokenKey(partition, digest),
        value: TokenRecord.encode(record).finish(),
        expiresAt,
        links: [grant, owner],
      },
    ],
    deletes: [],
    events: [eventOf(commitId, 0, asker, now, { ...told, scopes: [...told.scopes] })],
    facts: [],
  }
  return { commit, token, scope, expiresInSeconds: Math.floor(client.accessTokenLifetimeMs / 1_000) }
}
