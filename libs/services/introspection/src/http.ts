import {
  oauthFailure,
  parseBasic,
  parseForm,
  type HttpAnswer,
  type HttpRequest,
  type Route,
} from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import { authenticateClient, type Client, type ClientAuthentication } from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { tokenTypeOf, type ActiveToken, type IntrospectionEngine } from './engine.ts'

const json = 'application/json'
/** RFC 9701 section 5. */
const signed = 'application/token-introspection+jwt'

/** RFC 7662 section 2.2: unknown, expired, revoked and not-yours are the same bytes. */
const inactive = { active: false } as const
const inactiveBody = JSON.stringify(inactive)

/** Whoever acts now, and within whoever acted before (RFC 8693 section 4.1). */
const actOf = (actors: readonly string[]): object | undefined =>
  actors.reduceRight<object | undefined>((act, sub) => ({ sub, ...(act && { act }) }), undefined)

function claimsOf(active: ActiveToken, issuer: string): object {
  const { exp, iat, sub, jti, confirmation } = active
  const { scope, clientId, aud, actors, roles, attributes } = active.terms
  const { jkt, x5tS256 } = confirmation ?? {}
  return {
    active: true,
    scope,
    client_id: clientId,
    token_type: tokenTypeOf(active),
    exp,
    iat,
    sub,
    aud: aud.length === 1 ? aud[0] : aud,
    iss: issuer,
    jti,
    ...((jkt || x5tS256) && { cnf: { ...(jkt && { jkt }), ...(x5tS256 && { 'x5t#S256': x5tS256 }) } }),
    ...(actors.length > 0 && { act: actOf(actors) }),
    ...(roles.length > 0 && { roles }),
    ...(attributes.length > 0 && {
      attributes: Object.fromEntries(attributes.map(({ name, values }) => [name, values])),
    }),
  }
}

/** How much a type is wanted by an Accept header (RFC 9110 section 12.5.1); 0 where it is not named. */
function wanted(accept: string, type: string): number {
  for (const range of accept.split(',')) {
    const [named, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    if (named !== type) continue
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0
  }
  return 0
}

const wantsSigned = (accept: string | undefined): boolean =>
  accept !== undefined && wanted(accept, signed) > 0 && wanted(accept, signed) >= wanted(accept, json)

/** `max_staleness`, milliseconds; 0 asks the store. @throws Failure `invalid_request` */
function staleness(text: string | undefined): { value: number } | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw new Failure('invalid_request', 'max_staleness is in whole milliseconds')
  return { value: Number(text) }
}

export interface IntrospectionEndpointOptions {
  engine: IntrospectionEngine
  authentication: ClientAuthentication
  issuer: string
  keyRing: Pick<KeyRing, 'sign'>
  now: () => Millis
}

/**
 * `POST /oauth2/introspect` (RFC 7662), with `min_revision` and `max_staleness` as in the gRPC contract. The answer is
 * signed for whoever accepts that (RFC 9701).
 */
export function introspectionEndpoint(options: IntrospectionEndpointOptions): Route {
  const { engine, authentication, issuer, keyRing, now } = options

  /** RFC 9701 section 5: nobody can take it for an access token, for it says at its top nothing that one would. */
  const sign = (caller: Client, introspection: object): Promise<string> =>
    keyRing.sign(
      { iss: issuer, aud: caller.id, iat: Math.floor(now() / 1_000), token_introspection: introspection },
      { alg: caller.idTokenAlgorithm, typ: 'token-introspection+jwt' },
    )

  async function post(request: HttpRequest): Promise<HttpAnswer> {
    const { path, query, body, headers: received, address } = request
    if (query !== '') throw new Failure('invalid_request', 'send parameters in the body, not in the URL')
    const form = parseForm(body, received['content-type'])
    const { authorization } = received
    const presented = { authorization, parseBasic, form, address, path, peer: request }
    const client = authenticateClient(authentication, presented, false)
    const caller = client instanceof Promise ? await client : client
    const demands = {
      minRevision: form.get('min_revision') ?? '',
      staleness: staleness(form.get('max_staleness')),
    }
    const answering = engine.introspect(caller, form.get('token') ?? '', demands)
    const answered = answering instanceof Promise ? await answering : answering
    if (wantsSigned(received.accept)) {
      const answer = await sign(caller, answered ? claimsOf(answered, issuer) : inactive)
      return { status: 200, headers: { 'content-type': signed, 'cache-control': 'no-store' }, body: answer }
    }
    const answer = answered ? JSON.stringify(claimsOf(answered, issuer)) : inactiveBody
    return { status: 200, headers: { 'content-type': json, 'cache-control': 'no-store' }, body: answer }
  }

  return { path: '/oauth2/introspect', methods: { POST: post }, onFailure: oauthFailure }
}
