import { problemFailure, type Route } from '@countersign/chassis'
import { grantTypes } from '@countersign/tokens'
import type { PublicKeySet } from './key-set.ts'
import { signingAlgorithms } from './key-set.ts'
import { limits } from './limits.ts'

/** What is on, and nothing else (RFC 8414 section 2, OpenID Connect Discovery 1.0 section 3). */
export function authorizationServerMetadata(issuer: string, scopes: readonly string[]): Record<string, unknown> {
  const clientAuthentication = ['client_secret_basic', 'client_secret_post']
  return {
    issuer,
    token_endpoint: `${issuer}/oauth2/token`,
    token_endpoint_auth_methods_supported: clientAuthentication,
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: [...clientAuthentication, 'none'],
    introspection_endpoint: `${issuer}/oauth2/introspect`,
    introspection_endpoint_auth_methods_supported: clientAuthentication,
    jwks_uri: `${issuer}/oauth2/jwks`,
    scopes_supported: scopes,
    response_types_supported: [],
    grant_types_supported: grantTypes,
  }
}

/** OpenID Connect Discovery requires these two of every provider. */
const openidMetadata = {
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: signingAlgorithms,
}

const document = (path: string, body: () => string, type = 'application/json'): Route => ({
  path,
  methods: {
    GET: () => ({
      status: 200,
      headers: {
        'content-type': type,
        'cache-control': `public, max-age=${limits.jwksMaxAgeSeconds}`,
        'access-control-allow-origin': '*',
      },
      body: body(),
    }),
  },
  onFailure: problemFailure,
})

/** Both discovery documents and the key set. `scopes` is asked on each request: it changes with the configuration. */
export function metadataRoutes(issuer: string, scopes: () => readonly string[], keySet: PublicKeySet): Route[] {
  const keys = JSON.stringify(keySet)
  const metadata = () => authorizationServerMetadata(issuer, scopes())
  return [
    document('/.well-known/oauth-authorization-server', () => JSON.stringify(metadata())),
    document('/.well-known/openid-configuration', () => JSON.stringify({ ...metadata(), ...openidMetadata })),
    document('/oauth2/jwks', () => keys, 'application/jwk-set+json'),
  ]
}
