// Signs people in, one after the other, in a process of its own, or measures a part of that; checks every answer.
import { hash, randomBytes } from 'node:crypto'
import { Passwords } from '@countersign/accounts'
import { Connection, type Reply } from './connection.ts'
import { Latencies } from './latencies.ts'

export interface Provider {
  issuer: string
  clientId: string
  clientSecret: string
}

/** The arguments, as JSON. */
export type SignInJob =
  | { way: 'hash' }
  | { way: 'tokens'; provider: Provider }
  | {
      way: 'password' | 'provider'
      issuer: string
      /** Where the paths of that origin lead, by how they begin. */
      routes: Readonly<Record<string, string>>
      client: { id: string; redirectUri: string }
      person: { loginName: string; password: string }
      /** As the configuration names it. */
      providerId: string
    }

export interface SignInFigures {
  seconds: number
  /** Of each from the application's link to the way back to it. */
  latenciesMs: Float64Array
  /** Of each the answer that began the session alone: to the form, or to the way back from the provider. */
  answersMs: Float64Array
}

/** What one took, in milliseconds. */
interface Taken {
  all: number
  answer: number
}

const job = JSON.parse(process.argv[2]!) as SignInJob
const secret = (): string => randomBytes(32).toString('base64url')
const wrong = (what: string, { status, location, body }: Reply): Error =>
  new Error(`${what}: ${status} ${location} ${body.slice(0, 500)}`)

/** A browser that nobody knows yet, with connections of its own. */
class Browser {
  readonly #connections = new Map<string, Connection>()
  readonly #cookies = new Map<string, string>()
  readonly #issuer: string
  readonly #routes: [beginning: string, origin: string][]

  constructor(issuer = '', routes: Readonly<Record<string, string>> = {}) {
    this.#issuer = issuer
    this.#routes = Object.entries(routes).toSorted(([a], [b]) => b.length - a.length)
  }

  get cookies(): IterableIterator<string> {
    return this.#cookies.keys()
  }

  async go(url: string | URL, form?: Record<string, string>): Promise<Reply> {
    const { origin, host, pathname, search } = new URL(url, this.#issuer || undefined)
    const isOurs = origin === this.#issuer
    const target = isOurs ? this.#routes.find(([beginning]) => pathname.startsWith(beginning))?.[1] : origin
    if (target === undefined) throw new Error(`nobody serves ${pathname}`)
    const body = form && new URLSearchParams(form).toString()
    const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const lines = [
      `${body === undefined ? 'GET' : 'POST'} ${pathname}${search} HTTP/1.1`,
      `host: ${host}`,
      ...(isOurs && cookies !== '' ? [`cookie: ${cookies}`] : []),
      ...(body === undefined
        ? []
        : [`content-length: ${body.length}`, 'content-type: application/x-www-form-urlencoded']),
    ]
    const reply = await this.#connectionTo(target).ask(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`)
    for (const cookie of isOurs ? reply.cookies : []) {
      const equals = cookie.indexOf('=')
      this.#cookies.set(cookie.slice(0, equals), cookie.slice(equals + 1))
    }
    return reply
  }

  /** Where it is sent from there. */
  async redirected(url: string | URL, form?: Record<string, string>): Promise<string> {
    const reply = await this.go(url, form)
    if (reply.status !== 303 || reply.location === '')
      throw wrong(`no redirect from ${new URL(url, this.#issuer)}`, reply)
    return reply.location
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }

  #connectionTo(origin: string): Connection {
    let connection = this.#connections.get(origin)
    if (!connection) this.#connections.set(origin, (connection = new Connection(origin)))
    return connection
  }
}

function hiddenFields({ body }: Reply): Record<string, string> {
  const inputs = body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)
  return Object.fromEntries(Array.from(inputs, ([, name, value]) => [name, value]))
}

/** A code and what redeems it (RFC 7636). */
function proofKey() {
  const verifier = secret()
  return {
    verifier,
    parameters: { code_challenge: hash('sha256', verifier, 'base64url'), code_challenge_method: 'S256' },
  }
}

/** From the link in the application, over the sign-in page, back to it with a code. */
async function signIn(job: Extract<SignInJob, { issuer: string }>): Promise<Taken> {
  const { issuer, client, person, way, providerId } = job
  const browser = new Browser(issuer, job.routes)
  const state = secret()
  const { parameters } = proofKey()
  const asked = {
    response_type: 'code',
    client_id: client.id,
    redirect_uri: client.redirectUri,
    scope: 'openid',
    state,
  }
  const from = performance.now()
  try {
    const page = await browser.redirected(
      `${issuer}/oauth2/authorize?${new URLSearchParams({ ...asked, ...parameters })}`,
    )
    const fields = hiddenFields(await browser.go(page))
    let answering = performance.now()
    let back: string
    if (way === 'password') {
      back = await browser.redirected('/login', { ...fields, login_name: person.loginName, password: person.password })
    } else {
      const away = await browser.redirected('/login', { ...fields, provider: providerId })
      const callback = await browser.redirected(away)
      answering = performance.now()
      back = await browser.redirected(callback)
    }
    const until = performance.now()
    const answer = new URL(back).searchParams
    const isBack = back.startsWith(`${client.redirectUri}?`) && answer.get('state') === state && answer.has('code')
    if (!isBack || ![...browser.cookies].some((name) => name.endsWith('cs_session')))
      throw new Error(`no sign-in: ${back}`)
    return { all: until - from, answer: until - answering }
  } finally {
    browser.close()
  }
}

/** What a provider takes to redeem a code, asked as login asks it. */
async function redeem({ issuer, clientId, clientSecret }: Provider): Promise<Taken> {
  const browser = new Browser()
  const { verifier, parameters } = proofKey()
  const asked = { client_id: clientId, redirect_uri: 'http://localhost/callback', state: secret(), nonce: secret() }
  try {
    const back = await browser.redirected(`${issuer}/authorize?${new URLSearchParams({ ...asked, ...parameters })}`)
    const code = new URL(back).searchParams.get('code') ?? ''
    const client = { client_id: clientId, client_secret: clientSecret, redirect_uri: asked.redirect_uri }
    const from = performance.now()
    const grant = { grant_type: 'authorization_code', code, code_verifier: verifier, ...client }
    const reply = await browser.go(`${issuer}/token`, grant)
    const taken = performance.now() - from
    if (reply.status !== 200 || !reply.body.includes('"id_token"')) throw wrong('no tokens', reply)
    return { all: taken, answer: taken }
  } finally {
    browser.close()
  }
}

const passwords = new Passwords()
const stored = job.way === 'hash' ? await passwords.hash('correct horse battery') : ''

async function verifyHash(): Promise<Taken> {
  const from = performance.now()
  if (!(await passwords.verify('correct horse battery', stored))) throw new Error('the password was not right')
  const taken = performance.now() - from
  return { all: taken, answer: taken }
}

const once = (): Promise<Taken> =>
  job.way === 'hash' ? verifyHash() : job.way === 'tokens' ? redeem(job.provider) : signIn(job)

process.on('message', async ({ seconds }: { seconds: number }) => {
  const [all, answers] = [new Latencies(), new Latencies()]
  const until = performance.now() + seconds * 1_000
  let busyMs = 0
  try {
    do {
      const taken = await once()
      all.add(taken.all)
      answers.add(taken.answer)
      busyMs += taken.all
    } while (performance.now() < until)
    const figures = { seconds: busyMs / 1_000, latenciesMs: all.values(), answersMs: answers.values() }
    process.send!(figures satisfies SignInFigures)
  } catch (error) {
    process.send!({ error: (error as Error).message })
  }
})
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
