import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import { pageFailure, parseForm, parseQuery, type Form, type HttpAnswer } from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import type { Asker, SessionName } from '@countersign/contracts/authorization'
import express, { Router, type Request, type Response } from 'express'
import { newBrowserCookie, type Cookies } from './cookies.ts'
import { nameOf, type Tie } from './errand.ts'
import { limits } from './limits.ts'

/** One request of a browser's. */
export interface Visit {
  readonly query: Form
  /** Empty unless it is a POST. */
  readonly form: Form
  readonly asker: Asker
  /** As the cookie names it; whether it is good, token-issuer knows. */
  readonly session: SessionName | undefined
  /** For a form, in this browser; `session`: good only while the browser has the session that it has now. */
  csrf(tie: Tie, bound?: 'session'): string
  /** @throws Failure `access_denied` unless the form came from a page of ours, in this browser, for this very thing */
  verifyCsrf(tie: Tie, bound?: 'session'): void
  /** Goes with the answer, as `Set-Cookie`. */
  setCookie(cookie: string): void
}

export type Handler = (visit: Visit) => Promise<HttpAnswer>

export interface Handlers {
  GET: Handler
  POST: Handler
}

export interface VisitOptions {
  issuer: string
  cookies: Cookies
  /** CSRF tokens are made under it; all replicas have the same. */
  csrfKey: KeyObject
  randomBytes: (bytes: number) => Uint8Array
  logFailure: (failure: Failure, fields: Record<string, unknown>) => void
}

/** W3C Trace Context section 3.2. */
const traceContext = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

function askerOf(request: Request): Asker {
  const traceparent = request.get('traceparent') ?? ''
  return {
    address: (request.ip ?? '').replace(/^::ffff:/, ''),
    userAgent: (request.get('user-agent') ?? '').slice(0, limits.userAgentCharacters),
    traceparent: traceContext.test(traceparent) ? traceparent : '',
  }
}

/**
 * Refuses a form that another site sent, as far as the browser tells. `Origin: null` tells nothing: it is what a page with
 * `Referrer-Policy: no-referrer`, such as ours, sends.
 */
function refuseOtherSites(request: Request, origin: string): void {
  const from = request.get('origin')
  const site = request.get('sec-fetch-site')
  const isForeign = from !== undefined && from !== 'null' && from !== origin
  if (isForeign || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    throw new Failure('access_denied', 'this form was sent from another site')
  }
}

function queryOf(request: Request): Form {
  const mark = request.originalUrl.indexOf('?')
  return parseQuery(mark < 0 ? '' : request.originalUrl.slice(mark + 1))
}

export const redirectTo = (location: string): HttpAnswer => ({ status: 303, headers: { location } })

export class Visits {
  readonly #options: VisitOptions
  readonly #origin: string

  constructor(options: VisitOptions) {
    this.#options = options
    this.#origin = new URL(options.issuer).origin
  }

  /** Serves one path. Whatever fails becomes a page. */
  router(path: string, handlers: Handlers): Router {
    const router = Router({ caseSensitive: true, strict: true })
    const body = express.raw({ type: () => true, limit: limits.formBytes, inflate: false })
    router.get(path, (request, response) => this.#serve(request, response, handlers.GET))
    router.post(path, body, (request, response) => this.#serve(request, response, handlers.POST))
    router.all(path, (_request, response) => {
      response.setHeader('allow', 'GET, HEAD, POST')
      throw new Failure('method_not_allowed', 'this page is only read, and its form sent')
    })
    router.use(path, (thrown: unknown, request: Request, response: Response, _next: unknown) =>
      this.#fail(thrown, request, response),
    )
    return router
  }

  async #serve(request: Request, response: Response, handler: Handler): Promise<void> {
    const isPost = request.method === 'POST'
    if (isPost) refuseOtherSites(request, this.#origin)
    const setCookies: string[] = []
    const answer = await handler(this.#visit(request, isPost, setCookies))
    if (setCookies.length > 0) response.setHeader('set-cookie', setCookies)
    send(response, answer)
  }

  #visit(request: Request, isPost: boolean, setCookies: string[]): Visit {
    const { cookies, randomBytes } = this.#options
    const header = request.headers.cookie
    const sent = cookies.readBrowser(header)
    let browser = sent
    const form = isPost ? parseForm(bodyOf(request), request.get('content-type')) : new Map<string, string>()
    const session = cookies.readSession(header)
    const token = (name: string, tie: Tie, bound?: 'session') => {
      const parts = [name, bound ? (session?.id ?? '') : '', nameOf(tie)]
      return createHmac('sha256', this.#options.csrfKey).update(parts.join(' ')).digest('base64url')
    }
    return {
      query: queryOf(request),
      form,
      asker: askerOf(request),
      session,
      csrf(tie, bound) {
        if (browser === undefined) {
          browser = newBrowserCookie(randomBytes)
          setCookies.push(cookies.setBrowser(browser))
        }
        return token(browser, tie, bound)
      },
      verifyCsrf(tie, bound) {
        const given = Buffer.from(form.get('csrf') ?? '')
        const expected = Buffer.from(sent === undefined ? '' : token(sent, tie, bound))
        if (sent !== undefined && given.length === expected.length && timingSafeEqual(given, expected)) return
        throw new Failure(
          'access_denied',
          'this form was not opened in this browser, or cookies are off; go back to the application and start again',
        )
      },
      setCookie: (cookie) => void setCookies.push(cookie),
    }
  }

  #fail(thrown: unknown, request: Request, response: Response): void {
    const failure = failureFrom(thrown)
    this.#options.logFailure(failure, { server: 'login', method: request.method, path: request.route?.path })
    if (response.headersSent) return void response.destroy()
    send(response, pageFailure(failure))
  }
}

/** What Express's body parser throws has a status. */
function failureFrom(thrown: unknown): Failure {
  const { status } = Object(thrown) as { status?: number }
  if (thrown instanceof Failure || status === undefined) return asFailure(thrown)
  if (status === 413) return new Failure('too_large', 'this form is too large', { cause: thrown })
  if (status === 415) return new Failure('unsupported_media_type', 'send the form uncompressed', { cause: thrown })
  return status < 500 ? new Failure('invalid_request', 'the form is not valid', { cause: thrown }) : asFailure(thrown)
}

const bodyOf = (request: Request): Buffer => (Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))

function send(response: Response, { status, headers, body }: HttpAnswer): void {
  response.writeHead(status, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', ...headers })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
