import { Failure, failureCodes, type FailureCode } from '@countersign/contracts'
import { limits } from './limits.ts'

/** A client of the server. */
export interface Credentials {
  readonly id: string
  readonly secret: string
}

export interface Call {
  readonly url: URL
  readonly credentials: Credentials
  /** Sent as a form, by POST; without it the call is a GET. */
  readonly form?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

const formEncode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

/** RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. */
const basic = ({ id, secret }: Credentials): string =>
  `Basic ${Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')}`

/**
 * Sends a request and gives the answer when it is a success, its body still to be read.
 * @throws Failure for every other answer, and for none
 */
export async function send({ url, credentials, form, headers, signal }: Call): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, {
      headers: {
        accept: 'application/json',
        'user-agent': 'countersign-cli',
        ...headers,
        authorization: basic(credentials),
      },
      redirect: 'manual',
      ...(form && { method: 'POST', body: new URLSearchParams(Object.entries(form).filter(isGiven)) }),
      ...(signal && { signal }),
    })
  } catch (thrown) {
    throw unreachable(url, thrown)
  }
  if (response.ok) return response
  throw await refusal(url, response)
}

const isGiven = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined

/** A whole call: its deadline, its answer, and its JSON (undefined when the body is empty). @throws Failure */
export async function call(request: Omit<Call, 'signal'>): Promise<{ headers: Headers; body: unknown }> {
  const response = await send({ ...request, signal: AbortSignal.timeout(limits.callMs) })
  const text = await readText(request.url, response)
  try {
    return { headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  } catch {
    throw new Failure('internal', `${request.url.origin} answers with something else than JSON: is it the issuer?`)
  }
}

async function readText(url: URL, response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length > limits.answerBytes)
        throw new Failure('internal', `${url.origin} answers with more than was asked for`)
    }
  } catch (thrown) {
    throw unreachable(url, thrown)
  }
  return text + decoder.decode()
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there; start it with `countersign serve`, or give another address',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name cannot be looked up now',
  ECONNRESET: 'it cut the connection',
  UND_ERR_SOCKET: 'it cut the connection',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is signed by nobody known here; name its authorities in NODE_EXTRA_CA_CERTS',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is signed by nobody known here; name its authorities in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by nobody known here; name its authorities in NODE_EXTRA_CA_CERTS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

/** Why there was no answer. */
function unreachable({ origin }: URL, thrown: unknown): Failure {
  // Who aborts a call may say so in our words.
  if (thrown instanceof Failure) return thrown
  if (thrown instanceof DOMException && thrown.name === 'TimeoutError') {
    return new Failure('deadline_exceeded', `${origin} did not answer within ${limits.callMs / 1_000} s`)
  }
  // What fetch throws says nothing; what it was caused by does.
  const { cause = thrown } = thrown as { cause?: unknown }
  const { code, message } = cause as { code?: unknown; message?: unknown }
  return new Failure('unavailable', `cannot reach ${origin}: ${reasons[String(code)] ?? (code || message)}`)
}

/** What a status means where the body does not say more. */
const byStatus: Record<number, FailureCode> = {
  400: 'invalid_request',
  401: 'invalid_client',
  403: 'access_denied',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
}

/** The Failure that an answer tells of, be it an OAuth error (RFC 6749 section 5.2) or a problem (RFC 9457). */
async function refusal(url: URL, response: Response): Promise<Failure> {
  const { status } = response
  if (status >= 300 && status < 400) {
    await response.body?.cancel()
    return new Failure('not_found', `${url.origin} answers with a redirect: give the address that it leads to`)
  }
  const told = toldIn(await readText(url, response))
  // An OAuth error of another status than these is called by fewer names than there are.
  const named = told.problem ?? (status === 400 || status === 401 || status === 403 ? told.error : undefined)
  const code = failureCodes.find((known) => known === named) ?? byStatus[status] ?? 'internal'
  const isStrange = status === 404 && told.problem === undefined && told.error === undefined
  const message = isStrange
    ? `there is no ${url.pathname} at ${url.origin}: is it the issuer?`
    : (told.message ?? `status ${status}`)
  const after = Number(response.headers.get('retry-after'))
  const again = after > 0 ? `; try again in ${after} s` : ''
  return new Failure(code, `${message} (${told.error ?? code})${again}`, after > 0 ? { retryAfterSeconds: after } : {})
}

interface Told {
  error?: string
  problem?: string
  message?: string
}

function toldIn(text: string): Told {
  const told: Told = {}
  try {
    const { error, error_description, type, detail } = JSON.parse(text) as Record<string, unknown>
    if (typeof error === 'string') told.error = error
    const [, problem] = /^urn:countersign:problem:(\w+)$/.exec(String(type)) ?? []
    if (problem !== undefined) told.problem = problem
    const message = error_description ?? detail
    if (typeof message === 'string') told.message = message
  } catch {
    // A page of some proxy: its status says what there is to say.
  }
  return told
}
