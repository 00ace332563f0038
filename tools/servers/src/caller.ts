import { request } from 'node:http'

/** What came back, as it was. */
export interface Reply {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  json: <T = Record<string, unknown>>() => T
}

export interface Ask {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

/** One HTTP request, sent as it is: nothing is normalised, followed or retried. */
export function ask(url: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const { statusCode: status = 0, headers: received } = incoming
        resolve({ status, headers: received, text, json: () => JSON.parse(text) })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`

/** A form POST by a client, as RFC 6749 has it. */
export const post = (url: string, client: [id: string, secret: string] | undefined, form: Record<string, string>) =>
  ask(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client && { authorization: basic(...client) }),
    },
    body: new URLSearchParams(form).toString(),
  })

export interface Addresses {
  issuerUrl: string
  introspectionUrl: string
  auditUrl: string
  secrets: { batch: string; 'reports-api': string; operator: string }
}

export interface AuditEvent {
  index: number
  id: string
  type: string
  token_fingerprint?: string
  client_id?: string
}

/** The main job, as its users would do it over HTTP. */
export class MainJob {
  readonly #at: Addresses

  constructor(at: Addresses) {
    this.#at = at
  }

  issue = (form: Record<string, string> = {}): Promise<Reply> => this.issueTo('batch', this.#at.secrets.batch, form)

  issueTo = (id: string, secret: string, form: Record<string, string> = {}): Promise<Reply> =>
    post(`${this.#at.issuerUrl}/oauth2/token`, [id, secret], { grant_type: 'client_credentials', ...form })

  /** @throws Error when it was not issued */
  async token(): Promise<string> {
    const reply = await this.issue()
    if (reply.status !== 200) throw new Error(`no token: ${reply.status} ${reply.text}`)
    return reply.json<{ access_token: string }>().access_token
  }

  introspect = (token: string): Promise<Reply> =>
    post(`${this.#at.introspectionUrl}/oauth2/introspect`, ['reports-api', this.#at.secrets['reports-api']], { token })

  async isActive(token: string): Promise<boolean> {
    const reply = await this.introspect(token)
    if (reply.status !== 200) throw new Error(`no verdict: ${reply.status} ${reply.text}`)
    return reply.json<{ active: boolean }>().active
  }

  revoke = (token: string): Promise<Reply> =>
    post(`${this.#at.issuerUrl}/oauth2/revoke`, ['batch', this.#at.secrets.batch], { token })

  /** The whole journal, oldest first. */
  async events(query = ''): Promise<AuditEvent[]> {
    const found: AuditEvent[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const url = `${this.#at.auditUrl}/audit/v1/events?order=asc&limit=1000${query}${cursor && `&cursor=${cursor}`}`
      const reply = await ask(url, { headers: { authorization: basic('operator', this.#at.secrets.operator) } })
      if (reply.status !== 200) throw new Error(`no events: ${reply.status} ${reply.text}`)
      const page: { events: AuditEvent[]; next: string | null } = reply.json()
      found.push(...page.events)
      cursor = page.next
    }
    return found
  }
}
