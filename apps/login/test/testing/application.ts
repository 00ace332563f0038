import { createHash, randomBytes } from 'node:crypto'
import { ask, post, type Reply } from '@countersign/servers'
import { deviceGrant, type Setting } from './setting.ts'

export const everything = 'openid profile email roles offline_access read:reports'

export interface Tokens {
  access_token: string
  refresh_token: string
  id_token: string
  scope: string
}

export interface Device {
  device_code: string
  user_code: string
  verification_uri: string
  verification_uri_complete: string
}

/** A request on its way, and what the application keeps of it. */
export interface Begun {
  url: URL
  state: string
  verifier: string
}

const random = (): string => randomBytes(32).toString('base64url')

/** What a JWT says. */
export const claimsOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString())

/** A public application. */
export class Application {
  readonly #setting: Setting
  readonly #id: string

  constructor(setting: Setting, id: 'web' | 'signed' | 'television') {
    this.#setting = setting
    this.#id = id
  }

  begin(parameters: Readonly<Record<string, string>> = {}): Begun {
    const [state, verifier] = [random(), random()]
    const url = new URL(`${this.#setting.issuerUrl}/oauth2/authorize`)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.#id,
      redirect_uri: this.#setting.callbackUrl,
      scope: everything,
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    }).toString()
    return { url, state, verifier }
  }

  /** @param answer where the browser was sent back to @throws Error when that is no code of ours */
  async redeem({ state, verifier }: Begun, answer: URL): Promise<Tokens> {
    const code = answer.searchParams.get('code')
    const { callbackUrl, issuerUrl } = this.#setting
    const isOurs = answer.searchParams.get('state') === state && answer.searchParams.get('iss') === issuerUrl
    if (code === null || !isOurs) throw new Error(`no answer: ${answer.href}`)
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: callbackUrl }
    return this.#granted(await this.#token(form))
  }

  refresh = (refreshToken: string): Promise<Reply> =>
    this.#token({ grant_type: 'refresh_token', refresh_token: refreshToken })

  async userinfo({ access_token: token }: Tokens): Promise<Record<string, unknown>> {
    const headers = { authorization: `Bearer ${token}` }
    return (await ask(`${this.#setting.issuerUrl}/oauth2/userinfo`, { headers })).json()
  }

  async device(): Promise<Device> {
    const form = { client_id: this.#id, scope: everything }
    return (await post(`${this.#setting.issuerUrl}/oauth2/device_authorization`, undefined, form)).json()
  }

  /** Asks once. */
  poll = (device: Device): Promise<Reply> => this.#token({ grant_type: deviceGrant, device_code: device.device_code })

  #token = (form: Record<string, string>): Promise<Reply> =>
    post(`${this.#setting.issuerUrl}/oauth2/token`, undefined, { client_id: this.#id, ...form })

  #granted(reply: Reply): Tokens {
    if (reply.status !== 200) throw new Error(`no tokens: ${reply.status} ${reply.text}`)
    return reply.json()
  }
}
