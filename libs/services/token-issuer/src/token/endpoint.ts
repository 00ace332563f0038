import { networkOf, oauthFailure, type HttpAnswer, type HttpRequest, type Route } from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import { grantTypes, type GrantType } from '@countersign/tokens'
import { readClientRequest, type ClientRequestOptions } from '../client-request.ts'
import type { Limiter } from '../limiter.ts'
import type { Possession } from '../possession.ts'
import type { TokenAnswers } from './answer.ts'
import type { GrantHandler } from './request.ts'

export interface TokenEndpointOptions extends ClientRequestOptions {
  issuer: string
  grants: Readonly<Record<GrantType, GrantHandler>>
  possession: Possession
  answers: TokenAnswers
  /** Wrong codes and refresh tokens of one client and address. */
  failedGrants: Limiter
  /** Whether the audit journal is too far behind for new grants. */
  overBacklog: () => boolean
}

/** Answers that hold tokens are not kept (RFC 6749 section 5.1). */
const noStore = { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' }

/** RFC 8707 section 2 and RFC 8693 section 2.1: may be there more than once. */
const repeatable = ['resource', 'audience']

/** `POST /oauth2/token` (RFC 6749 section 3.2). */
export function tokenEndpoint(options: TokenEndpointOptions): Route {
  const { grants, possession, answers, failedGrants, overBacklog } = options

  async function post(http: HttpRequest): Promise<HttpAnswer> {
    const { form, client } = await readClientRequest(http, options, repeatable)
    const grantType = form.get('grant_type')
    if (grantType === undefined) throw new Failure('invalid_request', 'grant_type is required')
    const known = grantTypes.find((each) => each === grantType)
    if (!known) throw new Failure('unsupported_grant_type', 'this grant_type is not served here')
    if (!client.grants.includes(known)) throw new Failure('unauthorized_client', `this client may not use ${known}`)
    if (overBacklog()) {
      throw new Failure('unavailable', 'the audit journal is too far behind for new grants', { retryAfterSeconds: 5 })
    }
    const confirmation = await possession.of(http, client, 'token')
    const given = await guarded(`${client.id} ${networkOf(http.address)}`, () =>
      grants[known]({ client, form, http, confirmation }),
    )
    const nonce = possession.nonce()
    const headers = nonce === undefined ? noStore : { ...noStore, 'dpop-nonce': nonce }
    return { status: 200, headers, body: JSON.stringify(await answers.of(given, client)) }
  }

  /**
   * Whoever guesses is slowed down. What is good is never refused for it: 256 random bits are not guessed, and somebody else
   * may fail on purpose.
   */
  async function guarded<T>(key: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt()
    } catch (thrown) {
      if (asFailure(thrown).code === 'invalid_grant') await failedGrants.take(key)
      throw thrown
    }
  }

  return { path: '/oauth2/token', isForAnyOrigin: true, methods: { POST: post }, onFailure: oauthFailure }
}
