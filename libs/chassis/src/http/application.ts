import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express'
import { Failure, type FailureCode } from '@countersign/contracts'
import type { FailureLog } from '@countersign/rpc/failure-log'
import type { Metrics } from '../metrics.ts'
import type { Proxies } from './address.ts'
import { durationMetric } from './dispatch.ts'
import { problemFailure } from './problem.ts'

/** For answers that are data: no browser shall run, frame or guess at anything in them. */
const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

/** What Express and its body parsers throw for bad input carries a status and, where it may be shown, `expose`. */
const statusCodes: Readonly<Record<number, FailureCode>> = {
  400: 'invalid_request',
  403: 'access_denied',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
}

function failureFrom(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  const { status, expose, message } = Object(thrown) as { status?: number; expose?: boolean; message?: string }
  const code = statusCodes[status ?? 0]
  if (code !== undefined)
    return new Failure(code, expose ? (message ?? '') : 'the request is not valid', { cause: thrown })
  return new Failure('internal', 'something went wrong here', { cause: thrown })
}

interface Options {
  name: string
  routers: readonly Router[]
  proxies: Proxies
  metrics: Metrics
  logFailure: FailureLog
}

const measured =
  ({ name, metrics }: Options): RequestHandler =>
  (request, response, next) => {
    const startedMs = performance.now()
    response.once('close', () => {
      // The pattern, not the path: paths are anybody's words.
      const pattern: unknown = request.route?.path
      const route = typeof pattern === 'string' ? request.baseUrl + pattern : 'none'
      const method = request.route === undefined ? 'other' : request.method
      const labels = { server: name, route, method, status: String(response.statusCode) }
      metrics
        .histogram(...durationMetric)
        .series(labels)
        .observe((performance.now() - startedMs) / 1_000)
    })
    next()
  }

/** The Express application: security headers, the routers, 404 for what none of them knows, and one table of problems. */
export function createApplication(options: Options): Express {
  const { name, routers, proxies, logFailure } = options
  const application = express()
  application.disable('x-powered-by')
  application.set('trust proxy', (address: string) => proxies.isTrusted(address.replace(/^::ffff:/, '')))
  application.use(measured(options))
  application.use((_request, response, next) => {
    response.set(securityHeaders)
    next()
  })
  for (const router of routers) application.use(router)
  application.use(() => {
    throw new Failure('not_found', 'there is nothing at this path')
  })
  const onError: ErrorRequestHandler = (thrown, request, response, _next) => {
    const failure = failureFrom(thrown)
    logFailure(failure, { server: name, method: request.method, path: request.route?.path })
    if (response.headersSent) return void response.destroy()
    const { status, headers, body } = problemFailure(failure)
    response.status(status).set(headers).end(body)
  }
  application.use(onError)
  return application
}
