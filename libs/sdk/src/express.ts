import { Failure } from '@countersign/contracts'
import { isTokenShaped } from './token.ts'
import type { Requirements, Token, Verification, Verifier } from './types.ts'

/** The part of Express's request that is needed; `auth` is set. */
export interface ProtectedRequest {
  headers: { authorization?: string | undefined }
  auth?: Token
}
export interface ProtectedResponse {
  status(code: number): ProtectedResponse
  setHeader(name: string, value: string): unknown
  json(body: unknown): unknown
}
export type Middleware = (
  request: ProtectedRequest,
  response: ProtectedResponse,
  next: (error?: unknown) => void,
) => void

export interface RequireTokenOptions {
  /** The token must be meant for this audience. */
  audience?: string
  /** Shown in the challenge (RFC 6750 section 3). */
  realm?: string
}

interface Refused {
  status: 400 | 401 | 403
  realm?: string
  error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  description?: string
  scope?: string
}

const quoted = (text: string): string => `"${text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}"`

function refuse(response: ProtectedResponse, { realm, status, error, description, scope }: Refused): void {
  const parts: string[] = []
  if (realm !== undefined) parts.push(`realm=${quoted(realm)}`)
  if (error !== undefined) parts.push(`error=${quoted(error)}`)
  if (description !== undefined) parts.push(`error_description=${quoted(description)}`)
  if (scope !== undefined) parts.push(`scope=${quoted(scope)}`)
  response.setHeader('WWW-Authenticate', `Bearer ${parts.join(', ')}`)
  response.setHeader('Cache-Control', 'no-store')
  response
    .status(status)
    .json(error === undefined ? { error: 'token_required' } : { error, error_description: description })
}

/** The token of `Authorization: Bearer …` (RFC 6750 section 2.1); null when that is malformed, undefined when there is none. */
function bearerToken(authorization: string | undefined): string | null | undefined {
  if (authorization === undefined) return undefined
  const [, parameters] = /^bearer(?![\w!#$%&'*+.^`|~-])(.*)$/is.exec(authorization) ?? []
  if (parameters === undefined) return undefined
  const token = /^ +(\S+)$/.exec(parameters)?.[1]
  return token !== undefined && isTokenShaped(token) ? token : null
}

const malformed = { error: 'invalid_request', description: 'the Authorization header is malformed' } as const

/**
 * Lets a request through when it carries an active token, which is then `request.auth`. Else 401 with a challenge, or
 * 503 when there is no verdict: never a guess.
 */
export function requireToken(verifier: Verifier, options: RequireTokenOptions = {}): Middleware {
  const { realm = 'api', audience } = options
  const requirements: Requirements = audience === undefined ? {} : { audience }

  async function check(request: ProtectedRequest, response: ProtectedResponse): Promise<boolean> {
    const token = bearerToken(request.headers.authorization)
    // No token is no question; but while authentication is off, whoever brings none is let through, too.
    const verification: Verification = await verifier.verify(token ?? '', requirements)
    if (verification.ok) {
      request.auth = verification.token
      return true
    }
    if (token === undefined) refuse(response, { realm, status: 401 })
    else if (token === null) refuse(response, { realm, status: 400, ...malformed })
    else refuse(response, { realm, status: 401, error: 'invalid_token', description: verification.description })
    return false
  }

  return (request, response, next) => {
    check(request, response).then(
      (isThrough) => isThrough && next(),
      (thrown: unknown) => (thrown instanceof Failure ? unavailable(response, thrown) : next(thrown)),
    )
  }
}

/** No verdict is no permission. */
function unavailable(response: ProtectedResponse, failure: Failure): void {
  response.setHeader('Retry-After', String(failure.retryAfterSeconds ?? 1))
  response.setHeader('Cache-Control', 'no-store')
  response
    .status(503)
    .json({ error: 'temporarily_unavailable', error_description: 'tokens cannot be verified at present' })
}

function requireOf(
  what: 'scope' | 'role',
  needed: readonly string[],
  holds: (token: Token, each: string) => boolean,
): Middleware {
  return (request, response, next) => {
    const { auth } = request
    if (!auth) return next(new Error(`require${what === 'scope' ? 'Scope' : 'Role'} comes after requireToken`))
    const missing = auth.isAnonymous ? undefined : needed.find((each) => !holds(auth, each))
    if (missing === undefined) return next()
    const description = `the ${what} ${missing} is needed`
    const scope = what === 'scope' ? { scope: needed.join(' ') } : {}
    refuse(response, { status: 403, error: 'insufficient_scope', description, ...scope })
  }
}

/** After {@link requireToken}: 403 unless the token has all of these scopes. */
export const requireScope = (...scopes: string[]): Middleware =>
  requireOf('scope', scopes, (token, scope) => token.scopes.has(scope))

/** After {@link requireToken}: 403 unless the token's person has all of these roles. */
export const requireRole = (...roles: string[]): Middleware =>
  requireOf('role', roles, (token, role) => token.roles.includes(role))
