import {
  oauthFailure,
  parseBasic,
  parseForm,
  type HttpAnswer,
  type HttpRequest,
  type Route,
} from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { authenticateClient, type ClientAuthentication } from '@countersign/tokens'
import type { Answered, IntrospectionEngine } from './engine.ts'

const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }

/** RFC 7662 section 2.2: unknown, expired, revoked and not-yours are the same bytes. */
const inactiveBody = '{"active":false}'

function bodyOf(answered: Answered, issuer: string): string {
  if (!answered) return inactiveBody
  const { scope, clientId, exp, iat, sub, aud, jti } = answered
  return JSON.stringify({
    active: true,
    scope,
    client_id: clientId,
    token_type: 'Bearer',
    exp,
    iat,
    sub,
    aud: aud.length === 1 ? aud[0] : aud,
    iss: issuer,
    jti,
  })
}

/** `max_staleness`, milliseconds; 0 asks the store. @throws Failure `invalid_request` */
function staleness(text: string | undefined): { value: number } | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw new Failure('invalid_request', 'max_staleness is in whole milliseconds')
  return { value: Number(text) }
}

/** `POST /oauth2/introspect` (RFC 7662), with `min_revision` and `max_staleness` as in the gRPC contract. */
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
    const demands = {
      minRevision: form.get('min_revision') ?? '',
      staleness: staleness(form.get('max_staleness')),
    }
    const answered = engine.introspect(caller, form.get('token') ?? '', demands)
    return { status: 200, headers, body: bodyOf(answered instanceof Promise ? await answered : answered, issuer) }
  }

  return { path: '/oauth2/introspect', methods: { POST: post }, onFailure: oauthFailure }
}
