import type { Reach } from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import {
  authenticationMethods,
  grantTypes,
  limits as tokenLimits,
  signingAlgorithms,
  type AuthenticationMethod,
  type ClientKeys,
  type GrantType,
  type SigningAlgorithm,
} from '@countersign/tokens'
import { limits } from '../limits.ts'
import { publicKeys } from './jwks.ts'
import { choice, flag, hostName, list, named, phrase, text, type Given } from './members.ts'
import { pageUrl, redirectUri, requestedUrl } from './urls.ts'

/** Client metadata as it is registered, kept and told: RFC 7591 section 2, and what the members' own specifications add. */
export interface ClientMetadata {
  readonly redirect_uris: readonly string[]
  readonly token_endpoint_auth_method: AuthenticationMethod
  readonly grant_types: readonly GrantType[]
  readonly response_types: readonly string[]
  readonly scope: string
  readonly application_type: 'web' | 'native'
  readonly client_name?: string | undefined
  readonly client_uri?: string | undefined
  readonly logo_uri?: string | undefined
  readonly policy_uri?: string | undefined
  readonly tos_uri?: string | undefined
  readonly contacts?: readonly string[] | undefined
  readonly jwks?: ClientKeys['jwks']
  readonly jwks_uri?: string | undefined
  readonly id_token_signed_response_alg: SigningAlgorithm
  readonly subject_type: 'public' | 'pairwise'
  readonly sector_identifier_uri?: string | undefined
  readonly post_logout_redirect_uris: readonly string[]
  readonly backchannel_logout_uri?: string | undefined
  readonly backchannel_logout_session_required: boolean
  readonly require_pushed_authorization_requests: boolean
  readonly dpop_bound_access_tokens: boolean
  readonly tls_client_certificate_bound_access_tokens: boolean
  readonly tls_client_auth_subject_dn?: string | undefined
  readonly tls_client_auth_san_dns?: string | undefined
  readonly software_id?: string | undefined
  readonly software_version?: string | undefined
}

/** What may be registered. */
export interface MetadataRules {
  readonly scopes: readonly string[]
  readonly grants: readonly string[]
  /** Ways that clients authenticate here. */
  readonly authenticationMethods: readonly AuthenticationMethod[]
  /** Where requests of ours may go. */
  readonly reach: Reach
}

/** RFC 7591 section 3.2.2. */
export interface Refusal {
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata' | 'invalid_software_statement'
  readonly description: string
}

export type ReadMetadata = { readonly metadata: ClientMetadata } | { readonly refused: Refusal }

/** Reads what a client says of itself. Members that are not known here are ignored. */
export function readMetadata(given: Given, rules: MetadataRules): ReadMetadata {
  let error: Refusal['error'] = 'invalid_client_metadata'
  try {
    if (Object.hasOwn(given, 'software_statement')) {
      error = 'invalid_software_statement'
      throw wrong('software statements are not supported')
    }
    const kind = choice(given, 'application_type', ['web', 'native']) ?? 'web'
    const asked = { ...kinds(given, rules), application_type: kind }
    error = 'invalid_redirect_uri'
    const redirect_uris = list(given, 'redirect_uris', (uri) => redirectUri(uri, kind)) ?? []
    if (asked.grant_types.includes('authorization_code') && redirect_uris.length === 0) {
      throw wrong('redirect_uris is required for authorization_code')
    }
    error = 'invalid_client_metadata'
    const metadata: ClientMetadata = {
      redirect_uris,
      ...asked,
      ...credentials(given, asked.token_endpoint_auth_method, rules),
      ...pages(given),
      ...tokens(given, rules),
      ...logout(given, kind, rules),
    }
    checkWhole(metadata)
    return { metadata }
  } catch (thrown) {
    const { code, message } = asFailure(thrown)
    if (code !== 'invalid_request') throw thrown
    return { refused: { error, description: message } }
  }
}

const wrong = (message: string): Failure => new Failure('invalid_request', message)

/** What the parts do not tell by themselves. @throws Failure `invalid_request` */
function checkWhole(metadata: ClientMetadata): void {
  if (metadata.subject_type === 'pairwise' && sectorOf(metadata) === undefined) {
    throw wrong('pairwise needs sector_identifier_uri where redirect_uris do not share one host')
  }
  if (Buffer.byteLength(JSON.stringify(metadata)) > limits.registeredMetadataBytes) {
    throw wrong(`the metadata has more than ${limits.registeredMetadataBytes} bytes`)
  }
}

/** What kind of client it is, and what it wants to do (RFC 7591 section 2.1). */
function kinds(given: Given, rules: MetadataRules) {
  const method = choice(given, 'token_endpoint_auth_method', authenticationMethods) ?? 'client_secret_basic'
  if (!rules.authenticationMethods.includes(method))
    throw wrong(`token_endpoint_auth_method ${method} is not served here`)
  const types = list(given, 'grant_types', (value) => text(value, limits.registeredNameCharacters))
  const grant_types = [...new Set(types ?? ['authorization_code'])].map((asked) => {
    const known = grantTypes.find((grant) => grant === asked)
    if (!known || !rules.grants.includes(known)) throw wrong('grant_types has one that is not allowed here')
    return known
  })
  if (method === 'none' && grant_types.includes('client_credentials')) {
    throw wrong('client_credentials is not for a client that does not authenticate')
  }
  const response_types = grant_types.includes('authorization_code') ? ['code'] : []
  const answers = list(given, 'response_types', (value) => text(value, limits.registeredNameCharacters))
  if (answers && answers.join() !== response_types.join()) {
    throw wrong('response_types is code with authorization_code, and empty without')
  }
  return { token_endpoint_auth_method: method, grant_types, response_types, scope: scopeOf(given, rules.scopes) }
}

function scopeOf(given: Given, allowed: readonly string[]): string {
  const { scope } = given
  if (scope === undefined || scope === null) return allowed.join(' ')
  if (scope === '') return ''
  const asked = named('scope', () => text(scope, tokenLimits.scopeCharacters))
  const scopes = new Set(asked.split(' ').filter((each) => each !== ''))
  if (scopes.size > tokenLimits.scopes) throw wrong(`scope names more than ${tokenLimits.scopes} scopes`)
  for (const each of scopes) if (!allowed.includes(each)) throw wrong('scope has one that is not allowed here')
  return [...scopes].join(' ')
}

/** What it authenticates with, where that is no secret of ours. */
function credentials(given: Given, method: AuthenticationMethod, { reach }: MetadataRules) {
  const jwks = given.jwks === undefined || given.jwks === null ? undefined : publicKeys(given.jwks)
  const jwks_uri = requestedUrl(given, 'jwks_uri', reach)
  if (jwks && jwks_uri !== undefined) throw wrong('jwks is instead of jwks_uri, not beside it')
  const needsKeys = method === 'private_key_jwt' || method === 'self_signed_tls_client_auth'
  if (needsKeys && !jwks && jwks_uri === undefined) throw wrong(`${method} needs jwks or jwks_uri`)
  if (method !== 'tls_client_auth') return { jwks, jwks_uri }
  const subject = phrase(given, 'tls_client_auth_subject_dn')
  const san = hostName(given, 'tls_client_auth_san_dns')
  if ((subject === undefined) === (san === undefined)) {
    throw wrong('tls_client_auth needs one of tls_client_auth_subject_dn and tls_client_auth_san_dns')
  }
  return { jwks, jwks_uri, tls_client_auth_subject_dn: subject, tls_client_auth_san_dns: san }
}

/** What people are shown, and told. */
const pages = (given: Given) => ({
  client_name: phrase(given, 'client_name'),
  client_uri: pageUrl(given, 'client_uri'),
  logo_uri: pageUrl(given, 'logo_uri'),
  policy_uri: pageUrl(given, 'policy_uri'),
  tos_uri: pageUrl(given, 'tos_uri'),
  contacts: list(given, 'contacts', (value) => text(value, limits.registeredNameCharacters)),
  software_id: phrase(given, 'software_id'),
  software_version: phrase(given, 'software_version'),
})

const tokens = (given: Given, { reach }: MetadataRules) => ({
  id_token_signed_response_alg:
    choice(given, 'id_token_signed_response_alg', signingAlgorithms) ?? signingAlgorithms[0],
  subject_type: choice(given, 'subject_type', ['public', 'pairwise']) ?? 'public',
  sector_identifier_uri: requestedUrl(given, 'sector_identifier_uri', reach),
  require_pushed_authorization_requests: flag(given, 'require_pushed_authorization_requests'),
  dpop_bound_access_tokens: flag(given, 'dpop_bound_access_tokens'),
  tls_client_certificate_bound_access_tokens: flag(given, 'tls_client_certificate_bound_access_tokens'),
})

const logout = (given: Given, kind: 'web' | 'native', { reach }: MetadataRules) => ({
  post_logout_redirect_uris: list(given, 'post_logout_redirect_uris', (uri) => redirectUri(uri, kind)) ?? [],
  backchannel_logout_uri: requestedUrl(given, 'backchannel_logout_uri', reach),
  backchannel_logout_session_required: flag(given, 'backchannel_logout_session_required'),
})

/** The host that pairwise subjects are for (OpenID Connect Core section 8.1); undefined where that is not one. */
export function sectorOf({
  sector_identifier_uri: sector,
  redirect_uris: redirects,
}: Pick<ClientMetadata, 'sector_identifier_uri' | 'redirect_uris'>): string | undefined {
  const hosts = new Set((sector === undefined ? redirects : [sector]).map((uri) => new URL(uri).hostname))
  const [host] = hosts
  return hosts.size === 1 && host !== '' ? host : undefined
}

/** OpenID Connect Dynamic Client Registration section 5: what is at `sector_identifier_uri` names every redirect URI. */
export const isSectorOf = (document: unknown, { redirect_uris: redirects }: ClientMetadata): boolean =>
  Array.isArray(document) &&
  document.length <= limits.sectorUris &&
  redirects.every((uri) => (document as readonly unknown[]).includes(uri))
