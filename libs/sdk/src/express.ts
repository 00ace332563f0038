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
  /** For a server that checks proofs of possession. Without it, tokens that are bound to something are refused. */
  proof?: ProofCheck
}

export interface ProofCheck {
  /**
   * Whether the request proves possession of everything that the token's `confirmation` names: a DPoP proof (RFC 9449
   * section 7), a client certificate (RFC 8705 section 3). What it throws goes to Express.
   */
  check(request: ProtectedRequest, token: Token): boolean | Promise<boolean>
  /** JWS algorithms of DPoP proofs that are taken, for the challenge. */
  algorithms?: readonly string[]
}

type Scheme = 'Bearer' | 'DPoP'

interface Refused {
  scheme?: Scheme
  status: 400 | 401 | 403
  realm?: string
  error?: 'invalid_request' | 'invalid_token' | 'invalid_dpop_proof' | 'insufficient_scope'
  description?: string
  scope?: string
}

const quoted = (text: string): string => `"${text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}"`

function challengeOf(scheme: Scheme, refused: Refused, algorithms: readonly string[]): string {
  const { realm, error, description, scope } = refused
  const parts: string[] = []
  if (realm !== undefined) parts.push(`realm=${quoted(realm)}`)
  if (error !== undefined) parts.push(`error=${quoted(error)}`)
  if (description !== undefined) parts.push(`error_description=${quoted(description)}`)
  if (scope !== undefined) parts.push(`scope=${quoted(scope)}`)
  if (scheme === 'DPoP' && algorithms.length > 0) parts.push(`algs=${quoted(algorithms.join(' '))}`)
  return `${scheme} ${parts.join(', ')}`
}

function refuse(response: ProtectedResponse, refused: Refused, proof?: ProofCheck): void {
  const { scheme = 'Bearer', status, error, description } = refused
  // Who brought no token is told of every way to bring one (RFC 9449 section 7.1).
  const schemes: readonly Scheme[] = error === undefined && proof ? ['Bearer', 'DPoP'] : [scheme]
  const challenges = schemes.map((each) => challengeOf(each, refused, proof?.algorithms ?? []))
  response.setHeader('WWW-Authenticate', challenges.join(', '))
  response.setHeader('Cache-Control', 'no-store')
  response
    .status(status)
    .json(error === undefined ? { error: 'token_required' } : { error, error_description: description })
}

/** What an Authorization header presents, and under which scheme; `token` is null when it is malformed. */
interface Presented {
  readonly scheme: Scheme
  readonly token: string | null
}

/** `Authorization: Bearer …` (RFC 6750 section 2.1), or `DPoP …` (RFC 9449 section 7.1); undefined when there is neither. */
function presentedToken(authorization: string | undefined): Presented | undefined {
  const [, name, parameters] = /^(bearer|dpop)(?![\w!#$%&'*+.^`|~-])(.*)$/is.exec(authorization ?? '') ?? []
  if (name === undefined || parameters === undefined) return undefined
  const token = /^ +(\S+)$/.exec(parameters)?.[1]
  const scheme = name.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer'
  return { scheme, token: token !== undefined && isTokenShaped(token) ? token : null }
}

const malformed = { error: 'invalid_request', description: 'the Authorization header is malformed' } as const

/** Why a good token may not be taken as it came; undefined: it may. */
async function unproven(
  request: ProtectedRequest,
  token: Token,
  scheme: Scheme,
  proof: ProofCheck | undefined,
): Promise<Pick<Refused, 'scheme' | 'error' | 'description'> | undefined> {
  const { confirmation } = token
  const needed = confirmation?.jkt === undefined ? 'Bearer' : 'DPoP'
  if (token.isAnonymous) return undefined
  if (confirmation && !proof) {
    return {
      scheme: needed,
      error: 'invalid_token',
      description: 'tokens that are bound to something are not taken here',
    }
  }
  if (scheme !== needed) {
    return { scheme: needed, error: 'invalid_token', description: `the token has to be presented as ${needed}` }
  }
  if (!confirmation || (await proof!.check(request, token))) return undefined
  if (needed === 'DPoP') return { error: 'invalid_dpop_proof', description: 'the DPoP proof is not good' }
  return { error: 'invalid_token', description: 'the token is bound to another certificate' }
}

/**
 * Lets a request through when it carries an active token, which is then `request.auth`. Else 401 with a challenge, or
 * 503 when there is no verdict: never a guess.
 */
export function requireToken(verifier: Verifier, options: RequireTokenOptions = {}): Middleware {
  const { realm = 'api', audience, proof } = options
  const requirements: Requirements = audience === undefined ? {} : { audience }

  async function check(request: ProtectedRequest, response: ProtectedResponse): Promise<boolean> {
    const presented = presentedToken(request.headers.authorization)
    // Whoever checks no proofs does not know the scheme.
    const { scheme = 'Bearer', token } = presented?.scheme === 'DPoP' && !proof ? {} : (presented ?? {})
    const refused = (why: Omit<Refused, 'realm'>): false => {
      refuse(response, { scheme, realm, ...why }, proof)
      return false
    }
    // No token is no question; but while authentication is off, whoever brings none is let through, too.
    const verification: Verification = await verifier.verify(token ?? '', requirements)
    if (!verification.ok) {
      if (token === undefined) return refused({ status: 401 })
      if (token === null) return refused({ status: 400, ...malformed })
      return refused({ status: 401, error: 'invalid_token', description: verification.description })
    }
    const why = await unproven(request, verification.token, scheme, proof)
    if (why) return refused({ status: 401, ...why })
    request.auth = verification.token
    return true
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
    const scheme = auth.confirmation?.jkt === undefined ? 'Bearer' : 'DPoP'
    refuse(response, { scheme, status: 403, error: 'insufficient_scope', description, ...scope })
  }
}

/** After {@link requireToken}: 403 unless the token has all of these scopes. */
export const requireScope = (...scopes: string[]): Middleware =>
  requireOf('scope', scopes, (token, scope) => token.scopes.has(scope))

/** After {@link requireToken}: 403 unless the token's person has all of these roles. */
export const requireRole = (...roles: string[]): Middleware =>
  requireOf('role', roles, (token, role) => token.roles.includes(role))
