import type { AuthorizationService } from './gen/countersign/authorization/v1/authorization.ts'

/** A method of a contract that takes one message and gives one. */
interface UnaryMethod {
  requestDeserialize(bytes: Buffer): unknown
  responseDeserialize(bytes: Buffer): unknown
}

/** A contract's methods, whatever carries them: the service object itself, or a client of it. They throw Failures. */
export type Calls<Definition extends Record<string, UnaryMethod>> = {
  readonly [Name in keyof Definition]: (
    request: ReturnType<Definition[Name]['requestDeserialize']>,
  ) => Promise<ReturnType<Definition[Name]['responseDeserialize']>>
}

/**
 * What login asks of token-issuer: `countersign.authorization.v1.Authorization`. `not_found` is a request, a sign-out or a user
 * code that is unknown, expired or done with.
 */
export type AuthorizationCalls = Calls<typeof AuthorizationService>
