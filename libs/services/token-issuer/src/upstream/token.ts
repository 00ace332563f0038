import { Failure, type Millis } from '@countersign/contracts'
import type { Confirmation } from '@countersign/contracts/records'
import { dateOf, digestOf, fingerprintOf, holdsKey, isSignedBy, readJws, type UnverifiedJws } from '@countersign/tokens'
import { limits } from '../limits.ts'
import type { IssuerKeys } from './issuer-keys.ts'

/** A provider as it is configured; of those without `tokenExchange`, no token is taken. */
export interface UpstreamProvider {
  readonly id: string
  readonly issuer: string
  /** Whether people who are not known yet get an account. */
  readonly signUp: boolean
  /** Those whose people may sign in; absent: any. A token proves no address, so that nobody gets an account by one. */
  readonly emailDomains?: readonly string[] | undefined
  readonly tokenExchange?:
    | {
        readonly audience: readonly string[]
        readonly authorizedParties?: readonly string[] | undefined
      }
    | undefined
}

/** A token of another issuer, once it is known to be good. */
export interface UpstreamToken {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** Whether an account is made for somebody who has none yet; otherwise they have to sign in first. */
  readonly mayBeNew: boolean
  readonly expiresAt: Millis
  readonly fingerprint: string
}

export interface UpstreamTokens {
  /**
   * @param isIdToken whether it is presented as an ID token
   * @param confirmation what the client proved to hold with its request
   * @throws Failure `invalid_request` for whatever is wrong with it (RFC 8693 section 2.2.2), `unavailable` when its issuer’s
   * keys cannot be had
   */
  verify(token: string, isIdToken: boolean, confirmation: Confirmation | undefined): Promise<UpstreamToken>
}

export interface UpstreamTokensOptions {
  /** Of the configuration, as it is now. */
  readonly providers: () => readonly UpstreamProvider[]
  readonly keysOf: IssuerKeys
  readonly now: () => Millis
}

type Claims = UnverifiedJws['payload']

const refused = (why: string): Failure => new Failure('invalid_request', `subject_token is not taken: ${why}`)

/** Tokens of other issuers: JWTs that were made for us, or for a client that is named here, and for nobody else. */
export function createUpstreamTokens({ providers, keysOf, now }: UpstreamTokensOptions): UpstreamTokens {
  return {
    async verify(token, isIdToken, confirmation) {
      const jws = readJws(token, limits.exchangedTokenCharacters)
      if (!jws) throw refused('it is no JWT with an asymmetric signature')
      const provider = providers().find((each) => each.tokenExchange && each.issuer === jws.payload.iss)
      if (!provider) throw refused('its iss is no provider whose tokens are exchanged here')
      checkType(jws, isIdToken)
      checkParties(jws.payload, provider.tokenExchange!)
      checkHolder(jws.payload, confirmation)
      const { issuer, id, signUp, emailDomains } = provider
      const mayBeNew = signUp && emailDomains === undefined
      const subject = subjectOf(jws.payload)
      const expiresAt = expiryOf(jws.payload, now())
      // Everything else first: what is refused anyway makes no request.
      if (!(await isSignedByIssuer(token, issuer, keysOf))) throw refused('its signature is not its issuer’s')
      return { provider: id, issuer, subject, mayBeNew, expiresAt, fingerprint: fingerprintOf(digestOf(token)) }
    },
  }
}

async function isSignedByIssuer(token: string, issuer: string, keysOf: IssuerKeys): Promise<boolean> {
  try {
    const { key } = await keysOf(issuer)
    return await isSignedBy(token, key)
  } catch (cause) {
    throw new Failure('unavailable', 'the issuer of subject_token does not tell its keys', {
      cause,
      retryAfterSeconds: Math.ceil(limits.failedDiscoveryMs / 1_000),
    })
  }
}

const accessTokenType = /^(application\/)?at\+jwt$/i
const plainType = /^(application\/)?jwt$/i

/** An issuer signs more than tokens with its keys, for the same audience: a logout token says nothing of who is here. */
function checkType({ header: { typ }, payload }: UnverifiedJws, isIdToken: boolean): void {
  const isPlain = typ === undefined || (typeof typ === 'string' && plainType.test(typ))
  const isAccessToken = typeof typ === 'string' && accessTokenType.test(typ)
  if (!isPlain && (isIdToken || !isAccessToken)) throw refused('its typ is of another kind of JWT')
  if ('events' in payload) throw refused('it tells of events (RFC 8417)')
}

function checkParties({ aud, azp, client_id: clientId }: Claims, { audience, authorizedParties }: Accepted): void {
  const audiences = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? (aud as unknown[]) : []
  if (!audiences.some((each) => audience.includes(each as string))) throw refused('its aud is somebody else')
  const party = azp ?? clientId
  if (authorizedParties && !authorizedParties.includes(party as string)) throw refused('its azp is somebody else')
}

type Accepted = NonNullable<UpstreamProvider['tokenExchange']>

/** RFC 7800 section 3.1: what is bound to a key is exchanged by whoever proves to hold it. */
function checkHolder({ cnf }: Claims, confirmation: Confirmation | undefined): void {
  if (cnf === undefined) return
  const { jkt = '', 'x5t#S256': x5tS256 = '', ...others } = Object(cnf) as Record<string, unknown>
  const isKnown = typeof jkt === 'string' && typeof x5tS256 === 'string' && Object.keys(others).length === 0
  const isBound = jkt !== '' || x5tS256 !== ''
  if (isKnown && isBound && holdsKey({ jkt, x5tS256 }, confirmation)) return
  throw refused('it is bound to a key (cnf) that was not proven with this request')
}

function subjectOf({ sub }: Claims): string {
  if (typeof sub === 'string' && sub !== '' && sub.length <= limits.upstreamSubjectCharacters) return sub
  throw refused('it names no sub')
}

/** A token is taken until it expires, and not a moment longer; another’s clock may be ahead. */
function expiryOf({ exp, iat, nbf }: Claims, now: Millis): Millis {
  const expiresAt = dateOf(exp)
  if (expiresAt === undefined || expiresAt <= now) throw refused('it is expired, or has no exp')
  const isPast = (date: unknown) => date === undefined || (dateOf(date) ?? Infinity) <= now + limits.skewSeconds * 1_000
  if (!isPast(iat) || !isPast(nbf)) throw refused('it is not good yet (iat, nbf)')
  return Math.floor(expiresAt)
}
