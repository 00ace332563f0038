import type { Millis } from '@countersign/contracts'
import {
  allowInsecureRequests,
  calculatePKCECodeChallenge,
  ClientSecretPost,
  clockSkew,
  clockTolerance,
  Configuration,
  customFetch,
  None,
  type ClientAuth,
  type CustomFetch,
  type ServerMetadata,
} from 'openid-client'
import type { Beginning, Ending } from './flow.ts'
import { limits } from './limits.ts'
import type { UpstreamProvider } from './provider.ts'

/** As a form has it (RFC 6749 appendix B), which leaves alone what servers that do not decode it would trip over. */
const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

/** RFC 6749 section 2.3.1. openid-client's own also encodes - and _, which some servers take literally. */
const basic =
  (secret: string): ClientAuth =>
  (_, { client_id: id }, _body, headers) => {
    const credentials = Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64')
    headers.set('authorization', `Basic ${credentials}`)
  }

/** Where a server does not say, OpenID Connect has Basic (Discovery 1.0 section 3); Google and GitHub document the form. */
function authenticationOf(provider: UpstreamProvider, methods: readonly string[] | undefined): ClientAuth {
  const { kind, clientSecret } = provider
  if (clientSecret === undefined) return None()
  const secret = clientSecret.reveal()
  const isOffered = kind === 'oidc' && (methods?.includes('client_secret_basic') ?? true)
  const isBasic = isOffered || (kind === 'oauth2' && provider.clientAuthentication === 'basic')
  return isBasic ? basic(secret) : ClientSecretPost(secret)
}

/** Names that JWS algorithms with a public key have (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
const algorithms = ['RS', 'PS', 'ES'].flatMap((family) => ['256', '384', '512'].map((bits) => family + bits))

/**
 * openid-client's view of a provider, for one sign-in.
 * @param fetch absent: it asks for nothing
 */
export function clientOf(provider: UpstreamProvider, server: ServerMetadata, now: Millis, fetch?: CustomFetch) {
  const metadata: ServerMetadata = {
    ...server,
    // Whatever it says that it supports.
    id_token_signing_alg_values_supported: [...algorithms, 'EdDSA', 'Ed25519'],
  }
  const skews = {
    // It looks at the machine's clock, and we at the one that we were given.
    [clockSkew]: Math.round((now - Date.now()) / 1_000),
    [clockTolerance]: limits.skewSeconds,
  }
  const authentication = authenticationOf(provider, server.token_endpoint_auth_methods_supported)
  const configuration = new Configuration(metadata, provider.clientId, skews, authentication)
  // The line decides which URLs may be asked, and has deadlines of its own.
  allowInsecureRequests(configuration)
  configuration.timeout = 0
  if (fetch) configuration[customFetch] = fetch
  return configuration
}

/** What every authorization request has (RFC 6749 section 4.1.1, RFC 7636 section 4.3). */
export async function requestParameters(
  scopes: readonly string[],
  { redirectUri, state, codeVerifier }: Beginning,
): Promise<Record<string, string>> {
  return {
    redirect_uri: redirectOf(redirectUri).href,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    state,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  }
}

/** Without what is told by the callback: openid-client makes the token call's redirect_uri of the URL that it is given. */
function redirectOf(redirectUri: string): URL {
  const url = new URL(redirectUri)
  url.search = ''
  url.hash = ''
  return url
}

/** The callback as it would be at the redirect URI, whatever stands before us. */
export function callbackOf({ callback, redirectUri }: Ending): URL {
  const url = redirectOf(redirectUri)
  url.search = callback.search
  return url
}
