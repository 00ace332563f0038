import { connect } from 'node:net'
import type { Log } from '@countersign/rpc/failure-log'
import type { HttpAnswer, HttpRequest, Route } from '../http/route.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../http/server.ts'
import { problemFailure } from '../http/problem.ts'
import { createMetrics, type Metrics } from '../metrics.ts'

export interface LogLine {
  level: 'error' | 'warn'
  fields: Record<string, unknown>
  message: string
}

/** A log that keeps its lines. */
export function keptLog(): Log & { lines: LogLine[] } {
  const lines: LogLine[] = []
  const keep = (level: 'error' | 'warn') => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message })
  return { lines, error: keep('error'), warn: keep('warn') }
}

type Handle = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>

export const route = (path: string, methods: { GET?: Handle; POST?: Handle }, more: Partial<Route> = {}): Route => ({
  path,
  methods,
  onFailure: problemFailure,
  ...more,
})

export interface Served {
  server: HttpServer
  port: number
  url: string
  metrics: Metrics
  log: ReturnType<typeof keptLog>
}

export async function serve(routes: Route[], options: Partial<HttpServerOptions> = {}): Promise<Served> {
  const log = keptLog()
  const metrics = createMetrics({ name: 'test' })
  const server = createHttpServer({ name: 'test', routes, log, metrics, trustedProxies: [], ...options })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return { server, port, url: `http://127.0.0.1:${port}`, metrics, log }
}

export interface RawConnection {
  write(text: string | Buffer): void
  /** What has come so far. */
  received(): string
  /** Resolves when the server has closed the connection. */
  closed: Promise<void>
  destroy(): void
}

/** A connection that says what it is told to, HTTP or not. */
export async function rawConnection(port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return { write: (text) => socket.write(text), received: () => received, closed, destroy: () => void socket.destroy() }
}

/** Sends bytes, and gives all that came back once the server has closed the connection. */
export async function exchangeRaw(port: number, text: string | Buffer): Promise<string> {
  const connection = await rawConnection(port)
  connection.write(text)
  await connection.closed
  return connection.received()
}

/** Waits until a condition holds. */
export async function until(holds: () => boolean, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`still not so after ${withinMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
