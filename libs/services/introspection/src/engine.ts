import { Failure, type Millis } from '@countersign/contracts'
import type { RevokedBy } from '@countersign/contracts/introspection'
import type { LeasedCache } from '@countersign/leased-cache'
import type { Reader } from '@countersign/store'
import {
  createRecordReader,
  describe,
  inactive,
  limits as tokenLimits,
  maySee,
  revokedBy,
  tokenKey,
  type Client,
  type FailureThrottle,
  type Held,
  type Introspection,
  type ParsedToken,
  type TokenFormat,
} from '@countersign/tokens'

/** What is known of a token: the same object for as long as it may be answered from memory. */
export interface Answered {
  readonly introspection: Introspection
  /** The facts that would end it; absent when it is not active. */
  readonly revokedBy?: RevokedBy
}

/** Bounds that a caller sets on the view that it is answered from. */
export interface Demands {
  /** Revisions, separated by spaces. */
  readonly minRevision: string
  readonly maxStalenessMs?: number | undefined
}

export interface IntrospectionEngine {
  /**
   * Whether a token is good, and for what, as this caller may know it. Answered from memory while that is proven fresh,
   * else by one read of the store; none for what was never a token, then not even a promise.
   * @throws Failure `invalid_request`, `too_many_requests`, `unavailable`: never a guess
   */
  introspect(caller: Client, token: string, demands?: Demands): Answered | Promise<Answered>
}

/** What is kept of a token. */
export interface KnownToken {
  readonly answered: Answered
  readonly audience: string[]
}

export interface IntrospectionEngineOptions {
  reader: Pick<Reader, 'follow'>
  /** Absent: always ask the store. */
  cache?: LeasedCache<KnownToken> | undefined
  format: TokenFormat
  /** Counts inactive answers per caller: who tries tokens out is slowed down. */
  scanning: FailureThrottle
  now: () => Millis
}

const notActive: Answered = { introspection: inactive }
export const unknownToken: KnownToken = { answered: notActive, audience: [] }

/** Bytes of what is kept of a token, by measurement. */
const knownTokenBytes = 300

export function createIntrospectionEngine(options: IntrospectionEngineOptions): IntrospectionEngine {
  const { reader, cache, format, scanning, now } = options
  const records = createRecordReader()

  const answer = (caller: Client, { answered, audience }: KnownToken): Answered => {
    if (answered !== notActive && maySee(caller, audience)) return answered
    scanning.fail(caller.id)
    return notActive
  }

  function kept(token: string, { minRevision, maxStalenessMs }: Demands): KnownToken | undefined {
    if (!cache || maxStalenessMs === 0) return undefined
    return minRevision === '' || cache.covers(minRevision) ? cache.get(token, maxStalenessMs) : undefined
  }

  async function look(token: string, { partition, digest }: ParsedToken): Promise<KnownToken> {
    const ticket = cache?.ticket()
    const entries = await reader.follow(tokenKey(partition, digest))
    const held = entries && records.held(entries)
    const introspection = held ? describe(held, digest, now()) : inactive
    const known = introspection.active ? knownToken(introspection, held!, partition) : unknownToken
    if (ticket) {
      cache!.keep(ticket, token, {
        value: known,
        partition,
        revokedBy: held ? revokedBy(held, digest) : [],
        expiresAt: introspection.active ? held!.token.record.expiresAt : Infinity,
        bytes: introspection.active ? knownTokenBytes + introspection.scope.length : 0,
        isActive: introspection.active,
      })
    }
    return known
  }

  return {
    introspect(caller, token, demands = noDemands) {
      if (token === '') throw new Failure('invalid_request', 'token is required')
      if (token.length > tokenLimits.tokenCharacters) throw new Failure('invalid_request', 'token is too long')
      const blocked = scanning.blockedSeconds(caller.id)
      if (blocked !== undefined) {
        throw new Failure('too_many_requests', 'too many inactive tokens asked about', { retryAfterSeconds: blocked })
      }
      const known = kept(token, demands)
      if (known) return answer(caller, known)
      const parsed = format.parse(token)
      return parsed ? look(token, parsed).then((found) => answer(caller, found)) : answer(caller, unknownToken)
    },
  }
}

const noDemands: Demands = { minRevision: '' }

function knownToken(introspection: Introspection, { token, grant }: Held, partition: number): KnownToken {
  const { id: grantId, sessionId, subject } = grant!.record
  return {
    answered: { introspection, revokedBy: { partition, grantId, sessionId, subject } },
    audience: token.record.audience,
  }
}
