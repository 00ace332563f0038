import { Failure, type Fact, type Millis, type Partition } from '@countersign/contracts'
import type { Attribute } from '@countersign/contracts/records'
import { Shared, type LeasedCache } from '@countersign/leased-cache'
import type { Reader } from '@countersign/store'
import type { Throttle } from '@countersign/chassis'
import { limits } from './limits.ts'
import type { Standings } from './standings.ts'
import {
  createRecordReader,
  describe,
  inactive,
  limits as tokenLimits,
  maySee,
  ownerOf,
  revokedBy,
  tokenKey,
  type Client,
  type Held,
  type Introspection,
  type ParsedToken,
  type TokenFormat,
} from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { isJwtShaped, locateSigned } from './signed-token.ts'

/** What many tokens have in common, which is there once. */
export interface Terms {
  readonly scope: string
  readonly clientId: string
  readonly aud: string[]
  /** Whoever acts now first. */
  readonly actors: string[]
  /** Of the person, as of the provider that they signed in with; a machine has none. */
  readonly roles: string[]
  readonly attributes: Attribute[]
  readonly partition: Partition
}

/** An active token, and the facts that would end it. */
export interface ActiveToken {
  readonly terms: Terms
  readonly sub: string
  /** Seconds. */
  readonly exp: number
  readonly iat: number
  readonly jti: string
  /** What its bearer must prove to hold; an empty member: nothing of that kind. */
  readonly confirmation: { readonly jkt: string; readonly x5tS256: string } | undefined
  readonly grantId: string
  readonly sessionId: string
  readonly subject: string
  /** Facts that end it, besides those about the token as presented, its client, `grantId`, `sessionId` and `subject`. */
  readonly also: readonly Fact[]
}

/** RFC 9449 section 6.2: `DPoP` for what is bound to a DPoP key. */
export const tokenTypeOf = ({ confirmation }: ActiveToken): string => (confirmation?.jkt ? 'DPoP' : 'Bearer')

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
  /**
   * The same, whoever may see the token: for who decides by it and tells nobody.
   * @param asker who is slowed down after asking about many that are not active
   */
  find(asker: string, token: string, demands?: Demands): Answered | Promise<Answered>
}

export interface IntrospectionEngineOptions {
  reader: Pick<Reader, 'follow'>
  /** Absent: always ask the store. */
  cache?: LeasedCache<Answered> | undefined
  format: TokenFormat
  keyRing: Pick<KeyRing, 'verify'>
  issuer: string
  /** Whether callers may still ask; absent: whoever is authenticated may. */
  standings?: Pick<Standings, 'check'>
  /** Counts inactive answers per caller: who tries tokens out is slowed down. */
  scanning: Throttle
  now: () => Millis
}

/** Bytes of what is kept of a token, by measurement; and of each further fact. */
const activeTokenBytes = 312
const factBytes = 112

/** Where a token's record is. */
type Place = Pick<ParsedToken, 'partition' | 'digest'>

export function createIntrospectionEngine(options: IntrospectionEngineOptions): IntrospectionEngine {
  const { reader, cache, format, keyRing, issuer, scanning, standings, now } = options
  const records = createRecordReader()
  const shared = new Shared()

  const counted = (asker: string, answered: Answered): Answered => {
    if (!answered) scanning.fail(asker)
    return answered
  }

  function kept(token: string, { minRevision, staleness }: Demands): Answered | undefined {
    const maxStalenessMs = staleness?.value
    if (!cache || maxStalenessMs === 0) return undefined
    return minRevision === '' || cache.covers(minRevision) ? cache.get(token, maxStalenessMs) : undefined
  }

  /** @param signedUntil of a JWT: when it says that it expires */
  async function look(token: string, { partition, digest }: Place, signedUntil?: Millis): Promise<Answered> {
    const ticket = cache?.ticket()
    const entries = await reader.follow(tokenKey(partition, digest))
    const held = entries && records.held(entries)
    const introspection = held ? describe(held, digest, now()) : inactive
    const facts = held ? revokedBy(held, digest) : []
    const also = introspection.active ? untold(facts, held!, signedUntil === undefined ? digest : undefined) : none
    const found = introspection.active ? activeToken(introspection, held!, partition, also, shared) : null
    if (ticket) {
      cache!.keep(ticket, token, {
        value: found,
        partition,
        revokedBy: facts,
        expiresAt: found ? Math.min(signedUntil ?? Infinity, held!.token.record.expiresAt) : Infinity,
        bytes: found ? activeTokenBytes + also.length * factBytes + shared.ownBytes(found.terms) : 0,
        isActive: found !== null,
      })
    }
    return found
  }

  async function lookSigned(token: string): Promise<Answered> {
    const located = await locateSigned(token, keyRing, issuer, now())
    return located ? look(token, located, located.expiresAt) : null
  }

  function ask(
    asker: string,
    token: string,
    demands: Demands,
    tell: (found: Answered) => Answered,
  ): Answered | Promise<Answered> {
    refuseNonsense(token, demands)
    refuseScanning(scanning, asker)
    const known = kept(token, demands)
    if (known !== undefined) return tell(known)
    const parsed = format.parse(token)
    if (!parsed && !isJwtShaped(token)) return tell(null)
    const looking = parsed ? look(token, parsed) : lookSigned(token)
    return looking.then(tell)
  }

  return {
    introspect(caller, token, demands = noDemands) {
      standings?.check(caller)
      return ask(caller.id, token, demands, (found) =>
        counted(caller.id, found && maySee(caller, found.terms.aud) ? found : null),
      )
    },
    find: (asker, token, demands = noDemands) => ask(asker, token, demands, (found) => counted(asker, found)),
  }
}

/** Revisions separated by spaces, each perhaps with its tip. */
const revisions = /^(\d{1,2}:[0-9a-f]{0,32}:\d{1,15}(~[0-9a-f]{0,16})?( |$))+$/

/** @throws Failure `invalid_request` */
function refuseNonsense(token: string, { minRevision }: Demands): void {
  if (token === '') throw new Failure('invalid_request', 'token is required')
  if (token.length > tokenLimits.tokenCharacters) throw new Failure('invalid_request', 'token is too long')
  if (minRevision === '' || (minRevision.length <= limits.minRevisionCharacters && revisions.test(minRevision))) return
  throw new Failure('invalid_request', 'min_revision must be a revision, as a revocation answers with')
}

/** @throws Failure `too_many_requests` */
function refuseScanning(scanning: Throttle, asker: string): void {
  const blocked = scanning.blockedSeconds(asker)
  if (blocked === undefined) return
  throw new Failure('too_many_requests', 'too many inactive tokens asked about', { retryAfterSeconds: blocked })
}

const noDemands: Demands = { minRevision: '', staleness: undefined }

/** Facts that end a token and that the answer does not tell elsewhere. @param digest of the token as it was presented */
function untold(facts: readonly Fact[], { token, grant }: Held, digest: string | undefined): readonly Fact[] {
  const { id, sessionId, subject } = grant!.record
  const told: Readonly<Record<string, string | undefined>> = {
    token: digest,
    client: ownerOf(token.record, grant!.record),
    grant: id,
    session: sessionId,
    subject,
  }
  const also = facts.filter((fact) => told[fact.kind] !== fact.id)
  return also.length === 0 ? none : also
}

const none: readonly Fact[] = Object.freeze([])

function activeToken(
  { sub, exp, iat, jti, confirmation, ...rest }: Introspection & { active: true },
  { grant }: Held,
  partition: Partition,
  also: readonly Fact[],
  shared: Shared,
): ActiveToken {
  const { id: grantId, sessionId, subject } = grant!.record
  const { scope, clientId, aud, actors, roles, attributes } = rest
  return {
    terms: shared.data({ scope, clientId, aud, actors, roles, attributes, partition }) as Terms,
    sub,
    exp,
    iat,
    // A copy: a part would keep the whole of it.
    jti: Buffer.from(jti, 'latin1').toString('latin1'),
    confirmation,
    grantId,
    sessionId,
    subject,
    also,
  }
}
