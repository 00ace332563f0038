import type { IncomingHttpHeaders } from 'node:http'
import type { PeerCertificate } from 'node:tls'
import type { Failure } from '@countersign/contracts'

/** A request, its body read. */
export interface HttpRequest {
  readonly method: string
  /** As it came: not decoded, not normalised. */
  readonly path: string
  /** Without the question mark; empty when there is none. */
  readonly query: string
  readonly headers: IncomingHttpHeaders
  /** Every value that a header came with, each on its own; the name in lower case. */
  headerValues(name: string): readonly string[]
  readonly body: Buffer
  /** Who asks, seen through trusted proxies only. */
  readonly address: string
  readonly userAgent: string
  /** W3C trace context; empty when there is none, or not a valid one. */
  readonly traceparent: string
  /** Of a caller that proved who it is by mutual TLS: the configured authority vouches for it. */
  readonly clientCertificate: PeerCertificate | undefined
  /** Whatever certificate the caller has the key of. Anybody can make one: it proves nothing but being known already. */
  readonly presentedCertificate: PeerCertificate | undefined
  /** Aborts when the caller has gone, and once it is answered. */
  readonly signal: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** May throw; what is thrown goes to the route's `onFailure`. */
export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>

/** Answered ahead of the Express application, when the path is exactly this one. */
export interface Route {
  readonly path: string
  /** HEAD follows GET; OPTIONS is answered by the server. */
  readonly methods: Partial<Record<'GET' | 'POST', HttpHandler>>
  /** Turns every failure into an answer, also those from before the handler: a wrong method, a body too large. */
  onFailure(failure: Failure, request: HttpRequest): HttpAnswer
  readonly maxBodyBytes?: number
  /**
   * Pages of any origin may ask (Fetch, section 3.2). Only for what no cookie opens: whoever asks has to bring what it is
   * known by.
   */
  readonly isForAnyOrigin?: boolean
}
