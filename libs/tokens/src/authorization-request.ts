import { Failure } from '@countersign/contracts'
import { grantedAudience, grantedScope, type Client } from './client.ts'
import { limits } from './limits.ts'
import { isCodeChallenge } from './pkce.ts'
import { isRegisteredRedirect } from './redirect.ts'

export const responseModes = ['query', 'form_post'] as const
export type ResponseMode = (typeof responseModes)[number]
const prompts = ['none', 'login', 'consent', 'select_account'] as const
export type Prompt = (typeof prompts)[number]

/** An authorization request that a person may be asked about (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1). */
export interface AuthorizationRequest {
  readonly clientId: string
  readonly redirectUri: string
  /** The client named it, and has to name it again when it redeems the code (RFC 6749 section 4.1.3). */
  readonly isRedirectNamed: boolean
  readonly responseMode: ResponseMode
  readonly state: string
  readonly scope: string
  readonly audience: readonly string[]
  readonly codeChallenge: string
  readonly nonce: string
  readonly prompts: readonly Prompt[]
  /** Seconds since the person last signed in, at most. */
  readonly maxAgeSeconds: number | undefined
  readonly loginHint: string
  readonly idTokenHint: string
  readonly uiLocales: readonly string[]
  readonly acrValues: readonly string[]
  /** The `claims` parameter (OpenID Connect Core section 5.5), as JSON. */
  readonly claims: string
  readonly display: string
  /** The DPoP key that the code is to be bound to (RFC 9449 section 10). */
  readonly dpopJkt: string
}

/** An error that goes back to the client by way of the browser (RFC 6749 section 4.1.2.1). */
export interface AuthorizationError {
  readonly error: string
  readonly description: string
  readonly redirectUri: string
  readonly responseMode: ResponseMode
  readonly state: string
}

export type CheckedRequest = { readonly request: AuthorizationRequest } | { readonly refused: AuthorizationError }

/**
 * Decides what is to be done with an authorization request.
 * @param mustBePushed it came with the browser, and had to be pushed
 * @throws Failure `invalid_request` where the person has to be told, because nothing may be sent to the client: an
 * unknown client, or a redirect URI that is not its own
 */
export function checkAuthorizationRequest(
  client: Client | undefined,
  parameters: ReadonlyMap<string, string>,
  mustBePushed: boolean,
): CheckedRequest {
  if (!client)
    throw new Failure('invalid_request', 'the application that sent you here is not known: its client_id is wrong')
  const { redirectUri, isRedirectNamed } = redirectOf(client, parameters.get('redirect_uri'))
  const mode = parameters.get('response_mode') ?? 'query'
  const responseMode = responseModes.find((known) => known === mode)
  const state = parameters.get('state') ?? ''
  const refuse = (error: string, description: string): CheckedRequest => ({
    refused: { error, description, redirectUri, responseMode: responseMode ?? 'query', state },
  })
  if (!responseMode) return refuse('invalid_request', 'response_mode is query or form_post')
  if (responseMode === 'form_post' && !/^https?:/i.test(redirectUri)) {
    const description = 'response_mode=form_post needs an http or https redirect_uri'
    return { refused: { error: 'invalid_request', description, redirectUri, responseMode: 'query', state } }
  }
  if (mustBePushed) return refuse('invalid_request', 'push the request first, to /oauth2/par (RFC 9126)')
  try {
    const rest = restOf(client, parameters)
    return { request: { clientId: client.id, redirectUri, isRedirectNamed, responseMode, state, ...rest } }
  } catch (thrown) {
    if (thrown instanceof Refusal) return refuse(thrown.error, thrown.message)
    if (thrown instanceof Failure) return refuse(thrown.code, thrown.message)
    throw thrown
  }
}

class Refusal extends Error {
  readonly error: string
  constructor(error: string, description: string) {
    super(description)
    this.error = error
  }
}

function redirectOf(client: Client, given: string | undefined): { redirectUri: string; isRedirectNamed: boolean } {
  const { redirectUris } = client
  if (given === undefined) {
    if (redirectUris.length === 1) return { redirectUri: redirectUris[0]!, isRedirectNamed: false }
    throw new Failure('invalid_request', 'the redirect_uri is missing')
  }
  if (isRegisteredRedirect(redirectUris, given)) return { redirectUri: given, isRedirectNamed: true }
  throw new Failure('invalid_request', 'the redirect_uri is not one that this application has registered')
}

function restOf(client: Client, parameters: ReadonlyMap<string, string>) {
  refuseUnsupported(client, parameters)
  const scope = grantedScope(client.scopes, parameters.get('scope'))
  return {
    scope,
    audience: grantedAudience(client.audience, words(parameters.get('resource'))),
    codeChallenge: challengeOf(client, parameters),
    nonce: bounded(parameters, 'nonce'),
    prompts: promptsOf(parameters.get('prompt')),
    maxAgeSeconds: maxAgeOf(parameters.get('max_age')),
    loginHint: bounded(parameters, 'login_hint'),
    idTokenHint: parameters.get('id_token_hint') ?? '',
    uiLocales: words(parameters.get('ui_locales')),
    acrValues: words(parameters.get('acr_values')),
    claims: claimsOf(parameters.get('claims')),
    display: parameters.get('display') ?? '',
    dpopJkt: jktOf(parameters.get('dpop_jkt')),
  }
}

function refuseUnsupported(client: Client, parameters: ReadonlyMap<string, string>): void {
  const responseType = parameters.get('response_type')
  if (responseType === undefined) throw new Refusal('invalid_request', 'response_type is required')
  if (responseType !== 'code') throw new Refusal('unsupported_response_type', 'response_type is code')
  if (parameters.has('request')) throw new Refusal('request_not_supported', 'request objects are not served')
  if (parameters.has('request_uri')) throw new Refusal('request_uri_not_supported', 'this request_uri is not served')
  if (parameters.has('registration')) throw new Refusal('registration_not_supported', 'clients are registered before')
  if (!client.grants.includes('authorization_code')) {
    throw new Refusal('unauthorized_client', 'this client may not use authorization codes')
  }
}

/** RFC 7636, with S256 alone; needed of everybody whose registration does not say otherwise (RFC 9700 section 2.1.1). */
function challengeOf(client: Client, parameters: ReadonlyMap<string, string>): string {
  const challenge = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method')
  if (challenge === undefined) {
    if (method !== undefined) throw new Refusal('invalid_request', 'code_challenge is missing')
    if (client.requiresPkce) throw new Refusal('invalid_request', 'code_challenge is required (RFC 7636)')
    return ''
  }
  if (method !== 'S256') throw new Refusal('invalid_request', 'code_challenge_method is S256')
  if (!isCodeChallenge(challenge)) throw new Refusal('invalid_request', 'code_challenge is not one of S256')
  return challenge
}

function jktOf(jkt: string | undefined): string {
  if (jkt !== undefined && !isCodeChallenge(jkt)) throw new Refusal('invalid_request', 'dpop_jkt is no JWK thumbprint')
  return jkt ?? ''
}

function promptsOf(prompt: string | undefined): Prompt[] {
  const given = words(prompt)
  const known = given.map((word) => prompts.find((each) => each === word))
  if (known.includes(undefined)) throw new Refusal('invalid_request', `prompt is ${prompts.join(', ')}`)
  if (given.includes('none') && given.length > 1) throw new Refusal('invalid_request', 'prompt=none stands alone')
  return known as Prompt[]
}

function maxAgeOf(maxAge: string | undefined): number | undefined {
  if (maxAge === undefined) return undefined
  if (!/^\d{1,10}$/.test(maxAge)) throw new Refusal('invalid_request', 'max_age is in whole seconds')
  return Number(maxAge)
}

function claimsOf(claims: string | undefined): string {
  if (claims === undefined) return ''
  if (claims.length > limits.claimsCharacters) throw new Refusal('invalid_request', 'claims is too long')
  try {
    const parsed: unknown = JSON.parse(claims)
    if (isMap(parsed) && [parsed.userinfo, parsed.id_token].every(isClaimsRequest)) return claims
  } catch {
    // It is told below.
  }
  throw new Refusal('invalid_request', 'claims is a JSON object as in OpenID Connect Core section 5.5')
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One member: nothing, or claims that are each asked for with null or with a map. */
const isClaimsRequest = (member: unknown): boolean =>
  member === undefined ||
  member === null ||
  (isMap(member) && Object.values(member).every((claim) => claim === null || isMap(claim)))

function bounded(parameters: ReadonlyMap<string, string>, name: string): string {
  const value = parameters.get(name) ?? ''
  if (value.length > limits.authorizationParameterCharacters)
    throw new Refusal('invalid_request', `${name} is too long`)
  return value
}

const words = (text: string | undefined): string[] => (text ?? '').split(' ').filter((word) => word !== '')
