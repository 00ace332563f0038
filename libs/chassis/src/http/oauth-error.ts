import type { Failure, FailureCode } from '@countersign/contracts'
import { failureHeaders, toldMessage } from './problem.ts'
import type { HttpAnswer } from './route.ts'

/** What each failure is called at an OAuth 2.0 endpoint (RFC 6749 section 5.2, RFC 8628 section 3.5, RFC 8707 section 2, RFC 9449). */
export const oauthErrors = {
  invalid_request: { status: 400, error: 'invalid_request' },
  invalid_client: { status: 401, error: 'invalid_client' },
  invalid_grant: { status: 400, error: 'invalid_grant' },
  unauthorized_client: { status: 400, error: 'unauthorized_client' },
  unsupported_grant_type: { status: 400, error: 'unsupported_grant_type' },
  invalid_scope: { status: 400, error: 'invalid_scope' },
  invalid_target: { status: 400, error: 'invalid_target' },
  invalid_dpop_proof: { status: 400, error: 'invalid_dpop_proof' },
  use_dpop_nonce: { status: 400, error: 'use_dpop_nonce' },
  authorization_pending: { status: 400, error: 'authorization_pending' },
  slow_down: { status: 400, error: 'slow_down' },
  expired_token: { status: 400, error: 'expired_token' },
  unsupported_media_type: { status: 400, error: 'invalid_request' },
  method_not_allowed: { status: 405, error: 'invalid_request' },
  access_denied: { status: 400, error: 'access_denied' },
  not_found: { status: 404, error: 'invalid_request' },
  conflict: { status: 503, error: 'temporarily_unavailable' },
  too_large: { status: 413, error: 'invalid_request' },
  too_many_requests: { status: 429, error: 'temporarily_unavailable' },
  deadline_exceeded: { status: 503, error: 'temporarily_unavailable' },
  unavailable: { status: 503, error: 'temporarily_unavailable' },
  internal: { status: 500, error: 'server_error' },
} as const satisfies Record<FailureCode, { status: number; error: string }>

/** RFC 6749 sections 4.1.2.1 and 5.2 allow printable ASCII, without the quotation mark and the backslash. */
export const inAscii = (text: string): string => text.replace(/["\\‘’“”]/g, "'").replace(/[^\x20-\x7e]/g, '?')

/** A failure as an OAuth 2.0 error. */
export function oauthFailure(failure: Failure): HttpAnswer {
  const { status, error } = oauthErrors[failure.code]
  return {
    status,
    headers: { 'content-type': 'application/json', pragma: 'no-cache', ...failureHeaders(failure, status) },
    body: JSON.stringify({ error, error_description: inAscii(toldMessage(failure)) }),
  }
}
