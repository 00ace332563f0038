import { expect } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { basic, type Reply } from '@countersign/servers'
import type { Person, Shown } from './browser.ts'
import type { Callback, Received } from './callback.ts'
import { entropyBits } from './entropy.ts'
import { checkIdToken, verified, type IdToken } from './id-token.ts'
import type { Client, Provider } from './provider.ts'

export type Outcome = 'passed' | 'warning' | 'skipped'

/** One of the plan's modules. What fails throws. @returns `skipped` when what it is about is not offered */
export type Module = (trial: Trial) => Promise<void | 'skipped'>

/** Parameters of an authorization request; undefined leaves one out. */
export type Parameters = Record<string, string | undefined>

export interface Authorization {
  client: Client
  parameters: Record<string, string>
  /** The provider's pages that the person was shown. */
  shown: Shown[]
  /** What the browser brought back to the application. */
  received: Received[]
}

export interface Tokens {
  accessToken: string
  refreshToken: string | undefined
  header: Record<string, unknown>
  idToken: IdToken
  rawIdToken: string
}

const random = (): string => randomBytes(16).toString('base64url')
const form = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString()
const formType = { 'content-type': 'application/x-www-form-urlencoded' }

/** What codes and refresh tokens must have: 128 bits of length, and 96 as their letters are spread. */
const least = { characters: 16, entropyBits: 96 }

function checkUnguessable(value: string): void {
  expect(value).toMatch(/^[\x20-\x7e]+$/)
  expect(value.length).toBeGreaterThanOrEqual(least.characters)
  expect(entropyBits(value)).toBeGreaterThanOrEqual(least.entropyBits)
}

/** One run of one module: a relying party, and a person with a browser that nobody has used. */
export class Trial {
  readonly provider: Provider
  readonly callback: Callback
  readonly person: Person
  readonly warnings: string[] = []

  constructor(provider: Provider, callback: Callback, person: Person) {
    this.provider = provider
    this.callback = callback
    this.person = person
  }

  get outcome(): Outcome {
    return this.warnings.length === 0 ? 'passed' : 'warning'
  }

  /** For what the suite asks for without failing. */
  warnUnless(holds: boolean, warning: string): void {
    if (!holds) this.warnings.push(warning)
  }

  request(more: Parameters = {}, client: Client = this.provider.clients.first): Record<string, string> {
    const all: Parameters = {
      client_id: client.id,
      redirect_uri: this.callback.redirectUri,
      scope: 'openid',
      state: random(),
      nonce: random(),
      response_type: 'code',
      ...more,
    }
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return Object.fromEntries(given)
  }

  authorizationUrl(parameters: Record<string, string>): string {
    return `${this.provider.metadata.authorization_endpoint}?${form(parameters)}`
  }

  /** Sends the person's browser with an authorization request. */
  async authorize(more: Parameters = {}, client: Client = this.provider.clients.first): Promise<Authorization> {
    const parameters = this.request(more, client)
    const shown = await this.person.visit(this.authorizationUrl(parameters))
    return this.authorization(parameters, shown, client)
  }

  authorization(
    parameters: Record<string, string>,
    shown: Shown[],
    client: Client = this.provider.clients.first,
  ): Authorization {
    return { client, parameters, shown, received: this.callback.answersTo(parameters.state!) }
  }

  /** The one answer in the query of the redirect URI, with state and issuer as they should be. */
  answer({ parameters, received }: Authorization): URLSearchParams {
    expect(received).toHaveLength(1)
    const [{ method, query, form: posted }] = received as [Received]
    expect([method, [...posted]]).toEqual(['GET', []])
    expect(this.person.url.hash).toBe('')
    expect(query.getAll('state')).toEqual([parameters.state])
    expect(query.getAll('iss')).toEqual([this.provider.issuer])
    return query
  }

  /** @returns the code */
  code(authorization: Authorization): string {
    const query = this.answer(authorization)
    expect([query.get('error'), query.get('error_description')]).toEqual([null, null])
    const [code = '', ...more] = query.getAll('code')
    expect(more).toEqual([])
    checkUnguessable(code)
    return code
  }

  /** @returns the error that the application was sent */
  error(authorization: Authorization): string {
    const query = this.answer(authorization)
    expect(query.has('code')).toBe(false)
    return query.get('error') ?? ''
  }

  post(client: Client, parameters: Record<string, string>): Promise<Reply> {
    const { id, secret, method } = client
    const isPosted = method === 'client_secret_post'
    return this.provider.call(this.provider.metadata.token_endpoint, {
      method: 'POST',
      headers: { ...formType, ...(!isPosted && { authorization: basic(id, secret) }) },
      body: form({ ...parameters, ...(isPosted && { client_id: id, client_secret: secret }) }),
    })
  }

  redeem(authorization: Authorization, more: Record<string, string> = {}): Promise<Reply> {
    const code = this.code(authorization)
    const redirectUri = this.callback.redirectUri
    const grant = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...more }
    return this.post(authorization.client, grant)
  }

  /** The whole flow, checked. */
  async flow(more: Parameters = {}, client: Client = this.provider.clients.first) {
    const authorization = await this.authorize(more, client)
    return { authorization, tokens: await this.tokens(authorization) }
  }

  async tokens(authorization: Authorization, more: Record<string, string> = {}): Promise<Tokens> {
    const { nonce } = authorization.parameters
    return this.read(await this.redeem(authorization, more), authorization.client, nonce, this.code(authorization))
  }

  /** A good answer of the token endpoint (RFC 6749 section 5.1). */
  read(reply: Reply, client: Client, nonce: string | undefined, code?: string): Tokens {
    expect([reply.status, reply.text.includes('"error"')]).toEqual([200, false])
    expect(reply.headers['content-type']).toMatch(/^application\/json(;|$)/)
    expect(reply.headers['cache-control']).toContain('no-store')
    const answer = reply.json()
    expect(answer).toMatchObject({ access_token: expect.stringMatching(/^[\x20-\x7e]+$/) })
    expect(answer.token_type).toMatch(/^bearer$/i)
    expect(Number.isInteger(answer.expires_in) && Number(answer.expires_in) > 0).toBe(true)
    if (answer.refresh_token !== undefined) checkUnguessable(String(answer.refresh_token))
    const accessToken = String(answer.access_token)
    const rawIdToken = String(answer.id_token)
    const { header, claims } = verified(rawIdToken, this.provider.keys)
    checkIdToken(claims, { issuer: this.provider.issuer, clientId: client.id, nonce, accessToken, code })
    return {
      accessToken,
      refreshToken: answer.refresh_token as string | undefined,
      header,
      idToken: claims,
      rawIdToken,
    }
  }

  /** Asks about the person, as three ways go. */
  askUserinfo(accessToken: string, way: 'get' | 'post-header' | 'post-body' = 'get'): Promise<Reply> {
    const url = this.provider.metadata.userinfo_endpoint
    const authorization = `Bearer ${accessToken}`
    if (way === 'get') return this.provider.call(url, { headers: { authorization } })
    if (way === 'post-header') return this.provider.call(url, { method: 'POST', headers: { authorization } })
    return this.provider.call(url, { method: 'POST', headers: formType, body: form({ access_token: accessToken }) })
  }

  /** A good answer about the person that the ID token is of. */
  async userinfo({ accessToken, idToken }: Tokens): Promise<Record<string, unknown>> {
    const reply = await this.askUserinfo(accessToken)
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toMatch(/^application\/json(;|$)/)
    const claims = reply.json()
    expect(claims.sub).toBe(idToken.sub)
    return claims
  }
}
