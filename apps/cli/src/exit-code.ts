import type { FailureCode } from '@countersign/contracts'

/** What the exit code of a command says; documented in docs/cli.md. */
export const exitCodes = {
  ok: 0,
  /** It could not be done, or `doctor` found something broken. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was tried. */
  mistake: 2,
  /** Nobody answers, or not now: trying again later makes sense. */
  unavailable: 3,
  /** The server says no: to the credentials, or to what was asked for. */
  refused: 4,
  /** `token introspect`: the token is not good. */
  inactive: 5,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

const { failed, mistake, unavailable, refused } = exitCodes

const byFailure = {
  invalid_request: mistake,
  invalid_client: refused,
  invalid_grant: refused,
  unauthorized_client: refused,
  unsupported_grant_type: refused,
  invalid_scope: refused,
  invalid_target: refused,
  invalid_dpop_proof: refused,
  use_dpop_nonce: refused,
  authorization_pending: refused,
  slow_down: refused,
  expired_token: refused,
  unsupported_media_type: failed,
  method_not_allowed: failed,
  access_denied: refused,
  not_found: failed,
  conflict: failed,
  too_large: mistake,
  too_many_requests: unavailable,
  deadline_exceeded: unavailable,
  unavailable,
  internal: failed,
} as const satisfies Record<FailureCode, ExitCode>

/** The exit code for whatever a command threw. Told by name, so that nothing is loaded to tell it. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (!(thrown instanceof Error)) return failed
  if (thrown.name === 'ConfigError') return mistake
  if (thrown.name === 'Failure') return byFailure[(thrown as Error & { code: FailureCode }).code]
  return failed
}
