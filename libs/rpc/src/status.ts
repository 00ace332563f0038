import { Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { asFailure, Failure, failureCodes, type FailureCode } from '@countersign/contracts'
import { maxMessageCharacters } from './limits.ts'

type FailedStatus = Exclude<status, status.OK>

/** Trailers that let a client rebuild a Failure. */
export const failureTrailer = 'countersign-failure'
export const retryAfterTrailer = 'countersign-retry-after'

const toStatus = {
  invalid_request: status.INVALID_ARGUMENT,
  invalid_client: status.UNAUTHENTICATED,
  invalid_grant: status.FAILED_PRECONDITION,
  unauthorized_client: status.PERMISSION_DENIED,
  unsupported_grant_type: status.INVALID_ARGUMENT,
  invalid_scope: status.INVALID_ARGUMENT,
  invalid_target: status.INVALID_ARGUMENT,
  invalid_dpop_proof: status.INVALID_ARGUMENT,
  use_dpop_nonce: status.FAILED_PRECONDITION,
  authorization_pending: status.FAILED_PRECONDITION,
  slow_down: status.FAILED_PRECONDITION,
  expired_token: status.FAILED_PRECONDITION,
  unsupported_media_type: status.INVALID_ARGUMENT,
  method_not_allowed: status.UNIMPLEMENTED,
  access_denied: status.PERMISSION_DENIED,
  not_found: status.NOT_FOUND,
  conflict: status.ABORTED,
  too_large: status.RESOURCE_EXHAUSTED,
  too_many_requests: status.RESOURCE_EXHAUSTED,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  unavailable: status.UNAVAILABLE,
  internal: status.INTERNAL,
} satisfies Record<FailureCode, FailedStatus>

const fromStatus = {
  [status.CANCELLED]: 'unavailable',
  [status.UNKNOWN]: 'internal',
  [status.INVALID_ARGUMENT]: 'invalid_request',
  [status.DEADLINE_EXCEEDED]: 'deadline_exceeded',
  [status.NOT_FOUND]: 'not_found',
  [status.ALREADY_EXISTS]: 'conflict',
  [status.PERMISSION_DENIED]: 'access_denied',
  [status.RESOURCE_EXHAUSTED]: 'too_large',
  [status.FAILED_PRECONDITION]: 'invalid_request',
  [status.ABORTED]: 'conflict',
  [status.OUT_OF_RANGE]: 'invalid_request',
  [status.UNIMPLEMENTED]: 'method_not_allowed',
  [status.INTERNAL]: 'internal',
  [status.UNAVAILABLE]: 'unavailable',
  [status.DATA_LOSS]: 'internal',
  [status.UNAUTHENTICATED]: 'invalid_client',
} satisfies Record<FailedStatus, FailureCode>

/** Said for a status that no Failure came with: what the library says may name hosts and ports. */
const plainMessages: Partial<Record<FailureCode, string>> = {
  unavailable: 'the service cannot be reached',
  deadline_exceeded: 'the service did not answer in time',
  internal: 'something went wrong there',
  too_large: 'the message is too large, or there are too many',
}

export interface RpcStatus {
  code: status
  details: string
  metadata: Metadata
}

/** What is sent for a Failure; of an internal one, nothing but that. */
export function statusOf(failure: Failure): RpcStatus {
  const metadata = new Metadata()
  metadata.set(failureTrailer, failure.code)
  if (failure.retryAfterSeconds !== undefined) metadata.set(retryAfterTrailer, String(failure.retryAfterSeconds))
  const message = failure.code === 'internal' ? asFailure(undefined).message : failure.message
  // A lone surrogate cannot be percent-encoded.
  return { code: toStatus[failure.code], details: message.slice(0, maxMessageCharacters).toWellFormed(), metadata }
}

const isFailureCode = (code: unknown): code is FailureCode => failureCodes.includes(code as FailureCode)

/** The Failure that a call's error stands for; the error itself is its cause. */
export function failureOf(error: ServiceError): Failure {
  const named = error.metadata?.get(failureTrailer)[0]
  if (isFailureCode(named)) {
    const after = Number(error.metadata.get(retryAfterTrailer)[0])
    return new Failure(named, error.details, after > 0 ? { cause: error, retryAfterSeconds: after } : { cause: error })
  }
  const code = fromStatus[error.code as FailedStatus] ?? 'internal'
  return new Failure(code, plainMessages[code] ?? error.details, { cause: error })
}
