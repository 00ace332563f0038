import { Failure, type Partition } from '@countersign/contracts'
import type { ClientRecord, Confirmation, GrantRecord } from '@countersign/contracts/records'
import type { Commit } from '@countersign/store'
import { accessToken, type AccessToken } from './access-token.ts'
import { grantedAudience, grantedScope, type Client } from './client.ts'
import { beginCommit, scopesOf, tell, type Deciding } from './deciding.ts'
import { fingerprintOf, type TokenFormat } from './format.ts'
import { clientKey, grantKey, type Versioned } from './records.ts'

/** A client's state as last read: of its home partition. */
export interface ClientState {
  readonly partition: Partition
  readonly client: Versioned<ClientRecord>
  /** The one grant that all its machine tokens hang on. */
  readonly standingGrant: Versioned<GrantRecord>
}

/** A commit, and the access token that is good once it is made. */
export interface Issued {
  readonly commit: Commit
  readonly access: AccessToken
}

/** What a machine asks for. */
export interface MachineRequest {
  readonly client: Client
  readonly state: ClientState
  readonly scope: string | undefined
  /** Resource indicators (RFC 8707). */
  readonly resources: readonly string[]
  readonly confirmation: Confirmation | undefined
}

/**
 * Decides a client credentials grant (RFC 6749 section 4.4).
 * The commit checks the client's state as given here: if that has changed, it conflicts.
 * @param tokenSecret 32 random bytes
 * @throws Failure `unauthorized_client`, `invalid_client`, `invalid_scope`, `invalid_target`
 */
export function issueClientCredentials(
  { client, state, scope: requested, resources, confirmation }: MachineRequest,
  format: TokenFormat,
  tokenSecret: Uint8Array,
  by: Deciding,
): Issued {
  if (client.public || !client.grants.includes('client_credentials')) {
    throw new Failure('unauthorized_client', 'this client may not use client_credentials')
  }
  const { partition, standingGrant } = state
  if (state.client.record.disabledAt !== 0 || standingGrant.record.revokedAt !== 0) {
    throw new Failure('invalid_client', 'this client is disabled')
  }
  const terms = {
    client,
    partition,
    grant: standingGrant.record,
    scope: grantedScope(client.scopes, requested),
    audience: grantedAudience(client.audience, resources),
    clientEpoch: state.client.record.epoch,
    subjectEpoch: 0,
    confirmation,
  }
  const access = accessToken(terms, format, tokenSecret, by.now)
  const commit = beginCommit(by, partition)
  commit.checks.push(
    { key: clientKey(partition, client.id), version: state.client.version },
    { key: grantKey(partition, standingGrant.record.id), version: standingGrant.version },
  )
  commit.puts.push(access.put)
  tell(commit, by, {
    type: 'token.issued',
    subject: client.id,
    clientId: client.id,
    grantId: standingGrant.record.id,
    tokenFingerprint: fingerprintOf(access.digest),
    scopes: scopesOf(terms.scope),
    reason: 'client_credentials',
  })
  return { commit, access }
}
