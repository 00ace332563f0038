import {
  Client,
  credentials,
  logVerbosity,
  Metadata,
  setLogVerbosity,
  status,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientOptions,
  type MethodDefinition,
} from '@grpc/grpc-js'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure, type FailureCode, type Millis } from '@countersign/contracts'
import { createBreaker, type Breaker, type BreakerState, type Verdict } from './breaker.ts'
import { breakerLimits, clientLimits, retryLimits, type BreakerLimits, type RetryLimits } from './limits.ts'
import { backoffMs, RetryBudget } from './retry.ts'
import type { Definition } from './server.ts'
import { failureOf } from './status.ts'
import { hostsOf, isLoopback } from './target.ts'

/** PEM texts. Without `ca`: the system's authorities. With `cert` and `key`: mutual TLS. */
export interface ClientTls {
  ca?: Buffer
  cert?: Buffer
  key?: Buffer
  /** The name that the server's certificate must have, when it is not the target's. */
  serverName?: string
}

export interface CallOptions {
  /** When the caller's own caller stops waiting; the call ends at the earlier of this and the client's deadline. */
  deadline?: Millis
  metadata?: Readonly<Record<string, string>>
  signal?: AbortSignal
}

type UnaryMethod<Request, Response> = (request: Request, options?: CallOptions) => Promise<Response>
type StreamMethod<Request, Response> = (options?: CallOptions) => ClientDuplexStream<Request, Response>
/** A unary method gives a promise; a bidirectional one opens a stream, whose errors {@link failureOf} explains. */
export type RpcCalls<D extends Definition> = {
  readonly [Name in keyof D]: D[Name] extends {
    requestStream: infer Streams
    requestDeserialize(bytes: Buffer): infer Request
    responseDeserialize(bytes: Buffer): infer Response
  }
    ? Streams extends true
      ? StreamMethod<Request, Response>
      : UnaryMethod<Request, Response>
    : never
}

export interface RpcClientOptions<D extends Definition> {
  /** `host:port` or `dns:///host:port`; each address behind the name gets its share of the calls. */
  target: string
  /** Absent: plaintext. */
  tls?: ClientTls | undefined
  /** Lets plaintext go to other hosts than this one. */
  allowPlaintext?: boolean
  /** Sent with every call as `authorization: Basic …`, RFC 6749 section 2.3.1. */
  client?: { id: string; secret: string }
  /** Longest time for one call, its repetitions included. */
  deadlineMs: number
  /** Methods that do no harm when done twice; only these are repeated. */
  idempotent: readonly (keyof D & string)[]
  retry?: Partial<RetryLimits>
  breaker?: Partial<BreakerLimits>
  onCall?: (path: string, outcome: FailureCode | 'ok', durationMs: number, attempts: number) => void
  onBreaker?: (state: BreakerState) => void
  random?: () => number
  nowMs?: () => number
}

export interface RpcClient<D extends Definition> {
  readonly calls: RpcCalls<D>
  breakerState(): BreakerState
  close(): void
}

const formEncode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

/** The `authorization` of RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. */
export const basicAuthorization = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')}`

const channelOptions = (tls: ClientTls | undefined): ClientOptions => ({
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  // Configuration comes from our file, never from a name server.
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.max_receive_message_length': clientLimits.maxMessageBytes,
  'grpc.keepalive_time_ms': clientLimits.keepaliveMs,
  'grpc.keepalive_timeout_ms': clientLimits.keepaliveTimeoutMs,
  'grpc.initial_reconnect_backoff_ms': clientLimits.reconnectMs,
  'grpc.max_reconnect_backoff_ms': clientLimits.maxReconnectMs,
  'grpc.dns_min_time_between_resolutions_ms': clientLimits.dnsIntervalMs,
  'grpc.enable_channelz': 0,
  // Repeating is up to us: within a budget, and only what may be repeated.
  'grpc.enable_retries': 0,
  // A connection of its own: calls that go on for ever must not keep those of others from beginning.
  'grpc.use_local_subchannel_pool': 1,
  ...(tls?.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': tls.serverName }),
})

function channelCredentials(options: Pick<RpcClientOptions<Definition>, 'target' | 'tls' | 'allowPlaintext'>) {
  const { target, tls, allowPlaintext } = options
  if (tls) return credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null)
  const far = hostsOf(target).filter((host) => !isLoopback(host))
  if (far.length > 0 && !allowPlaintext) {
    throw new Error(`gRPC to ${far.join(', ')} needs TLS: plaintext leaves this machine only with allow_plaintext`)
  }
  return credentials.createInsecure() as ChannelCredentials
}

/** What one client's calls share. */
interface Line {
  client: Client
  isClosed: boolean
  breaker: Breaker
  budget: RetryBudget
  retry: RetryLimits
  deadlineMs: number
  random: () => number
  onCall: RpcClientOptions<Definition>['onCall']
  metadataFor(options: CallOptions): Metadata
}

function once<Request, Response>(
  line: Line,
  method: MethodDefinition<Request, Response>,
  request: Request,
  options: CallOptions,
  deadline: Millis,
): Promise<Verdict<Response>> {
  return new Promise((resolve) => {
    const { path, requestSerialize, responseDeserialize } = method
    const onAbort = () => call.cancel()
    const call = line.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      line.metadataFor(options),
      { deadline },
      (error, response) => {
        options.signal?.removeEventListener('abort', onAbort)
        if (!error) return resolve({ value: response! })
        const failure = failureOf(error)
        const isHurried = error.code === status.DEADLINE_EXCEEDED && options.deadline !== undefined
        const isFault = failure.code === 'unavailable' || (failure.code === 'deadline_exceeded' && !isHurried)
        resolve({ failure, isFault: isFault && !options.signal?.aborted })
      },
    )
    options.signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function mayRepeat(line: Line, failure: Failure, attempt: number): boolean {
  if (failure.code !== 'unavailable' || failure.retryAfterSeconds !== undefined) return false
  return attempt < line.retry.maxAttempts && line.budget.spend()
}

/** A channel that was shut down throws an error of its own at the next call. */
function refuseWhenClosed(line: Line): void {
  if (line.isClosed) throw new Failure('unavailable', 'this client was closed')
}

async function call<Request, Response>(
  line: Line,
  method: MethodDefinition<Request, Response>,
  isIdempotent: boolean,
  request: Request,
  options: CallOptions,
): Promise<Response> {
  const startedMs = performance.now()
  const deadline = Math.min(Date.now() + line.deadlineMs, options.deadline ?? Infinity)
  line.budget.earn()
  for (let attempt = 1; ; attempt++) {
    if (options.signal?.aborted) throw new Failure('deadline_exceeded', 'the caller has gone')
    refuseWhenClosed(line)
    const verdict = await line.breaker.execute(() => once(line, method, request, options, deadline))
    const outcome = 'value' in verdict ? 'ok' : verdict.failure.code
    if ('failure' in verdict && isIdempotent && !options.signal?.aborted) {
      const waitMs = backoffMs(attempt, line.retry, line.random)
      if (Date.now() + waitMs < deadline && mayRepeat(line, verdict.failure, attempt)) {
        await sleep(waitMs)
        continue
      }
    }
    line.onCall?.(method.path, outcome, performance.now() - startedMs, attempt)
    if ('failure' in verdict) throw verdict.failure
    return verdict.value
  }
}

function openStream(line: Line, method: MethodDefinition<unknown, unknown>, options: CallOptions) {
  refuseWhenClosed(line)
  if (line.breaker.isRefusing()) throw new Failure('unavailable', 'the service does not answer at present')
  const { path, requestSerialize, responseDeserialize } = method
  const settings = options.deadline === undefined ? {} : { deadline: options.deadline }
  const metadata = line.metadataFor(options)
  const stream = line.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, settings)
  options.signal?.addEventListener('abort', () => stream.cancel(), { once: true })
  return stream
}

/**
 * A client for one service at one dependency: deadlines passed on, repetitions within a budget, one circuit breaker.
 * @throws Error when plaintext would leave this machine
 */
export function createRpcClient<D extends Definition>(definition: D, options: RpcClientOptions<D>): RpcClient<D> {
  setLogVerbosity(logVerbosity.NONE)
  const authorization = options.client && basicAuthorization(options.client.id, options.client.secret)
  const nowMs = options.nowMs ?? (() => performance.now())
  const retry = { ...retryLimits, ...options.retry }
  const client = new Client(options.target, channelCredentials(options), channelOptions(options.tls))
  const line: Line = {
    client,
    isClosed: false,
    breaker: createBreaker({ ...breakerLimits, ...options.breaker }, nowMs, options.onBreaker ?? (() => undefined)),
    budget: new RetryBudget(retry),
    retry,
    deadlineMs: options.deadlineMs,
    random: options.random ?? Math.random,
    onCall: options.onCall,
    metadataFor(call) {
      const metadata = new Metadata()
      if (authorization !== undefined) metadata.set('authorization', authorization)
      for (const [key, value] of Object.entries(call.metadata ?? {})) metadata.set(key, value)
      return metadata
    },
  }
  const calls = Object.entries(definition).map(([name, method]) => {
    const isIdempotent = options.idempotent.includes(name)
    if (method.requestStream)
      return [name, (streamOptions: CallOptions = {}) => openStream(line, method, streamOptions)]
    return [
      name,
      (request: unknown, callOptions: CallOptions = {}) => call(line, method, isIdempotent, request, callOptions),
    ]
  })
  return {
    calls: Object.fromEntries(calls) as RpcCalls<D>,
    breakerState: line.breaker.state,
    close() {
      line.isClosed = true
      client.close()
    },
  }
}
