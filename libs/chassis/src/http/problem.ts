import { asFailure, type Failure, type FailureCode } from '@countersign/contracts'
import { maxDescriptionCharacters, retryAfterSeconds } from '../limits.ts'
import type { HttpAnswer } from './route.ts'

/** What each failure is called over HTTP (RFC 9457). */
export const problems = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_client: { status: 401, title: 'The caller is not authenticated' },
  invalid_grant: { status: 400, title: 'The grant is not valid' },
  unauthorized_client: { status: 403, title: 'The client may not do this' },
  unsupported_grant_type: { status: 400, title: 'The grant type is not supported' },
  invalid_scope: { status: 400, title: 'The scope is not valid' },
  invalid_target: { status: 400, title: 'The target is not valid' },
  invalid_dpop_proof: { status: 400, title: 'The DPoP proof is not valid' },
  use_dpop_nonce: { status: 400, title: 'The DPoP proof needs a nonce of this server' },
  authorization_pending: { status: 400, title: 'The person has not decided yet' },
  slow_down: { status: 400, title: 'The device asks too often' },
  expired_token: { status: 400, title: 'The device code has expired' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  method_not_allowed: { status: 405, title: 'The method is not allowed' },
  access_denied: { status: 403, title: 'Access is denied' },
  not_found: { status: 404, title: 'There is nothing here' },
  conflict: { status: 409, title: 'It was changed meanwhile' },
  too_large: { status: 413, title: 'The request is too large' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  deadline_exceeded: { status: 504, title: 'It took too long' },
  unavailable: { status: 503, title: 'The service is not available' },
  internal: { status: 500, title: 'Something went wrong' },
} as const satisfies Record<FailureCode, { status: number; title: string }>

/** What is told of a failure: nothing of what went wrong inside. */
export const toldMessage = (failure: Failure): string => {
  const { message } = failure.code === 'internal' ? asFailure(undefined) : failure
  return message.slice(0, maxDescriptionCharacters).toWellFormed()
}

/** Headers that a failure or its status asks for, whatever the body. */
export function failureHeaders(failure: Failure, status: number): Record<string, string> {
  const headers: Record<string, string> = { 'cache-control': 'no-store', ...failure.headers }
  if (status === 401) headers['www-authenticate'] = 'Basic realm="countersign", charset="UTF-8"'
  const after = failure.retryAfterSeconds ?? (status === 429 || status === 503 ? retryAfterSeconds : undefined)
  if (after !== undefined) headers['retry-after'] = String(Math.ceil(after))
  return headers
}

/** A failure as `application/problem+json` (RFC 9457). */
export function problemFailure(failure: Failure): HttpAnswer {
  const { status, title } = problems[failure.code]
  const type = `urn:countersign:problem:${failure.code}`
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...failureHeaders(failure, status) },
    body: JSON.stringify({ type, title, status, detail: toldMessage(failure) }),
  }
}
