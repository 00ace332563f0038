import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { startRedis, type RedisServer } from '@countersign/servers'
import { startServer, type Child } from './child.ts'
import type { Context } from './context.ts'
import { basic, postForm, type HttpAnswer } from './http-answer.ts'

/** The npm package oidc-provider on a Redis of its own, without append-only file. */
export interface Peer {
  url: string
  /** `Authorization` of the client that gets tokens, and of the one that asks about them. */
  batch: string
  caller: string
  processes: Readonly<Record<string, number>>
  issue(): Promise<string>
  /** Puts in copies of a token it issued, as it would have stored them. */
  fill(count: number): Promise<string[]>
  usedMemoryBytes(): Promise<number>
}

export const clientCredentialsForm = 'grant_type=client_credentials&scope=read%3Areports'

/** The token of a token endpoint's answer; undefined when there is none. */
export function tokenIn({ status, body }: HttpAnswer): string | undefined {
  if (status !== 200) return undefined
  return (JSON.parse(body) as { access_token?: string }).access_token
}

/** A connection to a Redis of ours, whose loss shows in the calls on it. */
export async function connect(context: Context, url: string): Promise<Redis> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 }).on('error', () => undefined)
  await context.start(Promise.resolve({ stop: async () => redis.disconnect() }))
  return redis
}

/** Bytes that a Redis uses, by its own account. */
export async function usedMemoryBytes(redis: Redis): Promise<number> {
  const bytes = /^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]
  if (bytes === undefined) throw new Error('Redis does not tell its used_memory')
  return Number(bytes)
}

const clientOf = (id: string, secret: string, grants: string[]) => ({
  client_id: id,
  client_secret: secret,
  grant_types: grants,
  redirect_uris: [],
  response_types: [],
  scope: 'read:reports',
  token_endpoint_auth_method: 'client_secret_basic',
})

/** Stores copies of what is stored under a token's key, each under a token of its own. */
async function copy(redis: Redis, token: string, count: number): Promise<string[]> {
  const key = `ClientCredentials:${token}`
  const [stored, seconds] = await Promise.all([redis.get(key), redis.ttl(key)])
  if (stored === null) throw new Error('oidc-provider has not stored its token where it was looked for')
  const tokens: string[] = []
  while (tokens.length < count) {
    const pipeline = redis.pipeline()
    for (let n = Math.min(1_000, count - tokens.length); n > 0; n--) {
      const made = randomBytes(32).toString('base64url')
      pipeline.set(`ClientCredentials:${made}`, stored.replace(token, made), 'EX', seconds)
      tokens.push(made)
    }
    await pipeline.exec()
  }
  return tokens
}

export async function startPeer(context: Context): Promise<Peer> {
  const server: RedisServer = await context.start(startRedis({ appendfsync: 'no' }))
  const [secret, callerSecret] = [randomBytes(24).toString('base64url'), randomBytes(24).toString('base64url')]
  const clients = [clientOf('batch', secret, ['client_credentials']), clientOf('reports-api', callerSecret, [])]
  const path = new URL('../peers/oidc-provider.mjs', import.meta.url)
  const child: Child & { port: number } = await context.start(startServer(path, [server.url, JSON.stringify(clients)]))
  const redis = await connect(context, server.url)
  const [url, batch] = [`http://127.0.0.1:${child.port}`, basic('batch', secret)]

  async function issue(): Promise<string> {
    const answer = await postForm(`${url}/oauth2/token`, batch, clientCredentialsForm)
    const token = tokenIn(answer)
    if (token === undefined) throw new Error(`oidc-provider issued no token: ${answer.status} ${answer.body}`)
    return token
  }

  return {
    url,
    batch,
    caller: basic('reports-api', callerSecret),
    processes: { 'oidc-provider': child.pid, redis: server.pid },
    issue,
    fill: async (count) => copy(redis, await issue(), count),
    usedMemoryBytes: () => usedMemoryBytes(redis),
  }
}

/** What the client of the authorization code flow may do. */
export interface PeerFlows {
  clientSecret: string
  redirectUri: string
  resource: string
}

/** The same, set up for the authorization code flow. @param appendfsync of its Redis */
export async function startPeerFlows(
  context: Context,
  flows: PeerFlows,
  appendfsync: 'always' | 'no',
): Promise<Pick<Peer, 'url' | 'processes'>> {
  const server = await context.start(startRedis({ appendfsync }))
  const { clientSecret, redirectUri, resource } = flows
  const client = {
    ...clientOf('web', clientSecret, ['authorization_code', 'refresh_token']),
    redirect_uris: [redirectUri],
    response_types: ['code'],
    // What it may ask for, the resource says.
    scope: 'openid',
    id_token_signed_response_alg: 'ES256',
  }
  const args = [server.url, JSON.stringify([client]), JSON.stringify({ resource })]
  const child = await context.start(startServer(new URL('../peers/oidc-provider.mjs', import.meta.url), args))
  return { url: `http://127.0.0.1:${child.port}`, processes: { 'oidc-provider': child.pid, redis: server.pid } }
}
