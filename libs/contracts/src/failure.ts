/** Every way a request can fail, as seen from outside. Closed: the tables that turn a code into an answer list them all. */
export const failureCodes = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'authorization_pending',
  'slow_down',
  'expired_token',
  'unsupported_media_type',
  'method_not_allowed',
  'access_denied',
  'not_found',
  'conflict',
  'too_large',
  'too_many_requests',
  'deadline_exceeded',
  'unavailable',
  'internal',
] as const

export type FailureCode = (typeof failureCodes)[number]

export interface FailureOptions {
  /** What went wrong underneath; kept for the log, never shown. */
  cause?: unknown
  /** Seconds after which asking again makes sense. */
  retryAfterSeconds?: number
  /** For an HTTP answer, e.g. `DPoP-Nonce` (RFC 9449 section 8). */
  headers?: Readonly<Record<string, string>>
}

/**
 * The one error that crosses rooms. `message` is shown to the caller: it says what to do and holds no secret.
 * Switch on `code`, never on the message.
 */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  readonly retryAfterSeconds: number | undefined
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryAfterSeconds = options.retryAfterSeconds
    this.headers = options.headers
  }
}

/** Anything thrown, as a Failure: what is not one already becomes `internal`, its detail withheld. */
export function asFailure(thrown: unknown): Failure {
  return thrown instanceof Failure ? thrown : new Failure('internal', 'something went wrong here', { cause: thrown })
}
