import { request as requestPlain, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { Failure } from '@countersign/contracts'
import { maxRemoteBytes, maxRemoteHeaderBytes, remoteTimeoutMs } from '../limits.ts'
import { guardedLookup, remoteUrl, type Reach, type Resolve } from './address.ts'

export interface RemoteBounds extends Reach {
  readonly maxBytes?: number | undefined
  /** For all of it, from resolving the name to the end of the body. */
  readonly timeoutMs?: number | undefined
  /** PEM of the authorities to trust; absent: those that Node trusts. */
  readonly ca?: string | Buffer | undefined
  /** Absent: `dns.lookup`. */
  readonly resolve?: Resolve | undefined
}

export interface RemoteRequest extends RemoteBounds {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
}

export interface RemoteAnswer {
  /** A redirect is an answer as any other: it is not followed. */
  readonly status: number
  readonly contentType: string
  /** Seconds, of `retry-after`. */
  readonly retryAfterSeconds: number | undefined
  readonly body: Buffer
}

const unreachable = (cause: unknown) =>
  new Failure('unavailable', 'another server did not answer as it should', { cause })

/**
 * Asks another server for something: see {@link remoteUrl} for where requests may go. Each has a connection of its own, to an
 * address that was looked at after the name was resolved.
 * @throws Failure `invalid_request` when it may not go there; `unavailable` when there is no answer within its bounds
 */
export async function remoteRequest(options: RemoteRequest): Promise<RemoteAnswer> {
  const { method, headers, body, maxBytes = maxRemoteBytes, timeoutMs = remoteTimeoutMs, ca } = options
  const url = remoteUrl(options.url, options)
  const isPlain = url.protocol === 'http:'
  const request = (isPlain ? requestPlain : requestTls)(url, {
    method,
    // A connection that was made for another request may have gone where this one may not go.
    agent: false,
    lookup: guardedLookup(isPlain, options, options.resolve),
    maxHeaderSize: maxRemoteHeaderBytes,
    headers: {
      'accept-encoding': 'identity',
      'user-agent': 'countersign',
      ...headers,
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    ...(ca !== undefined && { ca }),
  })
  const deadline = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  try {
    return await answerOf(request, body, maxBytes)
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : unreachable(thrown)
  } finally {
    clearTimeout(deadline)
    request.destroy()
  }
}

function answerOf(request: ClientRequest, body: string | undefined, maxBytes: number): Promise<RemoteAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.once('response', (response) => readAnswer(response, maxBytes).then(resolve, reject))
    request.end(body)
  })
}

async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<RemoteAnswer> {
  const { 'content-encoding': encoding, 'content-type': contentType = '', 'retry-after': after } = response.headers
  if (encoding !== undefined && encoding !== 'identity') throw new Error('the answer is encoded')
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response) {
    bytes += (piece as Buffer).length
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    pieces.push(piece as Buffer)
  }
  const retryAfterSeconds = after !== undefined && /^\d{1,6}$/.test(after) ? Number(after) : undefined
  return { status: response.statusCode!, contentType, retryAfterSeconds, body: Buffer.concat(pieces) }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * A JSON document at a URL.
 * @throws Failure `invalid_request`, `unavailable` as {@link remoteRequest}, and for whatever is not 200 and JSON
 */
export async function fetchJson(url: string, bounds: RemoteBounds): Promise<unknown> {
  const { status, body } = await remoteRequest({
    ...bounds,
    method: 'GET',
    url,
    headers: { accept: 'application/json' },
  })
  if (status !== 200) throw unreachable(new Error(`status ${status}`))
  try {
    return JSON.parse(utf8.decode(body))
  } catch (cause) {
    throw unreachable(cause)
  }
}
