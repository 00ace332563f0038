// Goes through authorization code flows, or refreshes tokens, in a process of its own, and checks every answer.
import { hash, randomBytes } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { Connection, type Reply } from './connection.ts'
import { Latencies } from './latencies.ts'

/** The arguments, as JSON. */
export interface FlowJob {
  mode: 'code-flow' | 'refresh'
  /** As browsers and clients know it. */
  issuer: string
  /** Where the paths of that origin lead, by how they begin: straight to what a gateway would pass them on to. */
  routes: Readonly<Record<string, string>>
  authorizePath: string
  tokenPath: string
  jwksPath: string
  client: { id: string; authorization: string; redirectUri: string }
  scope: string
  resource: string
  /** Of people who have signed in and agreed: each has one flow, or one refresh, at a time. */
  cookies: readonly string[]
  /** Refresh tokens in turn of each person. */
  familiesEach: number
}

export interface FlowFigures {
  /** Flows, or refreshes. */
  tokens: number
  seconds: number
  latenciesMs: Float64Array
}

interface TokenAnswer {
  access_token: string
  refresh_token: string
  id_token: string
  expires_in: number
}

const job = JSON.parse(process.argv[2]!) as FlowJob
const { issuer, client } = job
const host = new URL(issuer).host
const routes = Object.entries(job.routes).toSorted(([a], [b]) => b.length - a.length)

/** Where a path leads. @throws Error when nobody serves it */
function originOf(path: string): string {
  const origin = routes.find(([beginning]) => path.startsWith(beginning))?.[1]
  if (origin === undefined) throw new Error(`nobody serves ${path}`)
  return origin
}

const wrong = (what: string, { status, location, body }: Reply): Error =>
  new Error(`${what}: ${status} ${location} ${body.slice(0, 500)}`)

const authorization = new URLSearchParams({
  response_type: 'code',
  client_id: client.id,
  redirect_uri: client.redirectUri,
  scope: job.scope,
  resource: job.resource,
  code_challenge_method: 'S256',
}).toString()
const redemption = `grant_type=authorization_code&redirect_uri=${encodeURIComponent(client.redirectUri)}`

const secret = (): string => randomBytes(32).toString('base64url')

/** A person's browser and the application that it is in: a connection to each server. */
class Visitor {
  readonly #connections = new Map<string, Connection>()
  readonly #cookie: string
  readonly refreshTokens: string[] = []
  #turn = 0

  constructor(cookie: string) {
    this.#cookie = cookie
  }

  /** The whole flow: from the link in the application to its tokens. */
  async codeFlow(): Promise<{ answer: TokenAnswer; nonce: string }> {
    const [verifier, state, nonce] = [secret(), secret().slice(0, 22), secret().slice(0, 22)]
    const challenge = hash('sha256', verifier, 'base64url')
    let path = `${job.authorizePath}?${authorization}&code_challenge=${challenge}&state=${state}&nonce=${nonce}`
    for (let hops = 0; hops < 4; hops++) {
      const reply = await this.#ask(path, `GET ${path} HTTP/1.1\r\nhost: ${host}\r\ncookie: ${this.#cookie}\r\n\r\n`)
      const { status, location } = reply
      if (status !== 302 && status !== 303) throw wrong('no redirect', reply)
      if (location.startsWith(`${client.redirectUri}?`)) {
        const answer = new URLSearchParams(location.slice(client.redirectUri.length))
        const code = answer.get('code')
        if (!code || answer.get('state') !== state || answer.get('iss') !== issuer) throw wrong('no code', reply)
        return { answer: await this.#tokens(`${redemption}&code=${code}&code_verifier=${verifier}`), nonce }
      }
      path = location.startsWith('/') ? location : location.slice(issuer.length)
    }
    throw new Error('the redirects did not lead back to the application')
  }

  async addFamily(): Promise<void> {
    this.refreshTokens.push((await this.codeFlow()).answer.refresh_token)
  }

  /** Refreshes the token whose turn it is, and keeps its successor. */
  async refresh(): Promise<void> {
    const turn = this.#turn++ % this.refreshTokens.length
    const presented = this.refreshTokens[turn]!
    const { refresh_token: successor } = await this.#tokens(`grant_type=refresh_token&refresh_token=${presented}`)
    if (successor === presented) throw new Error('the refresh token was not rotated')
    this.refreshTokens[turn] = successor
  }

  /** Until it asks again: servers do not keep connections for ever. */
  rest(): void {
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  async #tokens(form: string): Promise<TokenAnswer> {
    const reply = await this.#ask(
      job.tokenPath,
      `POST ${job.tokenPath} HTTP/1.1\r\nhost: ${host}\r\nauthorization: ${client.authorization}\r\n` +
        `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${form.length}\r\n\r\n${form}`,
    )
    if (reply.status !== 200) throw wrong('no tokens', reply)
    const answer = JSON.parse(reply.body) as TokenAnswer
    if (!answer.access_token || !answer.refresh_token || !answer.id_token) throw wrong('a token is missing', reply)
    return answer
  }

  #ask(path: string, question: string): Promise<Reply> {
    const origin = originOf(path)
    let connection = this.#connections.get(origin)
    if (!connection) this.#connections.set(origin, (connection = new Connection(origin)))
    return connection.ask(question)
  }
}

/** One flow, looked at closely: what was signed, for whom, and whether the access token is opaque. */
async function verify(visitor: Visitor): Promise<void> {
  const { answer, nonce } = await visitor.codeFlow()
  const keys = createRemoteJWKSet(new URL(job.jwksPath, originOf(job.jwksPath)))
  const expected = { issuer, audience: client.id, algorithms: ['ES256'] }
  const { payload } = await jwtVerify(answer.id_token, keys, expected)
  if (payload.nonce !== nonce || typeof payload.sub !== 'string') throw new Error('the ID token is of another flow')
  if (answer.access_token.includes('.')) throw new Error('the access token is no opaque one')
  if (answer.expires_in !== 300) throw new Error(`the access token is good for ${answer.expires_in} s`)
}

async function repeat(visitors: readonly Visitor[], seconds: number): Promise<FlowFigures> {
  const latencies = new Latencies()
  const from = performance.now()
  const until = from + seconds * 1_000
  const work = async (visitor: Visitor): Promise<void> => {
    let now = from
    do {
      await (job.mode === 'refresh' ? visitor.refresh() : visitor.codeFlow())
      const after = performance.now()
      latencies.add(after - now)
      now = after
    } while (now < until)
    visitor.rest()
  }
  await Promise.all(visitors.map(work))
  return { tokens: latencies.count, seconds: (performance.now() - from) / 1_000, latenciesMs: latencies.values() }
}

const visitors = job.cookies.map((cookie) => new Visitor(cookie))
const families = job.mode === 'refresh' ? job.familiesEach : 0
await Promise.all(
  visitors.map(async (visitor) => {
    while (visitor.refreshTokens.length < families) await visitor.addFamily()
    visitor.rest()
  }),
)

process.on('message', async ({ seconds }: { seconds: number }) => {
  try {
    if (seconds === 0) await verify(visitors[0]!)
    process.send!(await repeat(visitors, seconds))
  } catch (error) {
    process.send!({ error: (error as Error).message })
  }
})
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
