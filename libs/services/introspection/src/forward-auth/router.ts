import { Failure } from '@countersign/contracts'
import { Router, type Request, type RequestHandler } from 'express'
import type { Gate } from './gate.ts'

/** Whether the server believes what whoever is at the other end of the connection says of the requests that it passes on. */
function isFromTrustedProxy({ app, socket }: Request): boolean {
  const isTrusted: unknown = app.get('trust proxy')
  const { remoteAddress } = socket
  return typeof isTrusted === 'function' && remoteAddress !== undefined && isTrusted(remoteAddress, 0) === true
}

const onlyGet: RequestHandler = () => {
  throw new Failure('method_not_allowed', 'GET, HEAD are allowed here', { headers: { allow: 'GET, HEAD' } })
}

/** `GET /forward-auth`: what nginx (`auth_request`), Traefik and Caddy ask. */
export function forwardAuthRouter(gate: Gate): Router {
  const answer: RequestHandler = async (request, response) => {
    const mark = request.originalUrl.indexOf('?')
    const { status, headers, body } = await gate.decide({
      query: mark < 0 ? '' : request.originalUrl.slice(mark + 1),
      valuesOf: (name) => request.headersDistinct[name] ?? [],
      isFromTrustedProxy: isFromTrustedProxy(request),
      address: request.ip ?? '',
    })
    response.status(status).set(headers).end(body)
  }
  const router = Router({ caseSensitive: true, strict: true })
  router.route('/forward-auth').get(answer).all(onlyGet)
  return router
}
