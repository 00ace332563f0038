import {
  networkOf,
  oauthFailure,
  pageFailure,
  parseForm,
  parseQuery,
  type Form,
  type HttpAnswer,
  type HttpRequest,
  type Route,
} from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import type { Answer } from '@countersign/contracts/authorization'
import { checkAuthorizationRequest, readSessionCookie, type CheckedRequest, type Client } from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import type { ClientSource } from '../clients/source.ts'
import { readClientRequest, type ClientRequestOptions } from '../client-request.ts'
import type { Limiter } from '../limiter.ts'
import type { Possession } from '../possession.ts'
import { errorTo, seeOther, sendAnswer } from './answer.ts'
import type { AnswerAtOnce } from './at-once.ts'
import type { RequestObjects } from './request-object.ts'
import { isPushed, type Requests } from './requests.ts'

export interface AuthorizationEndpointOptions extends ClientRequestOptions {
  issuer: string
  find: ClientSource['find']
  requests: Requests
  /** The answer to a request that needs no page; undefined: the browser goes to sign-in. */
  answerAtOnce: AnswerAtOnce
  requestObjects: RequestObjects
  possession: Possession
  keyRing: Pick<KeyRing, 'verify'>
  /** Every client has to push its requests (RFC 9126 section 5). */
  requirePushedRequests: boolean
  /** Requests of one client and address. */
  limiter: Limiter
}

/** RFC 8707 section 2: may be there more than once. */
export const repeatable = ['resource']

/** `GET` and `POST /oauth2/authorize` (RFC 6749 section 4.1.1): checks the request, and hands the browser over to sign-in. */
export function authorizationEndpoint(options: AuthorizationEndpointOptions): Route {
  const { issuer, find, requests, requestObjects, limiter } = options

  async function authorize(http: HttpRequest): Promise<HttpAnswer> {
    const { query, body, method, headers, address } = http
    let given: Form
    try {
      given = method === 'POST' ? parseForm(body, headers['content-type'], repeatable) : parseQuery(query, repeatable)
    } catch (thrown) {
      return sendAnswer(await refuseMalformed(method === 'POST' ? body.toString() : query, asFailure(thrown), options))
    }
    const client = await find(given.get('client_id') ?? '')
    await limiter.take(`${client?.id ?? ''} ${networkOf(address)}`)
    const checked: Checked = client
      ? await checkWhole(client, given)
      : checkAuthorizationRequest(undefined, given, false)
    if ('refused' in checked) {
      const { error, description, ...destination } = checked.refused
      return sendAnswer(errorTo(destination, issuer, error, description))
    }
    const hint = checked.hinted ?? (await hintedSubject(checked.request.idTokenHint, options))
    if (hint === undefined) {
      return sendAnswer(errorTo(checked.request, issuer, 'invalid_request', 'id_token_hint is no ID token of ours'))
    }
    const claimed = claimedSubject(checked.request.claims)
    if (hint !== '' && claimed !== '' && claimed !== hint) {
      return sendAnswer(errorTo(checked.request, issuer, 'invalid_request', 'id_token_hint and claims name two people'))
    }
    const record = requests.recordOf(checked.request, hint || claimed)
    const answer = await options.answerAtOnce(record, client!, readSessionCookie(headers.cookie, issuer), http)
    if (answer) return sendAnswer(answer)
    return seeOther(`${issuer}/login?request=${await requests.keep(record)}`)
  }

  /** Takes what was pushed, or signed, in the place of what came with the browser. */
  async function checkWhole(client: Client, given: ReadonlyMap<string, string>): Promise<Checked> {
    const requestUri = given.get('request_uri')
    if (requestUri !== undefined && isPushed(requestUri)) {
      const pushed = await requests.pull(requestUri, client.id)
      return { ...checkAuthorizationRequest(client, pushed, false), hinted: pushed.get(hintedName) ?? '' }
    }
    const mustPush = client.requiresPushedRequests || options.requirePushedRequests
    return requestObjects.check(client, given, mustPush)
  }

  return {
    path: '/oauth2/authorize',
    methods: { GET: authorize, POST: authorize },
    onFailure: pageFailure,
  }
}

/**
 * The application hears of a parameter that is there twice, or is broken (RFC 6749 section 4.1.2.1), unless it is one of
 * those that tell which application that is.
 * @throws Failure where nothing may be sent to it
 */
async function refuseMalformed(
  text: string,
  failure: Failure,
  { find, issuer }: Pick<AuthorizationEndpointOptions, 'find' | 'issuer'>,
): Promise<Answer> {
  const all = new URLSearchParams(text)
  const single = ['client_id', 'redirect_uri', 'state', 'response_mode'].flatMap((name): [string, string][] => {
    const values = all.getAll(name)
    return values.length === 1 ? [[name, values[0]!]] : []
  })
  const isAddressed = all.getAll('client_id').length === 1 && all.getAll('redirect_uri').length === 1
  const parameters = new Map(single)
  const client = isAddressed ? await find(parameters.get('client_id')!) : undefined
  const checked = client && checkAuthorizationRequest(client, parameters, true)
  if (!checked || !('refused' in checked)) throw failure
  return errorTo(checked.refused, issuer, 'invalid_request', failure.message)
}

/** `hinted`: the subject that `id_token_hint` names, where that is known already. */
type Checked = CheckedRequest & { readonly hinted?: string }

/** Where a pushed request has that subject: an ID token is not kept. No form has a name with NUL. */
const hintedName = '\0hinted'

/** Empty without a hint; undefined for a hint that we did not sign. */
async function hintedSubject(
  idTokenHint: string,
  { keyRing, issuer }: Pick<AuthorizationEndpointOptions, 'keyRing' | 'issuer'>,
): Promise<string | undefined> {
  if (idTokenHint === '') return ''
  const verified = await keyRing.verify(idTokenHint, { typ: 'JWT' })
  return verified && verified.payload.iss === issuer ? (verified.payload.sub ?? undefined) : undefined
}

/** The subject that `claims` asks the ID token to be of (OpenID Connect Core section 5.5.1). */
function claimedSubject(claims: string): string {
  if (claims === '') return ''
  const { id_token: idToken } = JSON.parse(claims) as { id_token?: { sub?: { value?: unknown } } | null }
  const value = idToken?.sub?.value
  return typeof value === 'string' ? value : ''
}

/** `POST /oauth2/par` (RFC 9126). */
export function pushedRequestEndpoint(options: AuthorizationEndpointOptions): Route {
  const { requests, requestObjects, limiter } = options

  async function post(request: HttpRequest): Promise<HttpAnswer> {
    const { form, client } = await readClientRequest(request, options, repeatable)
    // A server asks for all of its people from one address, and has said who it is.
    if (client.public) await limiter.take(`${client.id} ${networkOf(request.address)}`)
    if (form.has('request_uri')) throw new Failure('invalid_request', 'request_uri is not for a pushed request')
    const parameters = new Map(await requestObjects.parametersOf(client, form))
    const jkt = await options.possession.dpopKey(request, 'par')
    if (jkt !== undefined) bindTo(parameters, jkt)
    const checked = checkAuthorizationRequest(client, parameters, false)
    if ('refused' in checked) {
      const { error, description } = checked.refused
      return { status: 400, headers: noStore, body: JSON.stringify({ error, error_description: description }) }
    }
    const hint = await hintedSubject(checked.request.idTokenHint, options)
    if (hint === undefined) throw new Failure('invalid_request', 'id_token_hint is no ID token of ours')
    for (const name of credentials) parameters.delete(name)
    parameters.set(hintedName, hint)
    const { uri, expiresIn } = await requests.push(client.id, parameters)
    return { status: 201, headers: noStore, body: JSON.stringify({ request_uri: uri, expires_in: expiresIn }) }
  }

  return { path: '/oauth2/par', isForAnyOrigin: true, methods: { POST: post }, onFailure: oauthFailure }
}

const noStore = { 'content-type': 'application/json', 'cache-control': 'no-store' }
const credentials = ['client_secret', 'client_assertion', 'client_assertion_type', 'request', 'id_token_hint']

/** Binds the code to the key of the proof that came with the request (RFC 9449 section 10.1). */
function bindTo(parameters: Map<string, string>, jkt: string): void {
  if ((parameters.get('dpop_jkt') ?? jkt) !== jkt) {
    throw new Failure('invalid_dpop_proof', 'dpop_jkt is not the key of the DPoP proof')
  }
  parameters.set('dpop_jkt', jkt)
}
