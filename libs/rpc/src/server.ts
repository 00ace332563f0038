import { logVerbosity, Server, ServerCredentials, setLogVerbosity, type MethodDefinition } from '@grpc/grpc-js'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { asFailure, Failure } from '@countersign/contracts'
import { conversing, type Conversation } from './conversation.ts'
import { createAdmission } from './admission.ts'
import type { Connection } from './context.ts'
import { TlsServerCredentials, type ServerTls } from './credentials.ts'
import { createFailureLog, type Log } from './failure-log.ts'
import { serverLimits, type ServerLimits } from './limits.ts'
import { pipelined, type Drainable } from './pipeline.ts'
import { addHealth, addReflection } from './side-services.ts'
import { isLoopback } from './target.ts'
import { unary, type Answer, type CallObserver, type Desk } from './unary.ts'

/** As ts-proto writes it for grpc-js. A method is invariant in its messages, so `unknown` would fit none. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Definition = Readonly<Record<string, MethodDefinition<any, any>>>
type RequestOf<Method> = Method extends { requestDeserialize(bytes: Buffer): infer Request } ? Request : never
type ResponseOf<Method> = Method extends { responseDeserialize(bytes: Buffer): infer Response } ? Response : never
type Streaming<Method> = Method extends { requestStream: true } ? true : false
/** Answers each request by itself, in a unary call or in a bidirectional stream; or converses. */
export type Implementation<D extends Definition> = {
  readonly [Name in keyof D]:
    | Answer<RequestOf<D[Name]>, ResponseOf<D[Name]>>
    | (Streaming<D[Name]> extends true ? Conversation<RequestOf<D[Name]>, ResponseOf<D[Name]>> : never)
}
export interface RpcService {
  definition: Definition
  implementation: Readonly<Record<string, Answer<never, unknown> | Conversation<never, unknown>>>
}
export const rpcService = <D extends Definition>(definition: D, implementation: Implementation<D>): RpcService => ({
  definition,
  implementation,
})

export interface RpcServerOptions {
  services: RpcService[]
  /** Absent: plaintext. */
  tls?: ServerTls | undefined
  /** Lets a plaintext server listen on other addresses than loopback. */
  allowPlaintext?: boolean
  log: Log
  onCall?: CallObserver
  /** An encoded FileDescriptorSet; with it the server answers reflection. */
  descriptorSet?: Uint8Array
  limits?: Partial<ServerLimits>
}

export interface RpcServer {
  /** Serves, and says so in its health. @throws Error when the address cannot be had */
  listen(address: { host: string; port: number }): Promise<{ host: string; port: number }>
  /** What the health service says. */
  setServing(isServing: boolean): void
  /** For connections made from now on. */
  replaceTls(tls: ServerTls): void
  openCalls(): number
  /** Accepts nothing new, lets calls finish, and after the grace cuts off the rest. */
  close(graceMs: number): Promise<void>
}

const serviceName = (definition: Definition): string => Object.values(definition)[0]!.path.split('/')[1]!

function addService(
  server: Server,
  { definition, implementation }: RpcService,
  desk: Desk,
  { streamWindowRequests: window, streamUnsentMessages }: ServerLimits,
  open: Set<Drainable>,
) {
  const handlers = Object.entries(definition).map(([name, method]) => {
    const given = implementation[name]!
    if (method.requestStream !== method.responseStream) throw new Error(`${method.path} streams one way only`)
    if (typeof given === 'object') return [name, conversing(method.path, given, desk, streamUnsentMessages, open)]
    const answer = given.bind(implementation)
    const handler = method.requestStream
      ? pipelined(method.path, answer, desk, window, open)
      : unary(method.path, answer, desk)
    return [name, handler]
  })
  server.addService(definition, Object.fromEntries(handlers))
}

const grpcOptions = (limits: ServerLimits) => ({
  'grpc.max_receive_message_length': limits.maxMessageBytes,
  'grpc.max_concurrent_streams': limits.maxConcurrentStreams,
  'grpc-node.max_session_memory': limits.sessionMemoryMegabytes,
  'grpc.keepalive_time_ms': limits.keepaliveMs,
  'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
  'grpc.max_connection_idle_ms': limits.idleConnectionMs,
  'grpc.max_connection_age_ms': limits.connectionAgeMs,
  'grpc.enable_channelz': 0,
})

export function createRpcServer(options: RpcServerOptions): RpcServer {
  // The library would print header values that it cannot take; one may be a credential.
  setLogVerbosity(logVerbosity.NONE)
  const limits = { ...serverLimits, ...options.limits }
  const credentials = options.tls ? new TlsServerCredentials(options.tls) : ServerCredentials.createInsecure()
  const connections = new Map<string, Connection>()
  const open = new Set<Drainable>()
  const admission = createAdmission(limits)
  const server = new Server({ ...grpcOptions(limits), interceptors: [admission.interceptor] })
  const logFailure = createFailureLog(options.log)
  const desk = { connections: options.tls ? connections : undefined, observe: options.onCall, logFailure }
  for (const service of options.services) addService(server, service, desk, limits, open)
  const names = options.services.map(({ definition }) => serviceName(definition))
  const setServing = addHealth(server, names, open)
  if (options.descriptorSet) addReflection(server, options.descriptorSet, names, open)

  const injector = server.createConnectionInjector(credentials)
  const sockets = new Set<Socket>()
  const listener = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    const connection: Connection = {}
    connections.set(peer, connection)
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      if (connections.get(peer) === connection) connections.delete(peer)
    })
    socket.on('error', () => socket.destroy())
    injector.injectConnection(socket)
  })
  listener.maxConnections = limits.maxConnections
  listener.on('drop', () => logFailure(new Failure('unavailable', 'a connection was refused: there are too many'), {}))

  return {
    async listen({ host, port }) {
      if (!options.tls && !options.allowPlaintext && !isLoopback(host)) {
        throw new Error(
          `gRPC on ${host} needs TLS: other addresses than loopback are plaintext only with allow_plaintext`,
        )
      }
      listener.listen(port, host)
      await once(listener, 'listening')
      listener.on('error', (error) => logFailure(asFailure(error), {}))
      setServing(true)
      const bound = listener.address()
      if (bound === null || typeof bound === 'string') throw new Error('not a TCP address')
      return { host: bound.address, port: bound.port }
    },
    setServing,
    replaceTls(tls) {
      if (!(credentials instanceof TlsServerCredentials)) throw new Error('the server was started without TLS')
      credentials.replace(tls)
    },
    openCalls: admission.openCalls,
    async close(graceMs) {
      setServing(false)
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      for (const call of open) call.drain()
      const forced = setTimeout(() => {
        server.forceShutdown()
        for (const socket of sockets) socket.destroy()
      }, graceMs)
      await Promise.all([closed, new Promise<void>((resolve) => server.tryShutdown(() => resolve()))])
      clearTimeout(forced)
    },
  }
}
