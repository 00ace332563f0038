import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { startStack, type Stack, type StackOptions } from '@countersign/servers'
import type { Store } from '@countersign/store'
import { openStore } from '@countersign/store/open'
import { createTokenFormat, tagKeyFrom, type TokenFormat } from '@countersign/tokens'
import type { Context } from './context.ts'
import { fill } from './fill.ts'
import { basic, postForm } from './http-answer.ts'
import { limits } from './limits.ts'
import { clientCredentialsForm, connect, tokenIn, usedMemoryBytes } from './peer.ts'

/** Countersign as it is run: a process for each service, on a Redis (`appendfsync always`), NATS and PostgreSQL of its own. */
export interface Product {
  stack: Stack
  /** The stack's own. */
  store: Store
  tokenUrl: string
  revokeUrl: string
  introspectUrl: string
  grpcTarget: string
  /** `Authorization` of the client that gets tokens, and of the one that asks about them. */
  batch: string
  caller: string
  callerCredentials: { clientId: string; clientSecret: string }
  /** The processes, with the one that serves first. */
  processes(serving: 'token-issuer' | 'introspection'): Readonly<Record<string, number>>
  issue(): Promise<string>
  /** What the product answers about a token over HTTP. */
  introspect(token: string): Promise<string>
  fill(count: number, tokensPerCommit?: number): Promise<string[]>
  /** Events that the journal does not have yet. */
  backlogEvents(): Promise<number>
  /** Waits until the journal has every event and Redis has no file to rewrite. @throws Error when that takes too long */
  quiet(): Promise<void>
  usedMemoryBytes(): Promise<number>
  /** A figure of the introspection service. */
  metric(name: string): Promise<number>
  /** For good. */
  stopNats(): Promise<void>
}

const partition = 0
const tokensPerFastCommit = 100

function formatOf(configFile: string): TokenFormat {
  const masterKey = /^master_key: (\S+)$/m.exec(readFileSync(configFile, 'utf8'))?.[1]
  if (masterKey === undefined) throw new Error('the configuration of the stack names no master key')
  return createTokenFormat(tagKeyFrom(Buffer.from(masterKey)))
}

export interface Quiet {
  store: Store
  redis: Redis
  /** Whether events are on their way to the journal. */
  isJournaling: boolean
  signal: AbortSignal
}

/** Waits until the journal has every event and Redis has no file to rewrite. @throws Error when that takes too long */
export async function untilQuiet({ store, redis, isJournaling, signal }: Quiet): Promise<void> {
  const outbox = store.outbox(partition)
  const until = performance.now() + limits.settleMs
  const isBusy = async () =>
    /^aof_rewrite_(in_progress|scheduled):1/m.test(await redis.info('persistence')) ||
    (isJournaling && (await outbox.size()) > 0)
  while (await isBusy()) {
    if (performance.now() > until) throw new Error(`not quiet yet: ${await outbox.size()} events are not journaled`)
    await sleep(limits.settleEveryMs, undefined, { signal })
  }
}

export async function startProduct(context: Context, options: StackOptions = {}): Promise<Product> {
  const { signal, start } = context
  context.progress('starting Countersign, Redis, NATS and PostgreSQL')
  const stack = await start(startStack(options))
  const store = await openStore({ url: stack.redis.url, commandTimeoutMs: limits.fillCommitMs })
  await start(Promise.resolve({ stop: () => store.close() }))
  const redis = await connect(context, stack.redis.url)
  const format = formatOf(stack.configFile)
  const { issuerUrl, introspectionUrl, secrets, processes } = stack
  const tokenUrl = `${issuerUrl}/oauth2/token`
  const introspectUrl = `${introspectionUrl}/oauth2/introspect`
  const [batch, caller] = [basic('batch', secrets.batch), basic('reports-api', secrets['reports-api'])]
  const outbox = store.outbox(partition)

  async function issue(): Promise<string> {
    const answer = await postForm(tokenUrl, batch, clientCredentialsForm)
    const token = tokenIn(answer)
    if (token === undefined) throw new Error(`countersign issued no token: ${answer.status} ${answer.body}`)
    return token
  }

  const quiet = () => untilQuiet({ store, redis, isJournaling: options.relay !== 'paused', signal })

  return {
    stack,
    store,
    tokenUrl,
    revokeUrl: `${issuerUrl}/oauth2/revoke`,
    introspectUrl,
    grpcTarget: stack.grpcTarget,
    batch,
    caller,
    callerCredentials: { clientId: 'reports-api', clientSecret: secrets['reports-api'] },
    processes(serving) {
      const { redis: redisServer, nats, postgres } = stack
      const services = { [serving]: processes[serving].pid, redis: redisServer.pid }
      if (serving === 'introspection') return services
      return { ...services, nats: nats.pid, postgres: postgres.pid, audit: processes.audit.pid }
    },
    issue,
    introspect: async (token) => (await postForm(introspectUrl, caller, `token=${token}`)).body,
    fill: async (count, tokensPerCommit = tokensPerFastCommit) =>
      fill({ store, format, example: await issue(), count, tokensPerCommit, signal }),
    backlogEvents: () => outbox.size(),
    quiet,
    usedMemoryBytes: () => usedMemoryBytes(redis),
    async metric(name) {
      const text = await (await fetch(`${processes.introspection.management}/metrics`)).text()
      const value = new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1]
      if (value === undefined) throw new Error(`there is no metric ${name}`)
      return Number(value)
    },
    stopNats: () => stack.nats.kill(),
  }
}
