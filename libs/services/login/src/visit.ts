import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import { parseForm, parseQuery, type Form, type HttpAnswer } from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import type { Asker, SessionName } from '@countersign/contracts/authorization'
import express, { Router, type Request, type Response } from 'express'
import { newBrowserCookie, type Cookies } from './cookies.ts'
import { nameOf, type Tie } from './errand.ts'
import { limits } from './limits.ts'
import { errorPage, type Look, type Paper } from './pages/index.ts'
import { languageOf, languages, speechIn, type Language } from './speech.ts'
import type { Ticket, TicketKind, Tickets } from './tickets.ts'

/** One request of a browser's. */
export interface Visit {
  /** As the browser called it: under our issuer, whatever lies between. */
  readonly url: URL
  /** Of the path: `:provider` in the router's. */
  readonly parameter: (name: string) => string
  readonly query: Form
  /** Empty unless it is a POST. */
  readonly form: Form
  readonly asker: Asker
  /** As the cookie names it; whether it is good, token-issuer knows. */
  readonly session: SessionName | undefined
  /** What pages are made with, in a language that the browser asks for, or that an application asked for. */
  paper(uiLocales?: readonly string[]): Paper
  /** To a page of ours: a link as those side by side with `/login` have it. */
  to(link: string): HttpAnswer
  /** For a form, in this browser; `session`: good only while the browser has the session that it has now. */
  csrf(tie: Tie, bound?: 'session'): string
  /** @throws Failure `access_denied` unless the form came from a page of ours, in this browser, for this very thing */
  verifyCsrf(tie: Tie, bound?: 'session'): void
  /** Something sealed, for this browser to carry to another page. */
  ticket(kind: TicketKind, content: unknown, lifetimeMs: number): string
  /** What it carried; undefined for what is too old, or was not made for this browser and this. */
  opened<Content>(kind: TicketKind, text: string): Ticket<Content> | undefined
  /** Goes with the answer, as `Set-Cookie`. */
  setCookie(cookie: string): void
  /** The page for what failed. @param again a link, as those side by side with `/login` have it: where to start again */
  failed(thrown: unknown, again?: string): HttpAnswer
}

export type Handler = (visit: Visit) => Promise<HttpAnswer>

export interface Handlers {
  GET?: Handler
  POST?: Handler
}

export interface VisitOptions {
  issuer: string
  cookies: Cookies
  tickets: Tickets
  look: Look
  /** Where nothing else is asked for. */
  language: Language
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
    operatorId: '',
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
  readonly #speeches = new Map(languages.map((language) => [language, speechIn(language)]))

  constructor(options: VisitOptions) {
    this.#options = options
    this.#origin = new URL(options.issuer).origin
  }

  /** Serves one path. Whatever fails becomes a page. */
  router(path: string, handlers: Handlers): Router {
    const { GET, POST } = handlers
    const router = Router({ caseSensitive: true, strict: true })
    const body = express.raw({ type: () => true, limit: limits.formBytes, inflate: false })
    const root = '../'.repeat(path.split('/').length - 2)
    if (GET) router.get(path, (request, response) => this.#serve(request, response, root, GET))
    if (POST) router.post(path, body, (request, response) => this.#serve(request, response, root, POST))
    router.all(path, (_request, response) => {
      response.setHeader('allow', [GET && 'GET, HEAD', POST && 'POST'].filter(Boolean).join(', '))
      throw new Failure('method_not_allowed', 'this page is only read, and its form sent')
    })
    router.use(path, (thrown: unknown, request: Request, response: Response, _next: unknown) =>
      this.#fail(thrown, request, response, root),
    )
    return router
  }

  async #serve(request: Request, response: Response, root: string, handler: Handler): Promise<void> {
    const isPost = request.method === 'POST'
    if (isPost) refuseOtherSites(request, this.#origin)
    const setCookies: string[] = []
    const answer = await handler(this.#visit(request, root, isPost, setCookies))
    if (setCookies.length > 0) response.setHeader('set-cookie', setCookies)
    send(response, answer)
  }

  #paper(request: Request, root: string, uiLocales: readonly string[] = []): Paper {
    const { look, language } = this.#options
    const spoken = languageOf(uiLocales, request.get('accept-language'), language)
    return { look, root, speech: this.#speeches.get(spoken)! }
  }

  #visit(request: Request, root: string, isPost: boolean, setCookies: string[]): Visit {
    const { issuer, cookies, tickets, randomBytes } = this.#options
    const header = request.headers.cookie
    const sent = cookies.readBrowser(header)
    let browser = sent
    const named = (): string => {
      if (browser === undefined) {
        browser = newBrowserCookie(randomBytes)
        setCookies.push(cookies.setBrowser(browser))
      }
      return browser
    }
    const form = isPost ? parseForm(bodyOf(request), request.get('content-type')) : new Map<string, string>()
    const session = cookies.readSession(header)
    const token = (name: string, tie: Tie, bound?: 'session') => {
      const parts = [name, bound ? (session?.id ?? '') : '', nameOf(tie)]
      return createHmac('sha256', this.#options.csrfKey).update(parts.join(' ')).digest('base64url')
    }
    return {
      url: new URL(`${new URL(issuer).pathname.replace(/\/$/, '')}${request.originalUrl}`, this.#origin),
      parameter: (name) => String(request.params[name]),
      query: queryOf(request),
      form,
      asker: askerOf(request),
      session,
      paper: (uiLocales) => this.#paper(request, root, uiLocales),
      to: (link) => redirectTo(link.startsWith('/') ? link : `${root}${link}`),
      csrf: (tie, bound) => token(named(), tie, bound),
      ticket: (kind, content, lifetimeMs) => tickets.seal(kind, named(), content, lifetimeMs),
      opened: (kind, text) => (sent === undefined ? undefined : tickets.open(kind, sent, text)),
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
      failed: (thrown, again) => this.#failed(thrown, request, root, again),
    }
  }

  #failed(thrown: unknown, request: Request, root: string, again = 'login'): HttpAnswer {
    const failure = failureFrom(thrown)
    this.#options.logFailure(failure, { server: 'login', method: request.method, path: request.route?.path })
    return errorPage(this.#paper(request, root), failure, `${root}${again}`)
  }

  #fail(thrown: unknown, request: Request, response: Response, root: string): void {
    const answer = this.#failed(thrown, request, root)
    if (response.headersSent) return void response.destroy()
    send(response, answer)
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
