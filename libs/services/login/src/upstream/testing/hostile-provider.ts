import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json, type Behaviour } from './behaviour.ts'
import { SigningKeys, type Header } from './signing-keys.ts'

export type Members = Record<string, unknown>

/** The endpoints that can be told to misbehave. */
export type Endpoint = 'discovery' | 'keys' | 'token' | 'userinfo' | 'user' | 'emails'

export interface Call {
  readonly endpoint: Endpoint | 'authorize' | 'unknown'
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
}

interface Code {
  readonly request: URLSearchParams
  isSpent: boolean
}

const paths: Readonly<Record<string, Call['endpoint']>> = {
  '/.well-known/openid-configuration': 'discovery',
  '/keys': 'keys',
  '/token': 'token',
  '/login/oauth/access_token': 'token',
  '/authorize': 'authorize',
  '/login/oauth/authorize': 'authorize',
  '/userinfo': 'userinfo',
  '/api/v3/user': 'user',
  '/api/v3/user/emails': 'emails',
}

/**
 * Somebody else's provider on loopback: OpenID Connect, OAuth 2.0 and GitHub's paths at once. It does all as it should, PKCE and
 * single-use codes included, but for what it was told to do otherwise. Undefined among what is put over claims takes one away.
 */
export class HostileProvider {
  readonly calls: Call[] = []
  readonly keys = new SigningKeys()
  /** Instead of what it would do. */
  misbehaviour: Partial<Record<Endpoint, Behaviour>> = {}
  /** Over what the discovery document, the ID token and its header, and the callback have. */
  metadata: Members = {}
  idToken: Members = {}
  idTokenHeader: Header = {}
  callback: Record<string, string | undefined> = {}
  /** Makes the ID token of its claims itself. */
  sealing: ((claims: Members) => string) | undefined
  accessToken: (claims: Members) => string = () => randomBytes(24).toString('base64url')
  person: Members = { sub: 'ann-1', email: 'ann@example.org', email_verified: true, name: 'Ann Example' }
  userinfo: Members | undefined
  user: Members = { id: 583_231, login: 'ann', name: 'Ann Example', email: null }
  emails: unknown = [
    { email: 'old@example.org', primary: false, verified: true },
    { email: 'ann@example.org', primary: true, verified: true },
  ]
  issuer = ''
  readonly clientId: string
  readonly clientSecret: string
  readonly #codes = new Map<string, Code>()
  readonly #server: Server

  constructor({ clientId = 'countersign', clientSecret = 'a-secret of the test' } = {}) {
    this.clientId = clientId
    this.clientSecret = clientSecret
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  async start(): Promise<this> {
    await new Promise<void>((listening) => this.#server.listen(0, '127.0.0.1', listening))
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((closed) => this.#server.close(closed))
  }

  callsTo(endpoint: Call['endpoint']): number {
    return this.calls.filter((call) => call.endpoint === endpoint).length
  }

  /** What a browser does that is sent to the authorization endpoint: where it comes back to. */
  authorize(request: URL, over: Record<string, string | undefined> = {}): URL {
    const code = randomBytes(16).toString('base64url')
    this.#codes.set(code, { request: request.searchParams, isSpent: false })
    const back = new URL(request.searchParams.get('redirect_uri')!)
    const state = request.searchParams.get('state')!
    for (const [name, value] of Object.entries({ code, state, iss: this.issuer, ...this.callback, ...over })) {
      if (value !== undefined) back.searchParams.set(name, value)
    }
    return back
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.issuer)
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString())
    const endpoint = paths[url.pathname] ?? 'unknown'
    this.calls.push({ endpoint, url, headers: request.headers, form })
    if (endpoint === 'unknown') return void response.writeHead(404).end()
    if (endpoint === 'authorize') {
      return void response.writeHead(303, { location: this.authorize(url).href }).end()
    }
    const behaviour = this.misbehaviour[endpoint] ?? json(...this.#proper(endpoint, request, form))
    behaviour(response, form)
  }

  #proper(endpoint: Endpoint, request: IncomingMessage, form: URLSearchParams): [document: unknown, status?: number] {
    switch (endpoint) {
      case 'discovery':
        return [this.#discovery()]
      case 'keys':
        return [this.keys.published()]
      case 'token':
        return this.#tokens(request, form)
      case 'userinfo':
        return [this.userinfo ?? this.person]
      case 'user':
        return [this.user]
      case 'emails':
        return [this.emails]
    }
  }

  #discovery(): Members {
    const { issuer } = this
    return present({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/keys`,
      end_session_endpoint: `${issuer}/logout`,
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256'],
      ...this.metadata,
    })
  }

  #tokens(request: IncomingMessage, form: URLSearchParams): [document: unknown, status?: number] {
    if (!this.#isOurClient(request, form)) return [{ error: 'invalid_client' }, 401]
    const code = this.#codes.get(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isGood =
      code?.isSpent === false &&
      code.request.get('code_challenge') === challenge &&
      code.request.get('code_challenge_method') === 'S256' &&
      code.request.get('redirect_uri') === form.get('redirect_uri')
    if (!isGood) return [{ error: 'invalid_grant', error_description: `no such code: ${form.get('code')}` }, 400]
    code.isSpent = true
    const claims = this.#claims(code.request)
    const idToken = this.sealing?.(claims) ?? this.keys.sign(claims, this.idTokenHeader)
    return [{ access_token: this.accessToken(claims), token_type: 'Bearer', expires_in: 300, id_token: idToken }]
  }

  #claims(request: URLSearchParams): Members {
    const seconds = Math.floor(Date.now() / 1_000)
    return present({
      iss: this.issuer,
      aud: this.clientId,
      iat: seconds,
      exp: seconds + 300,
      nonce: request.get('nonce') ?? undefined,
      ...this.person,
      ...this.idToken,
    })
  }

  /** By Basic or in the form (RFC 6749 section 2.3.1). */
  #isOurClient({ headers: { authorization = '' } }: IncomingMessage, form: URLSearchParams): boolean {
    const [scheme, credentials = ''] = authorization.split(' ')
    const inHeader = Buffer.from(credentials, 'base64').toString().split(':').map(decoded)
    const [id, secret] = scheme === 'Basic' ? inHeader : [form.get('client_id'), form.get('client_secret')]
    return id === this.clientId && secret === this.clientSecret
  }
}

const decoded = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

const present = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
