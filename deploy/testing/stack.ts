import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import {
  findProgram,
  freePort,
  ServerProcess,
  startPostgres,
  temporaryFolder,
  type PostgresServer,
} from '@countersign/servers'
import { buildImage, nodeProgram, root } from './image.ts'

const read = (file: string): string => readFileSync(join(root, 'deploy', file), 'utf8')
export const services = ['login', 'token-issuer', 'introspection', 'audit'] as const
export type Service = (typeof services)[number]

/** Redis with deploy/redis.conf, elsewhere. */
export async function startConfiguredRedis(): Promise<ServerProcess> {
  const port = await freePort()
  const folder = temporaryFolder('deploy-redis')
  const file = join(folder, 'redis.conf')
  const text = read('redis.conf').replace('dir /data', `dir ${folder}`).replace('bind * -::*', 'bind 127.0.0.1')
  writeFileSync(file, text.replace('port 6379', `port ${port}`))
  return new ServerProcess({ program: findProgram('redis-server', 'redis-server'), args: [file], port, folder }).start()
}

/** Whether nats-server is 2.10 or newer, which knows `sync_interval`. */
function knowsSyncInterval(program: string): boolean {
  const [, major, minor] = /v(\d+)\.(\d+)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout) ?? []
  return Number(major) > 2 || Number(minor) >= 10
}

/** deploy/nats.conf, elsewhere; without what the nats-server here is too old for. */
export async function natsConfig(): Promise<{ file: string; folder: string; port: number; program: string }> {
  const [port, httpPort] = [await freePort(), await freePort()]
  const folder = temporaryFolder('deploy-nats')
  const program = findProgram('nats-server', 'nats-server')
  let text = read('nats.conf')
    .replace('port: 4222', `listen: 127.0.0.1:${port}`)
    .replace('http_port: 8222', `http: 127.0.0.1:${httpPort}`)
    .replace('store_dir: /data', `store_dir: "${folder}"`)
  if (!knowsSyncInterval(program)) text = text.replace('sync_interval: always', '')
  const file = join(folder, 'nats.conf')
  writeFileSync(file, text)
  return { file, folder, port, program }
}

/** From now on PostgreSQL wants this password, as its image does. */
function requirePassword({ folder, url, port }: PostgresServer, password: string): string {
  const sql = [`alter role countersign password '${password}'`, 'select pg_reload_conf()']
  const commands = sql.flatMap((statement) => ['-c', statement])
  writeFileSync(join(folder, 'data/pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\n')
  const done = spawnSync(findProgram('psql', 'postgresql'), [url, '-q', ...commands], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`the password could not be set:\n${done.stderr}`)
  return `postgres://countersign@127.0.0.1:${port}/postgres`
}

export interface Gateway {
  file: string
  folder: string
  http: number
  grpc: number
}

/** deploy/nginx.conf, elsewhere, for services that listen on these local ports. */
export async function gatewayConfig(ports: Record<string, number>, http: number): Promise<Gateway> {
  const grpc = await freePort()
  const folder = temporaryFolder('deploy-nginx')
  chmodSync(folder, 0o755)
  const text = read('nginx.conf')
    .replace(/server ([a-z-]+:\d+) resolve;/g, (_, name: string) => `server 127.0.0.1:${ports[name] ?? 1};`)
    .replace('listen 8080;', `listen 127.0.0.1:${http};`)
    .replace('listen 50051 http2;', `listen 127.0.0.1:${grpc} http2;`)
    .replaceAll(' /tmp/', ` ${folder}/`)
    // What Node gives a child as its standard output is a socket, and cannot be opened by name.
    .replace('/dev/stdout', join(folder, 'access.log'))
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, text)
  return { file, folder, http, grpc }
}

/** deploy/countersign.yaml with its secrets made, elsewhere. */
export function secretsAndConfig(folder: string): { config: string; secretOf(name: string): string } {
  const secrets = join(folder, 'secrets')
  const made = spawnSync('sh', [join(root, 'deploy/make-secrets.sh'), secrets], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`make-secrets.sh failed:\n${made.stderr}`)
  const config = join(folder, 'countersign.yaml')
  writeFileSync(config, read('countersign.yaml').replaceAll('/run/secrets/', `${secrets}/`))
  return { config, secretOf: (name) => readFileSync(join(secrets, name), 'utf8') }
}

export interface Stack {
  /** Of the gateway. */
  http: string
  grpc: string
  app: string
  environment: Record<Service, Record<string, string>>
  processes: Record<Service | 'gateway', ServerProcess>
  secretOf(name: string): string
  accessLog(): string
  /** Where the servers keep their data. */
  dataFolders: string[]
  stop(): Promise<void>
}

const isReady = async (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )

interface Ports {
  http: number
  grpc: number
  management: number
}

async function startService(service: Service, app: string, ports: Ports, env: Record<string, string>) {
  const folder = temporaryFolder(service)
  const program = join(app, 'entrypoint.sh')
  const ready = () => isReady(ports.management)
  return new ServerProcess({ program, args: [service], port: ports.http, folder, env, ready }).start()
}

/** The image's services on Redis and NATS with the settings of this folder and on PostgreSQL, behind nginx. */
export async function startStack(): Promise<Stack> {
  const folder = temporaryFolder('deploy')
  const [context, app] = [join(folder, 'context'), join(folder, 'app')]
  mkdirSync(context)
  buildImage(context, app)
  const { config, secretOf } = secretsAndConfig(folder)
  const nats = await natsConfig()
  const [redis, natsServer, postgres] = await Promise.all([
    startConfiguredRedis(),
    new ServerProcess({ ...nats, args: ['-c', nats.file] }).start(),
    startPostgres(),
  ])
  const httpPort = await freePort()
  const http = `http://127.0.0.1:${httpPort}`
  const ports: Record<string, number> = {}
  for (const service of services) for (const port of [8080, 50051, 9464]) ports[`${service}:${port}`] = await freePort()
  const shared = {
    COUNTERSIGN_CONFIG: config,
    COUNTERSIGN_ISSUER: http,
    COUNTERSIGN_SERVICES__TOKEN_ISSUER__TARGET: `127.0.0.1:${ports['token-issuer:50051']}`,
    COUNTERSIGN_STORE__URL: `redis://127.0.0.1:${redis.port}`,
    COUNTERSIGN_BUS__URL: `nats://127.0.0.1:${nats.port}`,
    COUNTERSIGN_AUDIT__URL: requirePassword(postgres, secretOf('postgres_password')),
    // Here the gateway is not on a private network, but on this machine.
    COUNTERSIGN_TRUSTED_PROXIES: '[loopback]',
    PATH: [dirname(nodeProgram), process.env.PATH].join(delimiter),
  }
  const environment = {} as Stack['environment']
  const processes = {} as Stack['processes']
  for (const service of services) {
    const [http = 0, grpc = 0, management = 0] = [8080, 50051, 9464].map((port) => ports[`${service}:${port}`])
    const own = { http, grpc, management }
    const listen = Object.entries(own).map(([name, port]) => [
      `COUNTERSIGN_LISTEN__${name.toUpperCase()}`,
      `127.0.0.1:${port}`,
    ])
    environment[service] = { ...shared, ...Object.fromEntries(listen) }
    if (service === 'audit') environment[service].PGPASSWORD_FILE = join(folder, 'secrets/postgres_password')
    processes[service] = await startService(service, app, own, environment[service])
  }
  const gateway = await gatewayConfig(ports, httpPort)
  const args = ['-c', gateway.file, '-g', 'daemon off;']
  const nginx = { program: findProgram('nginx', 'nginx-light'), args, port: gateway.http, folder: gateway.folder }
  processes.gateway = await new ServerProcess(nginx).start()
  return {
    http,
    grpc: `127.0.0.1:${gateway.grpc}`,
    app,
    environment,
    processes,
    secretOf,
    accessLog: () => readFileSync(join(gateway.folder, 'access.log'), 'utf8'),
    dataFolders: [redis.folder, nats.folder, postgres.folder],
    async stop() {
      await processes.gateway.terminate()
      const all = [...Object.values(processes), redis, natsServer, postgres]
      for (const server of all) await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
