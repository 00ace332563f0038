import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket, type PeerCertificate } from 'node:tls'
import { maxUserAgentCharacters } from '../limits.ts'
import type { Proxies } from './address.ts'
import type { HttpRequest } from './route.ts'

/** What the server knows of its connections. */
export interface Connections {
  readonly proxies: Proxies
  /** An authority for clients' certificates is configured: without one, TLS would trust whoever the system does. */
  readonly haveAuthority: boolean
}

const noBody = Buffer.alloc(0)
/** W3C Trace Context section 3.2. */
const traceContext = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** One request and its response. Reads from the request what is asked for, when it is asked for. */
export class Exchange implements HttpRequest {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  readonly query: string
  readonly startedMs: number
  body: Buffer = noBody
  readonly #connections: Connections
  #abort: AbortController | undefined

  constructor(
    incoming: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: string,
    connections: Connections,
  ) {
    this.incoming = incoming
    this.response = response
    this.path = path
    this.query = query
    this.startedMs = performance.now()
    this.#connections = connections
  }

  get method(): string {
    return this.incoming.method!
  }

  get headers(): IncomingHttpHeaders {
    return this.incoming.headers
  }

  headerValues(name: string): readonly string[] {
    return this.incoming.headersDistinct[name] ?? []
  }

  get address(): string {
    return this.#connections.proxies.clientAddress(this.incoming.socket.remoteAddress, this.headers['x-forwarded-for'])
  }

  get userAgent(): string {
    return (this.headers['user-agent'] ?? '').slice(0, maxUserAgentCharacters)
  }

  get traceparent(): string {
    const given = this.headers.traceparent
    return typeof given === 'string' && traceContext.test(given) ? given : ''
  }

  get clientCertificate(): PeerCertificate | undefined {
    const { socket } = this.incoming
    const isVouchedFor = this.#connections.haveAuthority && socket instanceof TLSSocket && socket.authorized
    return isVouchedFor ? this.presentedCertificate : undefined
  }

  get presentedCertificate(): PeerCertificate | undefined {
    const { socket } = this.incoming
    if (!(socket instanceof TLSSocket)) return undefined
    const certificate = socket.getPeerCertificate()
    return certificate.raw === undefined ? undefined : certificate
  }

  get signal(): AbortSignal {
    if (this.#abort) return this.#abort.signal
    const abort = new AbortController()
    this.#abort = abort
    if (this.response.closed) abort.abort()
    else this.response.once('close', () => abort.abort())
    return abort.signal
  }
}
