import { asFailure, Failure, type Fact } from '@countersign/contracts'
import type {
  BatchIntrospectRequest,
  BatchIntrospectResponse,
  IntrospectRequest,
  IntrospectResponse,
  Outcome,
  StreamIntrospectRequest,
  StreamIntrospectResponse,
} from '@countersign/contracts/introspection'
import type { Client } from '@countersign/tokens'
import type { CallContext, Callers } from './callers.ts'
import { tokenTypeOf, type Answered, type IntrospectionEngine } from './engine.ts'
import { limits } from './limits.ts'

/** The contract `countersign.introspection.v1.Introspection`, whatever carries it. Throws Failures. */
export interface IntrospectionCalls {
  introspect(request: IntrospectRequest, context: CallContext): IntrospectResponse | Promise<IntrospectResponse>
  batchIntrospect(request: BatchIntrospectRequest, context: CallContext): Promise<BatchIntrospectResponse>
  /** One message of a stream, whose context is one object; a failing question is answered too, and the stream goes on. */
  streamIntrospect(request: StreamIntrospectRequest, context: CallContext): Promise<StreamIntrospectResponse>
}

export function introspectionCalls(engine: IntrospectionEngine, callers: Callers, issuer: string): IntrospectionCalls {
  const ask = (client: Client, request: IntrospectRequest): IntrospectResponse | Promise<IntrospectResponse> => {
    const answered = engine.introspect(client, request.token, request)
    return answered instanceof Promise
      ? answered.then((found) => responseOf(found, issuer))
      : responseOf(answered, issuer)
  }

  /** Like {@link ask}; what fails is an answer, too. */
  function outcome(client: Client, request: IntrospectRequest): Outcome['outcome'] | Promise<Outcome['outcome']> {
    const failed = (thrown: unknown): Outcome['outcome'] => {
      const { code, message } = asFailure(thrown)
      return { $case: 'failure', value: { code, message } }
    }
    try {
      const response = ask(client, request)
      if (!(response instanceof Promise)) return { $case: 'response', value: response }
      return response.then((value) => ({ $case: 'response', value }), failed)
    } catch (thrown) {
      return failed(thrown)
    }
  }

  function refuseTooMany(questions: readonly unknown[]): void {
    if (questions.length <= limits.batchQuestions) return
    throw new Failure('invalid_request', `a batch holds at most ${limits.batchQuestions} questions`)
  }

  /** Clients of open streams, each authenticated once. */
  const streams = new WeakMap<CallContext, Client>()

  return {
    introspect(request, context) {
      const client = callers.clientOf(context)
      return client instanceof Promise ? client.then((known) => ask(known, request)) : ask(client, request)
    },

    async batchIntrospect({ requests }, context) {
      refuseTooMany(requests)
      const client = await callers.clientOf(context)
      return { responses: await together(requests.map((request) => ask(client, request))) }
    },

    async streamIntrospect({ id, request, requests }, context) {
      let client = streams.get(context)
      if (!client) streams.set(context, (client = await callers.clientOf(context)))
      if (requests.length === 0) {
        const given = outcome(client, request ?? noQuestion)
        return { id, outcome: given instanceof Promise ? await given : given, outcomes: [] }
      }
      refuseTooMany(requests)
      const outcomes = await together(requests.map((each) => outcome(client, each)))
      return { id, outcome: undefined, outcomes: outcomes.map((each) => ({ outcome: each })) }
    },
  }
}

const noQuestion: IntrospectRequest = { token: '', tokenTypeHint: '', minRevision: '', staleness: undefined }

/** Waits only where there is something to wait for. */
const together = <T>(values: (T | Promise<T>)[]): T[] | Promise<T[]> =>
  values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as T[])

const inactiveResponse: IntrospectResponse = Object.freeze({
  active: false,
  scope: '',
  clientId: '',
  username: '',
  tokenType: '',
  exp: 0,
  iat: 0,
  nbf: 0,
  sub: '',
  aud: [],
  iss: '',
  jti: '',
  revokedBy: undefined,
  roles: [],
  cnf: undefined,
  actors: [],
  attributes: [],
})

function responseOf(answered: Answered, issuer: string): IntrospectResponse {
  if (!answered) return inactiveResponse
  const { sub, exp, iat, jti, confirmation, grantId, sessionId, subject, also } = answered
  const { scope, clientId, aud, actors, roles, attributes, partition } = answered.terms
  return {
    active: true,
    scope,
    clientId,
    username: '',
    tokenType: tokenTypeOf(answered),
    exp,
    iat,
    nbf: 0,
    sub,
    aud,
    iss: issuer,
    jti,
    revokedBy: { partition, grantId, sessionId, subject, also: also.length === 0 ? nothing : also.map(factMessage) },
    roles,
    cnf: confirmation,
    actors,
    attributes,
  }
}

const factMessage = ({ kind, id }: Fact) => ({ kind, id, tip: '' })
const nothing: never[] = []
