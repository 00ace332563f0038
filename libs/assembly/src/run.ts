import { readFileSync } from 'node:fs'
import {
  createHttpServer,
  createManagement,
  rpcServerObserver,
  runService,
  type HttpServer,
  type Running,
  type ShutdownStep,
} from '@countersign/chassis'
import { ConfigError, loadConfig, writeHostPort, type Config, type LoadedConfig } from '@countersign/chassis/config'
import { createLogger, type Logger } from '@countersign/chassis/log'
import { Failure } from '@countersign/contracts'
import { createRpcServer, type RpcServer } from '@countersign/rpc'
import { assemble, type ServiceName } from './assemble.ts'
import { demoTranscript } from './demo.ts'
import { layFoundation, type Foundation } from './foundation.ts'
import { limits } from './limits.ts'
import type { Part } from './part.ts'

export interface ProcessOptions {
  name: string
  services: readonly ServiceName[]
  /** Absent: COUNTERSIGN_CONFIG, or the defaults. */
  configFile: string | undefined
}

/** Exit code for a mistake in the configuration. */
const misconfigured = 2

/** Runs services in this process until it is told to stop. A mistake in the configuration ends it with 2, before anything starts. */
export async function runProcess({ name, services, configFile }: ProcessOptions): Promise<void> {
  const load = () => loadConfig({ file: configFile, env: process.env, cwd: process.cwd() })
  let loaded: LoadedConfig
  try {
    loaded = load()
    refuseHalves(loaded.config, services)
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    process.stderr.write(`${thrown.message}\n`)
    process.exit(misconfigured)
  }
  const log = createLogger({ name, level: loaded.config.log.level })
  for (const warning of loaded.warnings) log.warn(warning)
  await runService({
    name,
    log,
    start: (signal) => start({ name, services, config: loaded.config, load, log, signal }),
  })
}

const isWhole = (services: readonly ServiceName[]): boolean => services.length > 1

/** Services in processes of their own must meet somewhere. */
function refuseHalves({ store, bus }: Config, services: readonly ServiceName[]): void {
  if (isWhole(services)) return
  const problems = []
  const where = 'configuration'
  if (store.url.startsWith('sqlite:')) {
    problems.push({
      where,
      key: 'store.url',
      message: 'sqlite is for the single process; separate services need redis://…',
    })
  }
  if (bus.url === 'in-process') {
    problems.push({
      where,
      key: 'bus.url',
      message: 'in-process is for the single process; separate services need nats://…',
    })
  }
  if (problems.length > 0) throw new ConfigError(problems)
}

interface Start {
  name: string
  services: readonly ServiceName[]
  config: Config
  load: () => LoadedConfig
  log: Logger
  signal: AbortSignal
}

async function start({ name, services, config, load, log, signal }: Start): Promise<Running> {
  const foundation = layFoundation(config, log, name, isWhole(services))
  const checks: Record<string, () => Promise<void>> = {
    start: () => Promise.reject(new Failure('unavailable', 'still starting')),
  }
  const management = createManagement({ metrics: foundation.metrics, checks, log })
  await listen(management, 'management', config)
  const { parts, steps: connections } = await assemble(services, foundation, signal)
  const http = serveHttp(parts, foundation, name)
  const rpc = serveRpc(parts, foundation)
  const httpAt = await listen(http, 'http', config)
  const grpcAt = rpc && (await listen(rpc, 'grpc', config))
  delete checks['start']
  for (const part of parts) Object.assign(checks, part.ready)
  const listening = { http: writeHostPort(httpAt), ...(grpcAt && { grpc: writeHostPort(grpcAt) }) }
  log.info({ ...listening, management: writeHostPort(config.listen.management) }, `${name} is ready`)
  if (config.demo) process.stdout.write(banner(foundation, listening))

  const { graceMs } = limits
  const close = (part: Part): ShutdownStep => ({ name: 'service', close: () => part.close() })
  return {
    drain() {
      management.drain()
      rpc?.setServing(false)
    },
    steps: [
      { name: 'streams', close: () => Promise.all(parts.map((part) => part.drain?.())) },
      {
        name: 'listeners',
        withinMs: graceMs + 1_000,
        close: () => Promise.all([http.close(graceMs), rpc?.close(graceMs)]),
      },
      ...parts.toReversed().map(close),
      ...connections,
      { name: 'management', close: () => management.close(1_000) },
    ],
    async reload() {
      const { config: changed, warnings } = load()
      for (const warning of warnings) log.warn(warning)
      const restart = foundation.reload(changed)
      if (restart.length > 0) log.warn({ keys: restart }, 'these keys changed and need a restart')
      for (const part of parts) await part.reload?.()
      log.info('the configuration is reloaded')
    },
  }
}

/** @throws Error that says which key to change */
async function listen(server: Pick<HttpServer, 'listen'>, key: keyof Config['listen'], { listen }: Config) {
  const address = listen[key]
  try {
    return await server.listen(address)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'another process listens there' : (code ?? 'it cannot be had')
    const variable = `COUNTERSIGN_LISTEN__${key.toUpperCase()}`
    throw new Error(`listen.${key}: ${writeHostPort(address)}: ${why}; choose another address (or ${variable})`, {
      cause: thrown,
    })
  }
}

const pem = (file: string): Buffer => readFileSync(file)

function serveHttp(parts: readonly Part[], { config, log, metrics }: Foundation, name: string): HttpServer {
  const { cert, key, clientCa, selfSignedClients } = config.http
  return createHttpServer({
    name,
    routes: parts.flatMap(({ routes }) => routes),
    express: parts.flatMap(({ routers }) => routers),
    log,
    metrics,
    trustedProxies: config.trustedProxies,
    ...(cert !== undefined &&
      key !== undefined && {
        tls: {
          cert: pem(cert),
          key: pem(key),
          ...(clientCa !== undefined && { clientCa: pem(clientCa) }),
          ...(selfSignedClients && { selfSignedClients }),
        },
      }),
  })
}

function serveRpc(parts: readonly Part[], { config, log, metrics }: Foundation): RpcServer | undefined {
  const services = parts.flatMap(({ rpc }) => rpc)
  if (services.length === 0) return undefined
  const { cert, key, clientCa } = config.grpc
  return createRpcServer({
    services,
    log,
    allowPlaintext: config.allowPlaintext,
    onCall: rpcServerObserver(metrics),
    descriptorSet: readFileSync(new URL(import.meta.resolve('@countersign/contracts/descriptor'))),
    ...(cert !== undefined &&
      key !== undefined && {
        tls: { cert: pem(cert), key: pem(key), ...(clientCa !== undefined && { clientCa: pem(clientCa) }) },
      }),
  })
}

function banner({ config, masterKey }: Foundation, { grpc }: { http: string; grpc?: string }): string {
  const management = writeHostPort(config.listen.management)
  return `
Countersign is ready at ${config.issuer} (gRPC ${grpc}, metrics http://${management}/metrics).
${demoTranscript(config.issuer, masterKey)}`
}
