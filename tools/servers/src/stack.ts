import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startGateway } from './gateway.ts'
import { startNats, type NatsServer } from './nats.ts'
import { startPostgres, type PostgresServer } from './postgres.ts'
import { freePort, ServerProcess, temporaryFolder } from './process.ts'
import { repositoryRoot } from './root.ts'
import { startRedis, type RedisOptions, type RedisServer } from './redis.ts'

export const services = ['token-issuer', 'introspection', 'audit', 'login'] as const
export type ServiceName = (typeof services)[number]

/** The secrets of the stack's clients: made for this one run. */
export interface StackSecrets {
  batch: string
  'reports-api': string
  operator: string
}

export interface StackOptions {
  /** More top-level keys of the configuration, as YAML. */
  config?: string
  /** More lines under `clients:`. */
  clients?: string[]
  redis?: RedisOptions
  /** Also login, and all of them under one origin. */
  gateway?: boolean
  /** What browsers know the gateway under, such as `http://localhost:PORT`, with a port of loopback that is free. */
  issuer?: string
  /** `paused`: nothing is published, and the outbox only grows. */
  relay?: 'running' | 'paused'
  /** More environment for a service, such as other addresses of what it rests on. */
  environment?: (service: ServiceName, urls: Urls) => Record<string, string> | Promise<Record<string, string>>
}

/** A service of ours, as a process of its own. */
export interface Service extends ServerProcess {
  http: string
  grpcTarget: string
  management: string
}

export interface Stack {
  issuerUrl: string
  introspectionUrl: string
  auditUrl: string
  grpcTarget: string
  secrets: StackSecrets
  redis: RedisServer
  nats: NatsServer
  postgres: PostgresServer
  /** `login` only with `gateway`. */
  processes: Record<Exclude<ServiceName, 'login'>, Service> & { login?: Service }
  masterKey: string
  configFile: string
  stop(): Promise<void>
}

export interface Urls {
  redis: string
  nats: string
  postgres: string
}

const configOf = (
  urls: Urls,
  secrets: StackSecrets,
  masterKey: string,
  issuer: string,
  options: StackOptions,
): string => `version: 1
issuer: ${issuer}
master_key: ${masterKey}
store: { url: ${urls.redis}${options.redis?.appendfsync === 'no' ? ', allow_unsafe: true' : ''} }
bus: { url: ${urls.nats} }
audit: { url: ${urls.postgres}${options.relay === 'paused' ? ', relay: paused' : ''} }
log: { level: warn }
throttle: { inactive_introspections_per_minute: 0 }
resources:
  - { id: reports, audience: https://reports.example, scopes: { 'read:reports': Read reports } }
clients:
  - { id: batch, secret: ${secrets.batch}, grants: [client_credentials], scopes: ['read:reports'], audience: [reports], access_token_lifetime: 1h }
  - { id: reports-api, secret: ${secrets['reports-api']}, introspect: [reports] }
  - { id: operator, secret: ${secrets.operator}, audit: true }
${(options.clients ?? []).map((line) => `  - ${line}\n`).join('')}${options.config ?? ''}
`

/** As the images start them: room for the garbage of thousands of requests a second. */
export const serviceFlags = ['--max-semi-space-size=32']

const isReady = async (management: string): Promise<boolean> =>
  fetch(`${management}/readyz`).then(
    (response) => response.ok,
    () => false,
  )

async function startService(
  name: ServiceName,
  folder: string,
  configFile: string,
  httpPort: number,
  environment: Record<string, string>,
): Promise<Service> {
  const [grpcPort, port] = [await freePort(), await freePort()]
  const management = `http://127.0.0.1:${port}`
  const service = new ServerProcess({
    program: process.execPath,
    args: [...serviceFlags, join(repositoryRoot, 'apps', name, 'src/main.ts'), '--config', configFile],
    port,
    folder,
    env: {
      COUNTERSIGN_LISTEN__HTTP: `127.0.0.1:${httpPort}`,
      COUNTERSIGN_LISTEN__GRPC: `127.0.0.1:${grpcPort}`,
      COUNTERSIGN_LISTEN__MANAGEMENT: `127.0.0.1:${port}`,
      ...environment,
    },
    ready: () => isReady(management),
  })
  await service.start()
  return Object.assign(service, {
    http: `http://127.0.0.1:${httpPort}`,
    grpcTarget: `127.0.0.1:${grpcPort}`,
    management,
  })
}

/** The services as processes of their own, on a Redis, a NATS and a PostgreSQL of their own. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const [redis, nats, postgres] = await Promise.all([startRedis(options.redis), startNats(), startPostgres()])
  const folder = temporaryFolder('stack')
  const secret = () => randomBytes(24).toString('base64url')
  const secrets = { batch: secret(), 'reports-api': secret(), operator: secret() }
  const issuerPort = await freePort()
  const configFile = join(folder, 'countersign.yaml')
  const urls = { redis: redis.url, nats: nats.url, postgres: postgres.url }
  const masterKey = randomBytes(32).toString('base64url')
  const gatewayPort = options.issuer === undefined ? 0 : Number(new URL(options.issuer).port)
  const gateway = options.gateway ? await startGateway(gatewayPort) : undefined
  const issuer = options.issuer ?? gateway?.url ?? `http://127.0.0.1:${issuerPort}`
  writeFileSync(configFile, configOf(urls, secrets, masterKey, issuer, options))
  const started: { stop(): Promise<void> }[] = [redis, nats, postgres, ...(gateway ? [gateway] : [])]
  const start = async (name: ServiceName, port: number, more: Record<string, string> = {}) => {
    const environment = { ...more, ...(await options.environment?.(name, urls)) }
    const service = await startService(name, folder, configFile, port, environment)
    started.unshift(service)
    return service
  }
  try {
    const processes = {
      'token-issuer': await start('token-issuer', issuerPort),
      introspection: await start('introspection', await freePort()),
      audit: await start('audit', await freePort()),
    }
    const { grpcTarget } = processes['token-issuer']
    const login =
      gateway && (await start('login', await freePort(), { COUNTERSIGN_SERVICES__TOKEN_ISSUER__TARGET: grpcTarget }))
    gateway?.lead({
      '/': login!.http,
      '/oauth2': processes['token-issuer'].http,
      '/.well-known': processes['token-issuer'].http,
      '/oauth2/introspect': processes.introspection.http,
      '/api/v1/revocations': processes.introspection.http,
      '/audit': processes.audit.http,
    })
    return {
      issuerUrl: issuer,
      introspectionUrl: processes.introspection.http,
      auditUrl: processes.audit.http,
      grpcTarget: processes.introspection.grpcTarget,
      secrets,
      masterKey,
      redis,
      nats,
      postgres,
      processes: { ...processes, ...(login && { login }) },
      configFile,
      stop: async () => void (await Promise.all(started.map((server) => server.stop()))),
    }
  } catch (thrown) {
    await Promise.all(started.map((server) => server.stop()))
    throw thrown
  }
}
