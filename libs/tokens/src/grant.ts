import type { Millis, Partition } from '@countersign/contracts'
import { GrantRecord, type SessionRecord } from '@countersign/contracts/records'
import type { Put } from '@countersign/store'
import type { Client, GrantType } from './client.ts'
import { scopesOf } from './deciding.ts'
import { clientKey, grantKey, grantRecord, sessionGrants, subjectGrants } from './records.ts'

/** What a person agreed to. */
export interface Agreed {
  readonly client: Client
  readonly subject: string
  readonly session: SessionRecord
  readonly scope: string
  readonly audience: readonly string[]
  /** The `claims` parameter, as JSON; empty. */
  readonly claims: string
  readonly origin: GrantType
  /** `sub` for this client where that is pairwise; empty. */
  readonly toldSubject: string
}

/** The grant that an agreement makes. It outlives the session only with `offline_access` (OpenID Connect Core section 11). */
export function grantOf(agreed: Agreed, id: string, now: Millis): GrantRecord {
  const { client, session, subject, scope } = agreed
  const isRefreshable = client.grants.includes('refresh_token')
  return grantRecord({
    id,
    clientId: client.id,
    subject,
    sessionId: scopesOf(scope).includes('offline_access') ? '' : session.id,
    scope,
    createdAt: now,
    audience: [...agreed.audience],
    expiresAt: now + Math.max(client.accessTokenLifetimeMs, isRefreshable ? client.refreshTokenLifetimeMs : 0),
    origin: agreed.origin,
    browserSessionId: session.id,
    authenticatedAt: session.authenticatedAt,
    amr: session.amr,
    acr: session.acr,
    claims: agreed.claims,
    toldSubject: agreed.toldSubject,
    provider: session.provider,
  })
}

/** A grant; a person's, where whoever ends a session or signs the person out finds it. */
export const grantPut = (partition: Partition, grant: GrantRecord): Put => ({
  key: grantKey(partition, grant.id),
  value: GrantRecord.encode(grant).finish(),
  ...(grant.expiresAt !== 0 && { expiresAt: grant.expiresAt }),
  ...(grant.subject !== '' && {
    listedIn: [
      subjectGrants(partition, grant.subject),
      ...(grant.browserSessionId === '' ? [] : [sessionGrants(partition, grant.browserSessionId)]),
    ],
  }),
  links: [clientKey(partition, grant.clientId)],
})
