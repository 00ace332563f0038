import type {
  AgreeRequest,
  AgreeResponse,
  ContinueRequest,
  ContinueResponse,
  DenyRequest,
  DenyResponse,
  EndSessionRequest,
  EndSessionResponse,
  GetSessionRequest,
  GetSessionResponse,
  SignInRequest,
  SignInResponse,
  SignOutEverywhereRequest,
  SignOutEverywhereResponse,
} from '@countersign/contracts/authorization'

/**
 * What login asks of token-issuer: `countersign.authorization.v1.Authorization`, whatever carries it. Each throws Failures:
 * `not_found` for a request, sign-out or user code that is unknown, expired or done with.
 */
export interface AuthorizationCalls {
  continue(request: ContinueRequest): Promise<ContinueResponse>
  signIn(request: SignInRequest): Promise<SignInResponse>
  agree(request: AgreeRequest): Promise<AgreeResponse>
  deny(request: DenyRequest): Promise<DenyResponse>
  getSession(request: GetSessionRequest): Promise<GetSessionResponse>
  endSession(request: EndSessionRequest): Promise<EndSessionResponse>
  signOutEverywhere(request: SignOutEverywhereRequest): Promise<SignOutEverywhereResponse>
}

/** Counts failures per key and says when to stop listening; where replicas share one, it takes its time. */
export interface FailureThrottle {
  /** Seconds to wait, or undefined when the key may try. */
  blockedSeconds(key: string): number | undefined | Promise<number | undefined>
  fail(key: string): void | Promise<void>
}
