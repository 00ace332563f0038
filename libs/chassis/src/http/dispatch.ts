import type { IncomingMessage, ServerResponse } from 'node:http'
import { asFailure, Failure } from '@countersign/contracts'
import type { FailureLog } from '@countersign/rpc/failure-log'
import type { Durations } from '../histogram.ts'
import type { HttpLimits } from '../limits.ts'
import type { Metrics } from '../metrics.ts'
import { endAndLinger, hasBody, readBody } from './body.ts'
import { Exchange, type Connections } from './exchange.ts'
import type { HttpAnswer, HttpHandler, Route } from './route.ts'

export const durationMetric = ['countersign_http_duration_seconds', 'How long HTTP requests took to answer.'] as const

interface Options {
  name: string
  routes: readonly Route[]
  connections: Connections
  limits: HttpLimits
  metrics: Metrics
  logFailure: FailureLog
}

/** A route, with what need not be worked out per request. */
interface Prepared {
  route: Route
  handlers: Readonly<Record<string, HttpHandler>>
  allow: string
  maxBodyBytes: number
  /** By method and status. */
  durations: Map<string, Durations[]>
}

const prepare = (route: Route, limits: HttpLimits): Prepared => {
  const { GET, POST } = route.methods
  const handlers = { ...(GET && { GET, HEAD: GET }), ...(POST && { POST }) }
  const allow = [...Object.keys(handlers), 'OPTIONS'].join(', ')
  return { route, handlers, allow, maxBodyBytes: route.maxBodyBytes ?? limits.maxBodyBytes, durations: new Map() }
}

const anyOrigin = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, DPoP-Nonce, Retry-After, Countersign-Revision',
}

/** What a page may send, where pages of any origin may ask; told for a day. */
const optionsOf = ({ allow, route }: Prepared): Record<string, string> => ({
  allow,
  ...(route.isForAnyOrigin && {
    'access-control-allow-methods': allow,
    'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
    'access-control-max-age': '86400',
  }),
})

const busy = () => new Failure('unavailable', 'too many requests at once: ask again soon')

/** Answers requests for plain routes. */
export class Dispatcher {
  readonly #options: Options
  readonly #routes: ReadonlyMap<string, Prepared>
  #inWork = 0
  #isClosing = false

  constructor(options: Options) {
    this.#options = options
    this.#routes = new Map(options.routes.map((route) => [route.path, prepare(route, options.limits)]))
  }

  /** From now on every answer is the last on its connection. */
  close(): void {
    this.#isClosing = true
  }

  /** False when no route has this path. */
  dispatch(incoming: IncomingMessage, response: ServerResponse): boolean {
    const target = incoming.url!
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    const prepared = this.#routes.get(path)
    if (prepared === undefined) return false
    const query = mark < 0 ? '' : target.slice(mark + 1)
    this.#serve(prepared, new Exchange(incoming, response, path, query, this.#options.connections))
    return true
  }

  #serve(prepared: Prepared, exchange: Exchange): void {
    const { incoming } = exchange
    const method = incoming.method!
    const handler = prepared.handlers[method]
    this.#inWork++
    if (handler === undefined) {
      if (method === 'OPTIONS') return this.#send(prepared, exchange, { status: 204, headers: optionsOf(prepared) })
      return this.#fail(prepared, exchange, new Failure('method_not_allowed', `${prepared.allow} are allowed here`))
    }
    if (this.#inWork > this.#options.limits.maxRequests) return this.#fail(prepared, exchange, busy())
    if (method !== 'POST') return this.#run(prepared, exchange, handler)
    const encoding = incoming.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      return this.#fail(prepared, exchange, new Failure('unsupported_media_type', 'send the body uncompressed'))
    }
    const onEnd = (body: Buffer | undefined) => {
      if (body === undefined) {
        const most = `the body may have ${prepared.maxBodyBytes} bytes`
        return this.#fail(prepared, exchange, new Failure('too_large', most))
      }
      exchange.body = body
      this.#run(prepared, exchange, handler)
    }
    readBody(incoming, prepared.maxBodyBytes, onEnd, () => this.#inWork--)
  }

  #run(prepared: Prepared, exchange: Exchange, handler: HttpHandler): void {
    let answer: HttpAnswer | Promise<HttpAnswer>
    try {
      answer = handler(exchange)
    } catch (thrown) {
      return this.#fail(prepared, exchange, thrown)
    }
    if (!(answer instanceof Promise)) return this.#send(prepared, exchange, answer)
    answer.then(
      (settled) => this.#send(prepared, exchange, settled),
      (thrown) => this.#fail(prepared, exchange, thrown),
    )
  }

  #fail(prepared: Prepared, exchange: Exchange, thrown: unknown): void {
    const failure = asFailure(thrown)
    const { name, logFailure } = this.#options
    logFailure(failure, { server: name, method: exchange.method, path: exchange.path })
    const answer = prepared.route.onFailure(failure, exchange)
    if (failure.code !== 'method_not_allowed') return this.#send(prepared, exchange, answer)
    this.#send(prepared, exchange, { ...answer, headers: { ...answer.headers, allow: prepared.allow } })
  }

  #send(prepared: Prepared, exchange: Exchange, answer: HttpAnswer): void {
    const { incoming, response } = exchange
    const { status, body } = answer
    const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const isUnread = !incoming.complete && hasBody(incoming)
    if (isUnread || this.#isClosing) response.shouldKeepAlive = false
    const headers: Record<string, string | number> = {
      'x-content-type-options': 'nosniff',
      ...(prepared.route.isForAnyOrigin && anyOrigin),
      ...answer.headers,
    }
    if (status !== 204) headers['content-length'] = length
    try {
      response.writeHead(status, headers)
    } catch (thrown) {
      // A header that cannot be sent; without headers of its own the next answer can.
      this.#options.logFailure(asFailure(thrown), { server: this.#options.name, path: exchange.path })
      response.writeHead(500, { 'content-length': 0 })
      response.end()
      return this.#note(prepared, exchange, 500)
    }
    const sent = incoming.method === 'HEAD' ? undefined : body
    if (isUnread) endAndLinger(incoming, response, sent, this.#options.limits)
    else response.end(sent)
    this.#note(prepared, exchange, status)
  }

  #note(prepared: Prepared, exchange: Exchange, status: number): void {
    this.#inWork--
    const { method } = exchange
    const seconds = (performance.now() - exchange.startedMs) / 1_000
    let byStatus = prepared.durations.get(method)
    // Methods are anybody's words: only those that the route knows get a series of their own.
    const label = method in prepared.handlers || method === 'OPTIONS' ? method : 'other'
    if (!byStatus) {
      byStatus = prepared.durations.get(label) ?? []
      prepared.durations.set(label, byStatus)
    }
    byStatus[status] ??= this.#options.metrics
      .histogram(...durationMetric)
      .series({ server: this.#options.name, route: prepared.route.path, method: label, status: String(status) })
    byStatus[status].observe(seconds)
  }
}
