import { oauthFailure, type HttpAnswer, type HttpRequest, type Route } from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import {
  createRecordReader,
  limits as tokenLimits,
  revokeToken,
  tokenKey,
  type ClientAuthentication,
  type TokenFormat,
} from '@countersign/tokens'
import { clientAsker } from './asker.ts'
import { readClientRequest } from './client-request.ts'
import { decideAndCommit } from './decide.ts'

export interface RevocationEndpointOptions {
  store: Store
  format: TokenFormat
  authentication: ClientAuthentication
  now: () => Millis
  commitId: () => string
}

/**
 * `POST /oauth2/revoke` (RFC 7009). 200 once the revocation is durable, and for whatever there was nothing to revoke of;
 * where something was, `Countersign-Revision` says which revision has it.
 */
export function revocationEndpoint(options: RevocationEndpointOptions): Route {
  const { store, format, authentication, now, commitId } = options
  const records = createRecordReader()

  async function post(request: HttpRequest): Promise<HttpAnswer> {
    const { form, client } = await readClientRequest(request, authentication)
    const token = form.get('token')
    if (token === undefined) throw new Failure('invalid_request', 'token is required')
    if (token.length > tokenLimits.tokenCharacters) throw new Failure('invalid_request', 'token is too long')
    const parsed = format.parse(token)
    const revoked =
      parsed &&
      (await decideAndCommit(store, async () => {
        const entries = await store.follow(tokenKey(parsed.partition, parsed.digest))
        if (!entries) return undefined
        const subject = { held: records.held(entries), parsed, client }
        const commit = revokeToken(subject, commitId(), clientAsker(client.id, request), now())
        return commit && { commit }
      }))
    const headers: Record<string, string> = { 'cache-control': 'no-store' }
    if (revoked) headers['countersign-revision'] = revoked.committed.revision
    return { status: 200, headers, body: '' }
  }

  return { path: '/oauth2/revoke', methods: { POST: post }, onFailure: oauthFailure }
}
