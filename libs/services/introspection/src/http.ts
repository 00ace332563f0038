import {
  oauthFailure,
  parseBasic,
  parseForm,
  type HttpAnswer,
  type HttpRequest,
  type Route,
} from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { authenticateClient, type ClientAuthentication, type Introspection } from '@countersign/tokens'
import type { IntrospectionEngine } from './engine.ts'

const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }

/** RFC 7662 section 2.2: unknown, expired, revoked and not-yours are the same bytes. */
const inactiveBody = '{"active":false}'

const bodyOf = (answer: Introspection, issuer: string): string =>
  answer.active
    ? JSON.stringify({
        active: true,
        scope: answer.scope,
        client_id: answer.clientId,
        token_type: 'Bearer',
        exp: answer.exp,
        iat: answer.iat,
        sub: answer.sub,
        aud: answer.aud.length === 1 ? answer.aud[0] : answer.aud,
        iss: issuer,
        jti: answer.jti,
      })
    : inactiveBody

/** `POST /oauth2/introspect` (RFC 7662). */
export function introspectionEndpoint(
  engine: IntrospectionEngine,
  authentication: ClientAuthentication,
  issuer: string,
): Route {
  async function post({ query, body, headers: received, address }: HttpRequest): Promise<HttpAnswer> {
    if (query !== '') throw new Failure('invalid_request', 'send parameters in the body, not in the URL')
    const form = parseForm(body, received['content-type'])
    const { authorization } = received
    const client = authenticateClient(authentication, { authorization, parseBasic, form, address }, false)
    const caller = client instanceof Promise ? await client : client
    const answer = await engine.introspect(caller, form.get('token') ?? '')
    return { status: 200, headers, body: bodyOf(answer, issuer) }
  }

  return { path: '/oauth2/introspect', methods: { POST: post }, onFailure: oauthFailure }
}
