import { claimNames } from '@countersign/accounts'
import { problemFailure, type HttpAnswer, type Route } from '@countersign/chassis'
import {
  authenticationMethods,
  grantTypes,
  proofAlgorithms,
  responseModes,
  signingAlgorithms,
  type AuthenticationMethod,
} from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { limits } from './limits.ts'

/** What is on, as the configuration says. */
export interface Features {
  readonly issuer: string
  /** Scopes that resources define. */
  readonly scopes: () => readonly string[]
  readonly requestObjects: 'refused' | 'signed'
  readonly requirePushedRequests: boolean
  readonly registration: () => boolean
  /** Clients may authenticate by their certificates, and have tokens bound to them (RFC 8705). */
  readonly mutualTls: boolean
}

/** Scopes that stand for claims, and for tokens that outlive the session (OpenID Connect Core sections 5.4 and 11). */
const openidScopes = ['openid', 'profile', 'email', 'address', 'phone', 'roles', 'offline_access']

/** How clients authenticate here; by certificates only where those can arrive. */
export const authenticationMethodsOf = (mutualTls: boolean): AuthenticationMethod[] =>
  authenticationMethods.filter((method) => mutualTls || !method.endsWith('tls_client_auth'))

/** What is on, and nothing else (RFC 8414 section 2, and the documents that extend it). */
export function authorizationServerMetadata(features: Features): Record<string, unknown> {
  const { issuer, mutualTls, requestObjects } = features
  const methods = authenticationMethodsOf(mutualTls)
  const confidential = methods.filter((method) => method !== 'none')
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth2/authorize`,
    token_endpoint: `${issuer}/oauth2/token`,
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: proofAlgorithms,
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: proofAlgorithms,
    introspection_endpoint: `${issuer}/oauth2/introspect`,
    introspection_endpoint_auth_methods_supported: confidential,
    introspection_endpoint_auth_signing_alg_values_supported: proofAlgorithms,
    introspection_signing_alg_values_supported: signingAlgorithms,
    pushed_authorization_request_endpoint: `${issuer}/oauth2/par`,
    require_pushed_authorization_requests: features.requirePushedRequests,
    device_authorization_endpoint: `${issuer}/oauth2/device_authorization`,
    ...(features.registration() && { registration_endpoint: `${issuer}/oauth2/register` }),
    jwks_uri: `${issuer}/oauth2/jwks`,
    scopes_supported: [...new Set([...openidScopes, ...features.scopes()])],
    response_types_supported: ['code'],
    response_modes_supported: responseModes,
    grant_types_supported: grantTypes,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    dpop_signing_alg_values_supported: proofAlgorithms,
    tls_client_certificate_bound_access_tokens: mutualTls,
    request_parameter_supported: requestObjects === 'signed',
    request_uri_parameter_supported: false,
    ...(requestObjects === 'signed' && { request_object_signing_alg_values_supported: proofAlgorithms }),
  }
}

/** OpenID Connect Discovery 1.0 section 3, and the logout documents. */
const openidMetadata = ({ issuer }: Features) => ({
  userinfo_endpoint: `${issuer}/oauth2/userinfo`,
  end_session_endpoint: `${issuer}/oauth2/logout`,
  backchannel_logout_supported: true,
  backchannel_logout_session_supported: true,
  subject_types_supported: ['public', 'pairwise'],
  id_token_signing_alg_values_supported: signingAlgorithms,
  claim_types_supported: ['normal'],
  claims_parameter_supported: true,
  claims_supported: ['sub', 'auth_time', 'acr', 'amr', 'sid', 'roles', 'attributes', ...claimNames],
  display_values_supported: ['page', 'popup'],
  prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
  ui_locales_supported: ['en'],
})

const published = (body: string, type = 'application/json'): HttpAnswer => ({
  status: 200,
  headers: {
    'content-type': type,
    'cache-control': `public, max-age=${limits.jwksMaxAgeSeconds}`,
  },
  body,
})

const document = (path: string, get: () => HttpAnswer | Promise<HttpAnswer>): Route => ({
  path,
  isForAnyOrigin: true,
  methods: { GET: get },
  onFailure: problemFailure,
})

/** Both discovery documents and the key set. What changes with the configuration is asked on each request. */
export function metadataRoutes(features: Features, keyRing: Pick<KeyRing, 'publicKeys'>): Route[] {
  const metadata = () => authorizationServerMetadata(features)
  return [
    document('/.well-known/oauth-authorization-server', () => published(JSON.stringify(metadata()))),
    document('/.well-known/openid-configuration', () =>
      published(JSON.stringify({ ...metadata(), ...openidMetadata(features) })),
    ),
    document('/oauth2/jwks', async () => {
      const keys = await keyRing.publicKeys()
      return published(JSON.stringify({ keys }), 'application/jwk-set+json')
    }),
  ]
}
