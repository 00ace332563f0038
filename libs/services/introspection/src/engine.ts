import { Failure, type Millis } from '@countersign/contracts'
import type { Reader } from '@countersign/store'
import {
  createRecordReader,
  inactive,
  introspect,
  limits as tokenLimits,
  tokenKey,
  type Client,
  type FailureThrottle,
  type Introspection,
  type ParsedToken,
  type TokenFormat,
} from '@countersign/tokens'

export interface IntrospectionEngine {
  /**
   * Whether a token is good, and for what, as this caller may know it. At most one read of the store; none for what
   * was never a token, then not even a promise.
   * @throws Failure `invalid_request`, `too_many_requests`, `unavailable`: never a guess
   */
  introspect(caller: Client, token: string): Introspection | Promise<Introspection>
}

export interface IntrospectionEngineOptions {
  reader: Pick<Reader, 'follow'>
  format: TokenFormat
  /** Counts inactive answers per caller: who tries tokens out is slowed down. */
  scanning: FailureThrottle
  now: () => Millis
}

export function createIntrospectionEngine(options: IntrospectionEngineOptions): IntrospectionEngine {
  const { reader, format, scanning, now } = options
  const records = createRecordReader()

  const answer = (caller: Client, introspection: Introspection): Introspection => {
    if (!introspection.active) scanning.fail(caller.id)
    return introspection
  }

  async function look(caller: Client, { partition, digest }: ParsedToken): Promise<Introspection> {
    const entries = await reader.follow(tokenKey(partition, digest))
    return answer(caller, entries ? introspect(records.held(entries), digest, caller, now()) : inactive)
  }

  return {
    introspect(caller, token) {
      if (token === '') throw new Failure('invalid_request', 'token is required')
      if (token.length > tokenLimits.tokenCharacters) throw new Failure('invalid_request', 'token is too long')
      const blocked = scanning.blockedSeconds(caller.id)
      if (blocked !== undefined) {
        throw new Failure('too_many_requests', 'too many inactive tokens asked about', { retryAfterSeconds: blocked })
      }
      const parsed = format.parse(token)
      return parsed ? look(caller, parsed) : answer(caller, inactive)
    },
  }
}
