import { parseForm, problemFailure, type HttpAnswer, type HttpRequest, type Route } from '@countersign/chassis'
import { asFailure, type Millis, type Partition } from '@countersign/contracts'
import { TokenKind } from '@countersign/contracts/records'
import type { Store } from '@countersign/store'
import {
  createRecordReader,
  isLive,
  limits as tokenLimits,
  proofAlgorithms,
  scopesOf,
  standingOf,
  tokenKey,
  toldSubject,
  type Held,
  type TokenFormat,
} from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { certificateThumbprint } from '@countersign/tokens'
import { standingClaims, type People } from './people.ts'
import type { Possession } from './possession.ts'
import { placeOf } from './revoke.ts'

export interface UserinfoOptions {
  store: Pick<Store, 'follow'>
  format: TokenFormat
  keyRing: Pick<KeyRing, 'verify'>
  people: People
  possession: Possession
  issuer: string
  now: () => Millis
}

interface Presented {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
}

class Challenge extends Error {
  readonly status: number
  readonly error: string
  constructor(status: number, error: string, description: string) {
    super(description)
    this.status = status
    this.error = error
  }
}

const invalidToken = (description: string) => new Challenge(401, 'invalid_token', description)

/** `GET` and `POST /oauth2/userinfo` (OpenID Connect Core section 5.3), for access tokens with the scope `openid`. */
export function userinfoEndpoint(options: UserinfoOptions): Route {
  const { store, people, possession, now } = options
  const records = createRecordReader()

  async function find(token: string): Promise<(Held & { partition: Partition }) | undefined> {
    if (token.length > tokenLimits.tokenCharacters) return undefined
    const place = await placeOf(token, options)
    const entries = place && (await store.follow(tokenKey(place.partition, place.recordDigest)))
    return entries && { ...records.held(entries), partition: place.partition }
  }

  async function answer(request: HttpRequest): Promise<HttpAnswer> {
    const { scheme, token } = presented(request)
    const held = await find(token)
    if (!held || held.token.record.kind !== TokenKind.ACCESS_TOKEN || !isLive(held, now())) {
      throw invalidToken('the access token is expired, revoked, or none of ours')
    }
    const { record } = held.token
    await checkPossession(request, { scheme, token }, held)
    const grant = held.grant!.record
    if (grant.subject === '' || !scopesOf(record.scope).includes('openid')) {
      throw new Challenge(403, 'insufficient_scope', 'userinfo needs the scope openid')
    }
    const claims = await people.userinfoClaims(held.partition, grant, record.scope)
    const body = JSON.stringify({ ...claims, ...standingTold(held), sub: toldSubject(grant) })
    return { status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body }
  }

  /** A bound token is good only with the key it is bound to (RFC 9449 section 7.1, RFC 8705 section 3). */
  async function checkPossession(request: HttpRequest, { scheme, token }: Presented, held: Held): Promise<void> {
    const { jkt = '', x5tS256 = '' } = held.token.record.confirmation ?? {}
    if ((jkt !== '') !== (scheme === 'DPoP')) {
      throw invalidToken(jkt === '' ? 'this token is a bearer token' : 'this token is bound to a DPoP key')
    }
    if (jkt !== '' && (await possession.dpopKey(request, 'userinfo', token)) !== jkt) {
      throw invalidToken('a DPoP proof by the key that this token is bound to is missing')
    }
    const certificate = request.presentedCertificate
    if (x5tS256 !== '' && (!certificate || certificateThumbprint(certificate) !== x5tS256)) {
      throw invalidToken('the client certificate that this token is bound to is missing')
    }
  }

  /** RFC 6750 section 3. */
  function refuse(thrown: unknown): HttpAnswer {
    const headers = { 'cache-control': 'no-store' }
    if (thrown instanceof Challenge) {
      const { status, error, message } = thrown
      const told = error === '' ? '' : ` error="${error}", error_description="${message}"`
      const scopes = error === 'insufficient_scope' ? ', scope="openid"' : ''
      const challenges = [
        `Bearer${told}${scopes}`,
        `DPoP algs="${proofAlgorithms.join(' ')}"${told === '' ? '' : `,${told}`}`,
      ]
      return { status, headers: { ...headers, 'www-authenticate': challenges.join(', ') }, body: '' }
    }
    const failure = asFailure(thrown)
    if (failure.code !== 'invalid_dpop_proof' && failure.code !== 'use_dpop_nonce') throw failure
    const challenge = `DPoP error="${failure.code}", error_description="${failure.message}"`
    return { status: 401, headers: { ...headers, ...failure.headers, 'www-authenticate': challenge }, body: '' }
  }

  const handle = (request: HttpRequest) => answer(request).catch(refuse)
  return {
    path: '/oauth2/userinfo',
    isForAnyOrigin: true,
    methods: { GET: handle, POST: handle },
    onFailure: problemFailure,
  }
}

/** Roles and attributes as they are now, for a token with that scope. */
const standingTold = ({ token, grant, subject }: Held) =>
  scopesOf(token.record.scope).includes('roles')
    ? standingClaims(standingOf(subject?.record, grant!.record.provider))
    : {}

/** The header, or `access_token` in a form (RFC 6750 section 2); one of them. Never the query. */
function presented({ headers, query, method, body }: HttpRequest): Presented {
  const [, scheme, token] = /^(bearer|dpop) +([\x21-\x7e]+)$/i.exec(headers.authorization ?? '') ?? []
  if (new URLSearchParams(query).has('access_token')) {
    throw new Challenge(400, 'invalid_request', 'send the access token in a header, not in the URL')
  }
  const isForm = method === 'POST' && body.length > 0 && headers['content-type']?.startsWith('application/x-www-form')
  const posted = isForm ? parseForm(body, headers['content-type']).get('access_token') : undefined
  if (posted !== undefined && headers.authorization !== undefined) {
    throw new Challenge(400, 'invalid_request', 'send the access token in one way, not in two')
  }
  if (posted !== undefined) return { scheme: 'Bearer', token: posted }
  if (scheme === undefined || token === undefined) {
    const isMalformed = /^(bearer|dpop)( |$)/i.test(headers.authorization ?? '')
    if (isMalformed) throw new Challenge(400, 'invalid_request', 'the Authorization header holds no token')
    throw new Challenge(401, '', 'an access token is required')
  }
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token }
}
