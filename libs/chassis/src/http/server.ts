import { once } from 'node:events'
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { asFailure, Failure } from '@countersign/contracts'
import { createFailureLog, type Log } from '@countersign/rpc/failure-log'
import type { Router } from 'express'
import { httpLimits, type HttpLimits } from '../limits.ts'
import type { Metrics } from '../metrics.ts'
import { createProxies } from './address.ts'
import { createApplication } from './application.ts'
import { Dispatcher } from './dispatch.ts'
import type { Route } from './route.ts'

/** PEM texts. */
export interface HttpTls {
  cert: string | Buffer
  key: string | Buffer
  /** The authority whose certificates prove a client; clients may come without one. */
  clientCa?: string | Buffer
  /** Asks clients for a certificate even without an authority (RFC 8705 section 2.2). As it was at the start. */
  selfSignedClients?: boolean
}

export interface HttpServerOptions {
  /** Names the server in the log and in metrics. */
  name: string
  routes: readonly Route[]
  /** Express routers, asked in order for what no route answers. */
  express?: readonly Router[]
  log: Log
  metrics: Metrics
  /** Addresses and ranges whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[]
  /** Absent: plaintext. */
  tls?: HttpTls | undefined
  limits?: Partial<HttpLimits>
}

export interface HttpServer {
  /** @throws Error when the address cannot be had */
  listen(address: { host: string; port: number }): Promise<{ host: string; port: number }>
  /** For connections made from now on. */
  replaceTls(tls: HttpTls): void
  /** Accepts nothing new and drops idle connections, lets requests finish, and after the grace cuts off the rest. */
  close(graceMs: number): Promise<void>
}

const contextOptions = ({ cert, key, clientCa }: HttpTls) => ({ cert, key, ...(clientCa && { ca: clientCa }) })

const serverOptions = (limits: HttpLimits): ServerOptions => ({
  maxHeaderSize: limits.maxHeaderBytes,
  headersTimeout: limits.headersTimeoutMs,
  requestTimeout: limits.requestTimeoutMs,
  connectionsCheckingInterval: limits.timeoutCheckMs,
  keepAliveTimeout: limits.keepAliveMs,
  noDelay: true,
})

function createServer({ tls }: HttpServerOptions, limits: HttpLimits) {
  const options = serverOptions(limits)
  const server =
    tls === undefined
      ? createPlainServer(options)
      : createTlsServer({
          ...options,
          ...contextOptions(tls),
          requestCert: tls.clientCa !== undefined || tls.selfSignedClients === true,
          rejectUnauthorized: false,
          minVersion: 'TLSv1.2',
          handshakeTimeout: limits.handshakeMs,
        })
  server.maxConnections = limits.maxConnections
  server.maxHeadersCount = limits.maxHeaders
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection
  server.timeout = limits.silenceMs
  return server
}

const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** Answers what is not HTTP, or came too slowly. There is no request to answer, only a connection. */
function onClientError(error: NodeJS.ErrnoException, socket: Socket & { _httpMessage?: ServerResponse }): void {
  const isAnswering = socket._httpMessage?.headersSent === true
  if (!socket.writable || isAnswering || error.code === 'ECONNRESET') return void socket.destroy()
  const line = statusLines[error.code ?? ''] ?? '400 Bad Request'
  socket.end(`HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy())
}

/** An HTTP/1.1 server: plain routes first, by exact path, and an Express application for the rest. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { name, routes, metrics, log } = options
  const limits = { ...httpLimits, ...options.limits }
  const logFailure = createFailureLog(log)
  const proxies = createProxies(options.trustedProxies)
  const connections = { proxies, haveAuthority: options.tls?.clientCa !== undefined }
  const dispatcher = new Dispatcher({ name, routes, connections, limits, metrics, logFailure })
  const application = createApplication({ name, routers: options.express ?? [], proxies, metrics, logFailure })
  const server = createServer(options, limits)
  let isClosing = false
  const sockets = new Set<Socket>()
  // TLS connections without a request so far: Node does not count them as idle.
  const fresh = new Set<Socket>()
  server.on('secureConnection', (socket: Socket) => {
    fresh.add(socket)
    socket.once('close', () => fresh.delete(socket))
  })
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    fresh.delete(incoming.socket)
    if (dispatcher.dispatch(incoming, response)) return
    if (isClosing) response.shouldKeepAlive = false
    application(incoming, response)
  })
  server.on('clientError', onClientError)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('drop', () =>
    logFailure(new Failure('unavailable', 'a connection was refused: there are too many'), { server: name }),
  )
  metrics.gauge('countersign_http_connections', 'Open HTTP connections.', () => sockets.size, { server: name })

  return {
    async listen({ host, port }) {
      server.listen(port, host)
      await once(server, 'listening')
      server.on('error', (error) => logFailure(asFailure(error), { server: name }))
      const bound = server.address()
      if (bound === null || typeof bound === 'string') throw new Error('not a TCP address')
      return { host: bound.address, port: bound.port }
    },
    replaceTls(tls) {
      if (options.tls === undefined) throw new Error('the server was started without TLS')
      connections.haveAuthority = tls.clientCa !== undefined
      ;(server as TlsServer).setSecureContext(contextOptions(tls))
    },
    async close(graceMs) {
      isClosing = true
      dispatcher.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of fresh) socket.destroy()
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      // Those that were promised a longer life before the closing began.
      const idle = setInterval(() => server.closeIdleConnections(), limits.closeCheckMs)
      const forced = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs)
      await closed
      clearInterval(idle)
      clearTimeout(forced)
    },
  }
}
