import { Failure, type Millis, type Partition } from '@countersign/contracts'
import { Shared, type LeasedCache } from '@countersign/leased-cache'
import type { Reader } from '@countersign/store'
import { limits } from './limits.ts'
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

/** An active token, and the facts that would end it. What many tokens have in common is there once. */
export interface ActiveToken {
  readonly scope: string
  readonly clientId: string
  readonly sub: string
  readonly aud: string[]
  /** Seconds. */
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly partition: Partition
  readonly grantId: string
  readonly sessionId: string
  readonly subject: string
}

/** Null: not active, or not for this caller to see. */
export type Answered = ActiveToken | null

/** Bounds that a caller sets on the view that it is answered from. */
export interface Demands {
  /** Revisions, separated by spaces. */
  readonly minRevision: string
  /** Milliseconds; 0 asks the store. */
  readonly staleness: { readonly value: number } | undefined
}

export interface IntrospectionEngine {
  /**
   * Whether a token is good, and for what, as this caller may know it. Answered from memory while that is proven fresh,
   * else by one read of the store; none for what was never a token, then not even a promise.
   * @throws Failure `invalid_request`, `too_many_requests`, `unavailable`: never a guess
   */
  introspect(caller: Client, token: string, demands?: Demands): Answered | Promise<Answered>
}

export interface IntrospectionEngineOptions {
  reader: Pick<Reader, 'follow'>
  /** Absent: always ask the store. */
  cache?: LeasedCache<Answered> | undefined
  format: TokenFormat
  /** Counts inactive answers per caller: who tries tokens out is slowed down. */
  scanning: FailureThrottle
  now: () => Millis
}

/** Bytes of what is kept of a token, by measurement. */
const activeTokenBytes = 320

export function createIntrospectionEngine(options: IntrospectionEngineOptions): IntrospectionEngine {
  const { reader, cache, format, scanning, now } = options
  const records = createRecordReader()
  const shared = new Shared()

  const answer = (caller: Client, found: Answered): Answered => {
    if (found && maySee(caller, found.aud)) return found
    scanning.fail(caller.id)
    return null
  }

  function kept(token: string, { minRevision, staleness }: Demands): Answered | undefined {
    const maxStalenessMs = staleness?.value
    if (!cache || maxStalenessMs === 0) return undefined
    return minRevision === '' || cache.covers(minRevision) ? cache.get(token, maxStalenessMs) : undefined
  }

  async function look(token: string, { partition, digest }: ParsedToken): Promise<Answered> {
    const ticket = cache?.ticket()
    const entries = await reader.follow(tokenKey(partition, digest))
    const held = entries && records.held(entries)
    const introspection = held ? describe(held, digest, now()) : inactive
    const found = introspection.active ? activeToken(introspection, held!, partition, shared) : null
    if (ticket) {
      cache!.keep(ticket, token, {
        value: found,
        partition,
        revokedBy: held ? revokedBy(held, digest) : [],
        expiresAt: found ? held!.token.record.expiresAt : Infinity,
        bytes: found ? activeTokenBytes : 0,
        isActive: found !== null,
      })
    }
    return found
  }

  return {
    introspect(caller, token, demands = noDemands) {
      if (token === '') throw new Failure('invalid_request', 'token is required')
      if (token.length > tokenLimits.tokenCharacters) throw new Failure('invalid_request', 'token is too long')
      const blocked = scanning.blockedSeconds(caller.id)
      if (blocked !== undefined) {
        throw new Failure('too_many_requests', 'too many inactive tokens asked about', { retryAfterSeconds: blocked })
      }
      refuseNonsense(demands.minRevision)
      const known = kept(token, demands)
      if (known !== undefined) return answer(caller, known)
      const parsed = format.parse(token)
      return parsed ? look(token, parsed).then((found) => answer(caller, found)) : answer(caller, null)
    },
  }
}

/** Revisions separated by spaces, each perhaps with its tip. */
const revisions = /^(\d{1,2}:[0-9a-f]{0,32}:\d{1,15}(~[0-9a-f]{0,16})?( |$))+$/

function refuseNonsense(minRevision: string): void {
  if (minRevision === '' || (minRevision.length <= limits.minRevisionCharacters && revisions.test(minRevision))) return
  throw new Failure('invalid_request', 'min_revision must be a revision, as a revocation answers with')
}

const noDemands: Demands = { minRevision: '', staleness: undefined }

function activeToken(
  { scope, clientId, sub, aud, exp, iat, jti }: Introspection & { active: true },
  { grant }: Held,
  partition: Partition,
  shared: Shared,
): ActiveToken {
  const { id: grantId, sessionId, subject } = grant!.record
  return {
    scope: shared.text(scope),
    clientId: shared.text(clientId),
    sub,
    aud: shared.list(aud) as string[],
    exp,
    iat,
    // A copy: a part would keep the whole of it.
    jti: Buffer.from(jti, 'latin1').toString('latin1'),
    partition,
    grantId,
    sessionId,
    subject,
  }
}
