import { createHash, randomBytes } from 'node:crypto'
import { ask, post, startEmbedded, Visitor, type Ask, type Embedded, type Reply } from '@countersign/servers'
import { signUp } from '../clients/person.ts'

export const callback = 'https://app.example/cb'
export const verifier = randomBytes(32).toString('base64url')
export const challenge = createHash('sha256').update(verifier).digest('base64url')
export const person = { loginName: 'alice', password: 'correct horse battery staple' }

const code = 'grants: [authorization_code, refresh_token]'
const all = "scopes: [openid, offline_access, 'read:reports'], audience: [reports]"

/** What a token endpoint answers. */
export type Tokens = Record<'access_token' | 'refresh_token' | 'token_type' | 'scope' | 'error', string>

/** Countersign, somebody who is signed in, and applications whose secrets are known here. */
export class Setting {
  readonly at: Embedded
  readonly secret: string
  readonly visitor: Visitor

  constructor(at: Embedded, secret: string) {
    this.at = at
    this.secret = secret
    this.visitor = new Visitor(at.issuerUrl)
  }

  static async start(config = '', clients: string[] = []): Promise<Setting> {
    const secret = randomBytes(24).toString('base64url')
    const at = await startEmbedded({
      config: `providers: [ { id: staff, kind: local } ]
throttle: { failed_authentications_per_minute: 0, failed_grants_per_minute: 0, authorization_requests_per_minute: 0 }
${config}`,
      clients: [
        ...clients.map((client) => client.replace('SECRET', secret)),
        `{ id: web, name: 'Web <b>application</b>', public: true, consent: false, redirect_uris: ['${callback}', 'http://127.0.0.1/native'], ${code}, ${all} }`,
        `{ id: other, public: true, consent: false, redirect_uris: ['${callback}'], ${code}, ${all} }`,
        `{ id: asking, public: true, redirect_uris: ['${callback}'], ${code}, ${all} }`,
        `{ id: server, secret: ${secret}, require_pkce: false, consent: false, redirect_uris: ['${callback}'], ${code}, ${all} }`,
        `{ id: server2, secret: ${secret}, require_pkce: false, consent: false, redirect_uris: ['${callback}'], ${code}, ${all} }`,
      ],
    })
    try {
      await signUp(at)
      const setting = new Setting(at, secret)
      await setting.visitor.go('/login')
      await setting.visitor.submit({ login_name: person.loginName, password: person.password })
      return setting
    } catch (thrown) {
      await at.stop()
      throw thrown
    }
  }

  url(parameters: Record<string, string | undefined> = {}, more = ''): string {
    const all = {
      client_id: 'web',
      redirect_uri: callback,
      response_type: 'code',
      scope: 'openid read:reports',
      state: 'of-this-test',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...parameters,
    }
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return `${this.at.issuerUrl}/oauth2/authorize?${new URLSearchParams(given)}${more}`
  }

  /** The authorization endpoint alone, by nobody. */
  authorize = (parameters: Record<string, string | undefined> = {}, more = ''): Promise<Reply> =>
    ask(this.url(parameters, more))

  /** What the application gets, of somebody who is signed in. */
  async answer(parameters: Record<string, string | undefined> = {}): Promise<URLSearchParams> {
    const end = await this.visitor.go(this.url(parameters))
    if (!end.startsWith(callback)) throw new Error(`no answer: ${this.visitor.reply.status} ${end}`)
    return new URL(end).searchParams
  }

  async code(parameters: Record<string, string | undefined> = {}): Promise<string> {
    const code = (await this.answer(parameters)).get('code')
    if (code === null) throw new Error('no code')
    return code
  }

  /** As a public client, or as one with a secret. */
  token = (client: string, form: Record<string, string>): Promise<Reply> =>
    client.startsWith('server')
      ? post(`${this.at.issuerUrl}/oauth2/token`, [client, this.secret], form)
      : post(`${this.at.issuerUrl}/oauth2/token`, undefined, { client_id: client, ...form })

  redeem = (code: string, over: Record<string, string> = {}, client = 'web'): Promise<Reply> =>
    this.token(client, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: callback,
      code_verifier: verifier,
      ...over,
    })

  async tokens(parameters: Record<string, string | undefined> = {}): Promise<Tokens> {
    const reply = await this.redeem(await this.code(parameters), {}, parameters.client_id ?? 'web')
    if (reply.status !== 200) throw new Error(`no tokens: ${reply.status} ${reply.text}`)
    return reply.json<Tokens>()
  }

  refresh = (token: string, over: Record<string, string> = {}, client = 'web'): Promise<Reply> =>
    this.token(client, { grant_type: 'refresh_token', refresh_token: token, ...over })

  revoke = (token: string, over: Record<string, string> = {}, client = 'web'): Promise<Reply> =>
    post(`${this.at.issuerUrl}/oauth2/revoke`, undefined, { client_id: client, token, ...over })

  /** As the store has it, now. */
  async isActive(token: string): Promise<boolean> {
    const caller: [string, string] = ['reports-api', this.at.secrets['reports-api']]
    const reply = await post(`${this.at.issuerUrl}/oauth2/introspect`, caller, { token, max_staleness: '0' })
    return reply.json<{ active: boolean }>().active
  }

  send = (path: string, given: Ask): Promise<Reply> => ask(this.at.issuerUrl + path, given)

  stop = (): Promise<void> => this.at.stop()
}

export const outcomeOf = (reply: Reply): string => `${reply.status} ${reply.json<Tokens>().error ?? ''}`.trim()
