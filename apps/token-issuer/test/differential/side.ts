import { hash, randomBytes } from 'node:crypto'
import { ask, basic, Visitor, type Ask, type Reply } from '@countersign/servers'
import { redirectUri, type ClientName, type Secrets } from './settings.ts'

export type Parameters = string | readonly (readonly [string, string])[] | Readonly<Record<string, string>>

/** Given as text, they are sent as they are. */
export const encoded = (parameters: Parameters): string =>
  typeof parameters === 'string' ? parameters : new URLSearchParams(parameters as Record<string, string>).toString()

export interface Tokens {
  access_token: string
  refresh_token: string
  id_token: string
}

export const verifier = randomBytes(32).toString('base64url')
export const challenge = hash('sha256', verifier, 'base64url')

/** What a good authorization request of the client `web` holds. */
export const goodRequest: Readonly<Record<string, string>> = {
  client_id: 'web',
  redirect_uri: redirectUri,
  response_type: 'code',
  scope: 'openid',
  state: 'the-state',
  code_challenge: challenge,
  code_challenge_method: 'S256',
}

export interface Person {
  loginName: string
  password: string
}

/** An authorization server, and somebody who has an account there. */
export class Side {
  readonly issuer: string
  readonly #secrets: Secrets
  readonly #person: Person
  /** A browser that is signed in after the first code. */
  readonly signedIn: Visitor

  constructor(issuer: string, secrets: Secrets, person: Person) {
    this.issuer = issuer
    this.#secrets = secrets
    this.#person = person
    this.signedIn = new Visitor(issuer)
  }

  secret = (client: ClientName): string => this.#secrets[client]!
  basic = (client: ClientName): { authorization: string } => ({ authorization: basic(client, this.secret(client)) })

  ask = (path: string, what?: Ask): Promise<Reply> => ask(this.issuer + path, what)

  /** A form that is posted; by a confidential client when that is named. */
  post(
    path: string,
    parameters: Parameters,
    client?: ClientName | undefined,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    return this.ask(path, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(client && this.basic(client)),
        ...headers,
      },
      body: encoded(parameters),
    })
  }

  /** Goes to the authorization endpoint, and as far as nobody has to do something. */
  async authorize(parameters: Parameters, visitor = new Visitor(this.issuer)): Promise<Visitor> {
    await visitor.go(`${this.issuer}/oauth2/authorize?${encoded(parameters)}`)
    return visitor
  }

  /** A code for the signed-in person. @throws Error when there is none */
  async code(parameters: Readonly<Record<string, string>> = {}): Promise<string> {
    await this.authorize({ ...goodRequest, ...parameters }, this.signedIn)
    const end = await this.signedIn.signIn(this.#person)
    const code = new URL(end).searchParams.get('code')
    if (code === null) throw new Error(`no code: ${end} ${this.signedIn.reply.text.slice(0, 500)}`)
    return code
  }

  redeem = (code: string, more: Readonly<Record<string, string>> = {}, headers?: Record<string, string>) =>
    this.post('/oauth2/token', { ...redemption(code), ...more }, undefined, headers)

  /** The tokens of a new grant to the client `web`. */
  async tokens(parameters: Readonly<Record<string, string>> = {}): Promise<Tokens> {
    const reply = await this.redeem(await this.code(parameters))
    if (reply.status !== 200) throw new Error(`no tokens: ${reply.status} ${reply.text}`)
    return reply.json()
  }

  refresh = (token: string, more: Readonly<Record<string, string>> = {}) =>
    this.post('/oauth2/token', { grant_type: 'refresh_token', client_id: 'web', refresh_token: token, ...more })

  /** An access token of the client `batch` for itself. */
  async machineToken(headers?: Record<string, string>): Promise<string> {
    const reply = await this.post('/oauth2/token', { grant_type: 'client_credentials' }, 'batch', headers)
    if (reply.status !== 200) throw new Error(`no token: ${reply.status} ${reply.text}`)
    return reply.json<Tokens>().access_token
  }
}

export const redemption = (code: string): Record<string, string> => ({
  grant_type: 'authorization_code',
  client_id: 'web',
  redirect_uri: redirectUri,
  code,
  code_verifier: verifier,
})
