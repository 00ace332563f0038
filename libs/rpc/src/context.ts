import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js'
import type { PeerCertificate } from 'node:tls'
import type { Millis } from '@countersign/contracts'

/** What a handler knows of its caller besides the request. */
export interface CallContext {
  /** When the caller stops waiting; Infinity when it did not say. */
  readonly deadline: Millis | typeof Infinity
  readonly metadata: Metadata
  /** Without port; an IPv4 address is written as one. */
  readonly peerAddress: string
  /** Of a caller that proved who it is by mutual TLS, to an authority that the server trusts. */
  readonly peerCertificate: PeerCertificate | undefined
  /** Aborts when the caller has gone or its deadline has passed, and once the call is over. */
  readonly signal: AbortSignal
}

/** The part of grpc-js's call objects that all kinds of call have. */
export type SurfaceCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  'cancelled' | 'metadata' | 'getPeer' | 'getDeadline' | 'getAuthContext'
> & { once(event: 'cancelled', listener: () => void): unknown }

/** What is known of a live connection; reading a certificate is dear, and it never changes. */
export interface Connection {
  certificate?: PeerCertificate | undefined
}
/** Live TLS connections by their peer, `address:port`. */
export type Connections = ReadonlyMap<string, Connection>

/** Reads from the call what is asked for, when it is asked for. */
export class RpcCallContext implements CallContext {
  readonly #call: SurfaceCall
  readonly #connection: Connection
  #abort: AbortController | undefined

  constructor(call: SurfaceCall, connections: Connections | undefined) {
    this.#call = call
    this.#connection = connections?.get(call.getPeer()) ?? {}
  }

  get deadline(): Millis {
    const deadline = this.#call.getDeadline()
    return typeof deadline === 'number' ? deadline : deadline.getTime()
  }

  get metadata(): Metadata {
    return this.#call.metadata
  }

  get peerAddress(): string {
    const peer = this.#call.getPeer()
    const colon = peer.lastIndexOf(':')
    const address = colon < 0 ? peer : peer.slice(0, colon)
    return address.startsWith('::ffff:') ? address.slice(7) : address
  }

  get peerCertificate(): PeerCertificate | undefined {
    const connection = this.#connection
    if (!('certificate' in connection)) connection.certificate = this.#call.getAuthContext().sslPeerCertificate
    return connection.certificate
  }

  get signal(): AbortSignal {
    if (this.#abort) return this.#abort.signal
    const abort = new AbortController()
    this.#abort = abort
    if (this.#call.cancelled) abort.abort()
    else this.#call.once('cancelled', () => abort.abort())
    return abort.signal
  }
}
