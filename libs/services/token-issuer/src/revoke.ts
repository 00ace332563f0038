import { oauthFailure, type HttpAnswer, type HttpRequest, type Route } from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import {
  createRecordReader,
  limits as tokenLimits,
  parseJwtId,
  revokeToken,
  tokenKey,
  type TokenFormat,
  type TokenPlace,
} from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { readClientRequest, type ClientRequestOptions } from './client-request.ts'
import { decideAndCommit } from './decide.ts'
import { decidingFor } from './token/request.ts'

export interface RevocationEndpointOptions extends ClientRequestOptions {
  store: Store
  format: TokenFormat
  keyRing: Pick<KeyRing, 'verify'>
  issuer: string
  now: () => Millis
  commitId: () => string
}

/** Where the record of a token is that somebody presents: opaque, or a JWT of ours. */
export async function placeOf(
  token: string,
  { format, keyRing, issuer }: Pick<RevocationEndpointOptions, 'format' | 'keyRing' | 'issuer'>,
): Promise<TokenPlace | undefined> {
  if (!token.startsWith('eyJ')) return format.parse(token)
  const verified = await keyRing.verify(token, { typ: 'at+jwt' })
  const place = verified?.payload.iss === issuer ? parseJwtId(verified.payload.jti) : undefined
  return place && { ...place, recordDigest: place.digest }
}

/**
 * `POST /oauth2/revoke` (RFC 7009). 200 once the revocation is durable, and for whatever there was nothing to revoke of;
 * where something was, `Countersign-Revision` says which revision has it.
 */
export function revocationEndpoint(options: RevocationEndpointOptions): Route {
  const { store } = options
  const records = createRecordReader()

  async function post(http: HttpRequest): Promise<HttpAnswer> {
    const { form, client } = await readClientRequest(http, options)
    const token = form.get('token')
    if (token === undefined) throw new Failure('invalid_request', 'token is required')
    if (token.length > tokenLimits.tokenCharacters) throw new Failure('invalid_request', 'token is too long')
    const place = await placeOf(token, options)
    const revoked =
      place &&
      (await decideAndCommit(store, async () => {
        const entries = await store.follow(tokenKey(place.partition, place.recordDigest))
        if (!entries) return undefined
        const subject = { held: records.held(entries), parsed: place, client }
        const commit = revokeToken(subject, decidingFor({ client, http }, options))
        return commit && { commit }
      }))
    const headers: Record<string, string> = { 'cache-control': 'no-store' }
    if (revoked) headers['countersign-revision'] = revoked.committed.revision
    return { status: 200, headers, body: '' }
  }

  return { path: '/oauth2/revoke', isForAnyOrigin: true, methods: { POST: post }, onFailure: oauthFailure }
}
