import type { PeerCertificate } from 'node:tls'
import { parseBasic } from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import type {
  BatchIntrospectRequest,
  BatchIntrospectResponse,
  IntrospectRequest,
  IntrospectResponse,
  StreamIntrospectRequest,
  StreamIntrospectResponse,
} from '@countersign/contracts/introspection'
import {
  remembering,
  type CertificateNames,
  type Client,
  type ClientAuthentication,
  type Introspection,
} from '@countersign/tokens'
import type { IntrospectionEngine } from './engine.ts'
import { limits } from './limits.ts'

/** Who calls, as the transport knows it. */
export interface CallContext {
  readonly metadata: { get(name: string): readonly (string | Buffer)[] }
  readonly peerAddress: string
  /** Verified (mutual TLS). */
  readonly peerCertificate: PeerCertificate | undefined
}

/** The contract `countersign.introspection.v1.Introspection`, whatever carries it. Throws Failures. */
export interface IntrospectionCalls {
  introspect(request: IntrospectRequest, context: CallContext): Promise<IntrospectResponse>
  batchIntrospect(request: BatchIntrospectRequest, context: CallContext): Promise<BatchIntrospectResponse>
  /** One question of a stream, whose context is one object; a failing question is answered too, and the stream goes on. */
  streamIntrospect(request: StreamIntrospectRequest, context: CallContext): Promise<StreamIntrospectResponse>
}

export function introspectionCalls(
  engine: IntrospectionEngine,
  authentication: ClientAuthentication,
  issuer: string,
): IntrospectionCalls {
  const responseOf = (answer: Introspection): IntrospectResponse => ({
    active: answer.active,
    scope: answer.active ? answer.scope : '',
    clientId: answer.active ? answer.clientId : '',
    username: '',
    tokenType: answer.active ? 'Bearer' : '',
    exp: answer.active ? answer.exp : 0,
    iat: answer.active ? answer.iat : 0,
    nbf: 0,
    sub: answer.active ? answer.sub : '',
    aud: answer.active ? [...answer.aud] : [],
    iss: answer.active ? issuer : '',
    jti: answer.active ? answer.jti : '',
  })

  function clientOf(context: CallContext): Client | Promise<Client> {
    const { metadata, peerCertificate } = context
    const authorization = metadata.get('authorization')[0]?.toString()
    const known = authorization === undefined ? undefined : authentication.remembered(authorization)
    if (known) return known
    const basic = parseBasic(authorization)
    if (basic) return remembering(authentication, authorization, basic, context.peerAddress)
    const client = peerCertificate && authentication.certified(namesOf(peerCertificate))
    if (!client) throw new Failure('invalid_client', 'authenticate with client credentials or a client certificate')
    return client
  }

  const ask = async (client: Client, token: string): Promise<IntrospectResponse> =>
    responseOf(await engine.introspect(client, token))

  /** Clients of open streams, each authenticated once. */
  const streams = new WeakMap<CallContext, Client>()

  return {
    introspect: async ({ token }, context) => ask(await clientOf(context), token),

    async batchIntrospect({ requests }, context) {
      if (requests.length > limits.batchQuestions) {
        throw new Failure('invalid_request', `a batch holds at most ${limits.batchQuestions} questions`)
      }
      const client = await clientOf(context)
      return { responses: await Promise.all(requests.map(({ token }) => ask(client, token))) }
    },

    async streamIntrospect({ id, request }, context) {
      let client = streams.get(context)
      if (!client) streams.set(context, (client = await clientOf(context)))
      try {
        return { id, outcome: { $case: 'response', value: await ask(client, request?.token ?? '') } }
      } catch (thrown) {
        const { code, message } = asFailure(thrown)
        return { id, outcome: { $case: 'failure', value: { code, message } } }
      }
    },
  }
}

/** RFC 4514 writes the names of a subject in reverse order. */
function namesOf({ subject, subjectaltname }: PeerCertificate): CertificateNames {
  const parts = Object.entries(subject ?? {}).flatMap(([type, values]) =>
    [values ?? []].flat().map((value) => `${type}=${value.replace(/[",+<>;\\]/g, '\\$&')}`),
  )
  const alternatives = (subjectaltname ?? '').split(', ')
  const sanDns = alternatives.filter((name) => name.startsWith('DNS:')).map((name) => name.slice(4))
  return { subjectDn: parts.reverse().join(','), sanDns }
}
