import { createHash, randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import {
  freePort,
  repositoryRoot,
  serviceFlags,
  ServerProcess,
  startProxy,
  startStack,
  temporaryFolder,
  Visitor,
  type Proxy,
  type Stack,
} from '@countersign/servers'
import { answerOf, signUp } from './person.ts'

const redirectUri = 'http://127.0.0.1:3999/callback'
const verifier = randomBytes(32).toString('base64url')

/** Unlimited: here nobody guesses, but many are wrong on purpose. */
const unthrottled = {
  COUNTERSIGN_THROTTLE__FAILED_GRANTS_PER_MINUTE: '0',
  COUNTERSIGN_THROTTLE__AUTHORIZATION_REQUESTS_PER_MINUTE: '0',
}

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** A replica as a public client reaches it, by connections that are kept. */
export class Replica {
  readonly #origin: string
  readonly #agent = new Agent({ keepAlive: true })

  constructor(origin: string) {
    this.#origin = origin
  }

  post(path: string, form: Record<string, string>, more: Record<string, string> = {}): Promise<Answer> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...more }
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#origin + path, { method: 'POST', agent: this.#agent, headers }, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({ status: incoming.statusCode!, body: text === '' ? {} : JSON.parse(text) })
        })
      })
      outgoing.on('error', reject)
      outgoing.end(new URLSearchParams({ client_id: 'phone', ...form }).toString())
    })
  }

  redeem = (code: string): Promise<Answer> =>
    this.post('/oauth2/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    })

  refresh = (token: string, scope?: string): Promise<Answer> =>
    this.post('/oauth2/token', {
      grant_type: 'refresh_token',
      refresh_token: token,
      ...(scope !== undefined && { scope }),
    })

  revoke = (token: string): Promise<Answer> => this.post('/oauth2/revoke', { token })

  /** Whether an access token is good; it is asked of the store. */
  async isGood(accessToken: string): Promise<boolean> {
    const { status } = await this.post('/oauth2/userinfo', {}, { authorization: `Bearer ${accessToken}` })
    if (status !== 200 && status !== 401) throw new Error(`no verdict: ${status}`)
    return status === 200
  }

  close = (): void => this.#agent.destroy()
}

export interface Replicas {
  readonly stack: Stack
  readonly first: Replica
  /** It reaches the store by way of a proxy. */
  readonly second: Replica
  readonly secondProcess: ServerProcess
  readonly toStore: Proxy
  /** Codes of somebody who has signed in and agreed before. */
  codes(count: number): Promise<string[]>
  stop(): Promise<void>
}

async function startSecond(stack: Stack, store: Proxy): Promise<{ process: ServerProcess; origin: string }> {
  const [http, grpc, port] = [await freePort(), await freePort(), await freePort()]
  const server = new ServerProcess({
    program: process.execPath,
    args: [...serviceFlags, join(repositoryRoot, 'apps/token-issuer/src/main.ts'), '--config', stack.configFile],
    port,
    folder: temporaryFolder('replica'),
    env: {
      ...unthrottled,
      COUNTERSIGN_STORE__URL: `redis://127.0.0.1:${store.port}`,
      COUNTERSIGN_LISTEN__HTTP: `127.0.0.1:${http}`,
      COUNTERSIGN_LISTEN__GRPC: `127.0.0.1:${grpc}`,
      COUNTERSIGN_LISTEN__MANAGEMENT: `127.0.0.1:${port}`,
    },
    ready: () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
  })
  return { process: await server.start(), origin: `http://127.0.0.1:${http}` }
}

async function codesOf(visitor: Visitor, issuerUrl: string, count: number): Promise<string[]> {
  const query = new URLSearchParams({
    client_id: 'phone',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid offline_access',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const codes: string[] = []
  while (codes.length < count) {
    const answer = (await answerOf(visitor, new URL(`/oauth2/authorize?${query}`, issuerUrl))) as URL
    codes.push(answer.searchParams.get('code')!)
  }
  return codes
}

/** Two token-issuers on one Redis. */
export async function startReplicas(): Promise<Replicas> {
  const grants = 'grants: [authorization_code, refresh_token], scopes: [openid, offline_access]'
  const stack = await startStack({
    gateway: true,
    config: 'providers: [ { id: staff, kind: local } ]\n',
    clients: [`{ id: phone, public: true, redirect_uris: ['${redirectUri}'], ${grants} }`],
    environment: () => unthrottled,
  })
  const toStore = await startProxy(stack.redis.port)
  try {
    await signUp(stack)
    const second = await startSecond(stack, toStore)
    const visitor = new Visitor(stack.issuerUrl)
    const replicas = [new Replica(stack.processes['token-issuer'].http), new Replica(second.origin)] as const
    return {
      stack,
      first: replicas[0],
      second: replicas[1],
      secondProcess: second.process,
      toStore,
      codes: (count) => codesOf(visitor, stack.issuerUrl, count),
      async stop() {
        for (const replica of replicas) replica.close()
        await second.process.stop()
        await toStore.stop()
        await stack.stop()
      },
    }
  } catch (thrown) {
    await toStore.stop()
    await stack.stop()
    throw thrown
  }
}
