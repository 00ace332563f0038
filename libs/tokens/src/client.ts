import { Failure } from '@countersign/contracts'
import { limits } from './limits.ts'
import type { StoredSecret } from './secret.ts'

export const grantTypes = [
  'authorization_code',
  'client_credentials',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const
export type GrantType = (typeof grantTypes)[number]

/** How a client proves who it is (RFC 8414 section 2, RFC 8705 section 2). */
export const authenticationMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const
export type AuthenticationMethod = (typeof authenticationMethods)[number]

/** JWS algorithms offered; the first is what OpenID Connect clients get who do not ask. */
export const signingAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const
export type SigningAlgorithm = (typeof signingAlgorithms)[number]

/** A client's own public keys: for its assertions, its request objects and its self-signed certificates. */
export interface ClientKeys {
  /** A JWK Set (RFC 7517 section 5), public keys only. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | undefined
  readonly jwksUri?: string | undefined
}

/** A client as it was configured. Whether it is disabled is told by its record in the store. */
export interface Client {
  readonly id: string
  /** What people are shown; the id where it has no name. */
  readonly name: string
  /** Pages about it, that people are shown. */
  readonly uri: string
  readonly logoUri: string
  readonly policyUri: string
  readonly tosUri: string
  /** It registered itself (RFC 7591). */
  readonly registeredItself: boolean
  /** Cannot keep a secret (RFC 6749 section 2.1). */
  readonly public: boolean
  /** Current and previous secret while they overlap; empty for a public client. */
  readonly secrets: readonly StoredSecret[]
  /** The only way it may authenticate; undefined: by a secret in either way, or by its certificate. */
  readonly authenticationMethod: AuthenticationMethod | undefined
  readonly keys: ClientKeys | undefined
  readonly grants: readonly string[]
  /** Scopes it may ask for, in the order they are given when it asks for none. */
  readonly scopes: readonly string[]
  /** Where its authorization codes may be sent. */
  readonly redirectUris: readonly string[]
  /** It has to prove possession of a code verifier (RFC 7636). */
  readonly requiresPkce: boolean
  /** It has to push its authorization requests (RFC 9126). */
  readonly requiresPushedRequests: boolean
  /** Its tokens are bound to a DPoP key (RFC 9449 section 5.2), to its certificate (RFC 8705 section 3.4). */
  readonly requiresDpop: boolean
  readonly bindsCertificate: boolean
  /** People are asked what it may have. */
  readonly asksConsent: boolean
  readonly accessTokenFormat: 'opaque' | 'jwt'
  /** Of ID tokens, JWT access tokens and signed introspection answers. */
  readonly idTokenAlgorithm: SigningAlgorithm
  /** OpenID Connect Core section 8: the host that its pairwise subjects are for; undefined: they are public. */
  readonly pairwiseSector: string | undefined
  readonly postLogoutRedirectUris: readonly string[]
  /** Back-Channel Logout 1.0; empty: it is not told. */
  readonly backchannelLogoutUri: string
  /** Audiences (URIs) that its tokens are for. */
  readonly audience: readonly string[]
  /** Audiences whose tokens it may introspect. */
  readonly introspects: 'every' | ReadonlySet<string>
  readonly readsAudit: boolean
  /** It may revoke anything, and rotate keys. */
  readonly administers: boolean
  readonly accessTokenLifetimeMs: number
  /** How long a grant of it can be refreshed, from its beginning. */
  readonly refreshTokenLifetimeMs: number
  /** RFC 8705: a certificate with this SAN DNS name or subject DN is this client. */
  readonly certificate: { readonly sanDns?: string | undefined; readonly subjectDn?: string | undefined } | undefined
  /** base64url SHA-256 of all of the above but the secrets. */
  readonly digest: string
}

export type Clients = ReadonlyMap<string, Client>

/**
 * The scope to grant (RFC 6749 section 3.3): what was asked for, or all that is allowed.
 * @throws Failure `invalid_scope`
 */
export function grantedScope(allowed: readonly string[], requested: string | undefined): string {
  if (requested === undefined) return allowed.join(' ')
  if (requested.length > limits.scopeCharacters) throw new Failure('invalid_scope', 'scope is too long')
  const scopes = requested.split(' ')
  if (scopes.length > limits.scopes) throw new Failure('invalid_scope', `scope names more than ${limits.scopes} scopes`)
  for (const scope of scopes) {
    if (!allowed.includes(scope)) throw new Failure('invalid_scope', `scope ${printable(scope)} is not allowed here`)
  }
  return scopes.length === 1 ? requested : [...new Set(scopes)].join(' ')
}

/**
 * What a token is to be for (RFC 8707 section 2): the resources that were named, or all that is allowed.
 * @throws Failure `invalid_target`
 */
export function grantedAudience(allowed: readonly string[], resources: readonly string[]): readonly string[] {
  if (resources.length === 0) return allowed
  for (const resource of resources) {
    if (!allowed.includes(resource)) throw new Failure('invalid_target', 'there are no tokens for that resource here')
  }
  return [...new Set(resources)]
}

/** RFC 6749 section 5.2 allows few characters in error_description. */
const printable = (text: string): string => `'${text.slice(0, 60).replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}'`
