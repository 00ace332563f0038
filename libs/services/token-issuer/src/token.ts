import { oauthFailure, type HttpAnswer, type HttpRequest, type Route } from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import {
  issueClientCredentials,
  tokenSecretBytes,
  type Client,
  type ClientAuthentication,
  type TokenFormat,
} from '@countersign/tokens'
import { clientAsker } from './asker.ts'
import type { ClientDirectory } from './client-directory.ts'
import { readClientRequest } from './client-request.ts'
import { decideAndCommit } from './decide.ts'

export interface TokenEndpointOptions {
  store: Store
  format: TokenFormat
  authentication: ClientAuthentication
  directory: ClientDirectory
  /** Whether the audit journal is too far behind for new grants. */
  overBacklog: () => boolean
  now: () => Millis
  commitId: () => string
  randomBytes: (bytes: number) => Uint8Array
}

/** Answers that hold tokens are not kept (RFC 6749 section 5.1). */
const noStore = { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' }

/** `POST /oauth2/token` (RFC 6749 section 3.2). */
export function tokenEndpoint(options: TokenEndpointOptions): Route {
  const { store, format, authentication, directory, overBacklog, now, commitId, randomBytes } = options

  async function clientCredentials(client: Client, form: ReadonlyMap<string, string>, request: HttpRequest) {
    const decide = async (again: boolean) => {
      const state = directory.state(client, again)
      return issueClientCredentials(
        { client, state: state instanceof Promise ? await state : state, scope: form.get('scope') },
        format,
        { commitId: commitId(), tokenSecret: randomBytes(tokenSecretBytes) },
        clientAsker(client.id, request),
        now(),
      )
    }
    const issued = await decideAndCommit(store, decide)
    return {
      access_token: issued!.token,
      token_type: 'Bearer',
      expires_in: issued!.expiresInSeconds,
      ...(issued!.scope !== '' && { scope: issued!.scope }),
    }
  }

  async function post(request: HttpRequest): Promise<HttpAnswer> {
    const { form, client } = await readClientRequest(request, authentication)
    const grantType = form.get('grant_type')
    if (grantType === undefined) throw new Failure('invalid_request', 'grant_type is required')
    if (grantType !== 'client_credentials') {
      throw new Failure('unsupported_grant_type', 'this grant_type is not served here')
    }
    if (overBacklog()) {
      throw new Failure('unavailable', 'the audit journal is too far behind for new grants', { retryAfterSeconds: 5 })
    }
    const body = JSON.stringify(await clientCredentials(client, form, request))
    return { status: 200, headers: noStore, body }
  }

  return { path: '/oauth2/token', methods: { POST: post }, onFailure: oauthFailure }
}
