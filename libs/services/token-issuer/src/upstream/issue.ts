import { createAccount } from '@countersign/accounts'
import { Failure } from '@countersign/contracts'
import { SubjectRecord, type AccountIndexRecord, type AccountRecord } from '@countersign/contracts/records'
import {
  accessToken,
  actorAttribute,
  actorOf,
  beginCommit,
  clientKey,
  enabledState,
  eventOf,
  fingerprintOf,
  grantedAudience,
  grantedScope,
  grantKey,
  grantPut,
  grantRecord,
  scopesOf,
  standingOf,
  subjectKey,
  subjectRecord,
  tell,
  type Deciding,
  type ExchangeTerms,
  type GrantType,
  type Issued,
  type TokenFormat,
  type Versioned,
} from '@countersign/tokens'
import { unknownIdentity } from './identity.ts'
import type { UpstreamToken } from './token.ts'

export interface UpstreamExchange extends ExchangeTerms {
  readonly token: UpstreamToken
  readonly place: AccountIndexRecord
  /** Undefined: the person is new here. */
  readonly account: AccountRecord | undefined
  readonly owner: Versioned<SubjectRecord> | undefined
  /** The pairwise `sub` for the client; empty. */
  readonly toldSubject: string
}

/** 32 random bytes, and what names the new grant. */
export interface UpstreamSecrets {
  readonly token: Uint8Array
  readonly grantId: string
}

const origin: GrantType = 'urn:ietf:params:oauth:grant-type:token-exchange'

/**
 * Decides the exchange of another issuer’s token: it begins a grant of the person’s, which ends with that token. Nothing can
 * be told from a token of how far it was meant to go here: the client’s own scopes and audience are the bound.
 * @throws Failure `invalid_client` for a disabled client, `invalid_request` for a disabled person and for one who may not be new,
 * `invalid_scope`, `invalid_target`
 */
export function exchangeUpstream(
  request: UpstreamExchange,
  format: TokenFormat,
  secrets: UpstreamSecrets,
  by: Deciding,
): Issued {
  const { client, token, place, account, owner, confirmation } = request
  const { partition, accountId: subject } = place
  const state = enabledState(request)
  if (!account && !token.mayBeNew) throw unknownIdentity()
  if ((account && account.disabledAt !== 0) || (owner && owner.record.disabledAt !== 0)) {
    throw new Failure('invalid_request', 'subject_token is of somebody who is disabled here')
  }
  const { actors, notAfter: actorExpiresAt } = actorOf(request, by.now)
  const notAfter = Math.min(token.expiresAt, actorExpiresAt)
  const grant = grantRecord({
    id: secrets.grantId,
    clientId: client.id,
    subject,
    scope: grantedScope(client.scopes, request.scope),
    audience: [...grantedAudience(client.audience, request.resources)],
    createdAt: by.now,
    expiresAt: Math.min(by.now + client.accessTokenLifetimeMs, notAfter),
    origin,
    toldSubject: request.toldSubject,
    provider: token.provider,
  })
  const { scope, audience } = grant
  const epochs = { clientEpoch: state.record.epoch, subjectEpoch: owner?.record.epoch ?? 0 }
  const standing = standingOf(owner?.record, token.provider)
  const terms = { client, partition, grant, scope, audience, ...epochs, confirmation, actors, notAfter, standing }
  const access = accessToken(terms, format, secrets.token, by.now)
  const commit = account ? beginCommit(by, partition) : beginAccount(request, by)
  const key = subjectKey(partition, subject)
  commit.checks.push(
    { key, version: owner?.version ?? null },
    { key: clientKey(partition, client.id), version: state.version },
    { key: grantKey(partition, grant.id), version: null },
  )
  if (!owner) commit.puts.push({ key, value: SubjectRecord.encode(subjectRecord({ id: subject })).finish() })
  commit.puts.push(grantPut(partition, grant), access.put)
  const told = { subject, clientId: client.id, grantId: grant.id, scopes: scopesOf(scope) }
  const { provider, issuer, fingerprint: from } = token
  tell(commit, by, { type: 'grant.created', ...told, reason: origin })
  tell(commit, by, {
    type: 'token.exchanged',
    ...told,
    tokenFingerprint: fingerprintOf(access.digest),
    attributes: { from, provider, issuer, ...actorAttribute(actors) },
  })
  return { commit, access }
}

/** A new account has nothing but its identity: what the issuer says of the person’s address binds nobody here. */
function beginAccount({ place, token }: UpstreamExchange, by: Deciding) {
  const { accountId: id, partition } = place
  const { provider, issuer, subject } = token
  const told = { type: 'account.created', partition, subject: id, attributes: { provider } } as const
  const identities = [{ provider, issuer, subject, label: '', linkedAt: by.now }]
  const draft = { id, partition, loginName: '', claims: {}, identities }
  return createAccount(by.commitId, draft, by.now, eventOf(by.commitId, 0, by.asker, by.now, told))
}
