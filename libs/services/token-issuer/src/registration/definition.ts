import type { RegistrationRecord } from '@countersign/contracts/records'
import type { ClientDefinition, ResourceDefinition, TokenLifetimes } from '@countersign/tokens'
import { sectorOf, type ClientMetadata } from './metadata.ts'

/** What the configuration says of clients that register themselves. */
export interface RegistrationSettings {
  readonly enabled: boolean
  /** Whoever has one of these may register. */
  readonly initialAccessTokens: readonly { reveal(): string }[]
  /** What registered clients may have at most. */
  readonly scopes: readonly string[]
  readonly grants: readonly string[]
  /** Ids of the resources that their tokens are for. */
  readonly audience: readonly string[]
}

export interface RegisteredClientSettings {
  readonly registration: RegistrationSettings
  readonly resources: readonly ResourceDefinition[]
  readonly lifetimes: TokenLifetimes
}

/** A registered client, as if it stood in the configuration; scopes and grants that are no longer allowed are gone. */
export function definitionOf(
  { clientId, secretHash }: RegistrationRecord,
  metadata: ClientMetadata,
  { registration }: RegisteredClientSettings,
): ClientDefinition {
  const allowed = new Set(registration.scopes)
  const scopes = metadata.scope.split(' ').filter((scope) => allowed.has(scope))
  return {
    id: clientId,
    registeredItself: true,
    consent: true,
    public: metadata.token_endpoint_auth_method === 'none',
    authenticationMethod: metadata.token_endpoint_auth_method,
    secret: secretHash === '' ? undefined : { reveal: () => secretHash },
    tlsClientAuthSanDns: metadata.tls_client_auth_san_dns,
    tlsClientAuthSubjectDn: metadata.tls_client_auth_subject_dn,
    jwks: metadata.jwks,
    jwksUri: metadata.jwks_uri,
    grants: metadata.grant_types.filter((grant) => registration.grants.includes(grant)),
    scopes,
    audience: registration.audience,
    redirectUris: metadata.redirect_uris,
    requirePushedRequests: metadata.require_pushed_authorization_requests,
    requireDpop: metadata.dpop_bound_access_tokens,
    bindCertificate: metadata.tls_client_certificate_bound_access_tokens,
    idTokenAlgorithm: metadata.id_token_signed_response_alg,
    pairwiseSector: metadata.subject_type === 'pairwise' ? sectorOf(metadata) : undefined,
    postLogoutRedirectUris: metadata.post_logout_redirect_uris,
    backchannelLogoutUri: metadata.backchannel_logout_uri,
    name: metadata.client_name,
    uri: metadata.client_uri,
    logoUri: metadata.logo_uri,
    policyUri: metadata.policy_uri,
    tosUri: metadata.tos_uri,
  }
}
