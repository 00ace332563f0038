import { credentials, type ClientOptions } from '@grpc/grpc-js'
import {
  IntrospectionClient,
  IntrospectionService,
  type IntrospectRequest,
  type IntrospectResponse,
  type WatchResponse,
} from '@countersign/contracts/introspection'
import { Failure } from '@countersign/contracts'
import type { Log } from '../failure-log.ts'
import { createRpcServer, rpcService, type Implementation, type RpcServer, type RpcServerOptions } from '../server.ts'

type Introspection = Implementation<typeof IntrospectionService>

export const question = (token = 'cs_at_x'): IntrospectRequest => ({
  token,
  tokenTypeHint: '',
  minRevision: '',
  staleness: undefined,
})

/** Says the token back as its subject. */
export const verdict = (sub = ''): IntrospectResponse => ({
  active: true,
  scope: '',
  clientId: '',
  username: '',
  tokenType: '',
  exp: 0,
  iat: 0,
  nbf: 0,
  sub,
  aud: [],
  iss: '',
  jti: '',
  revokedBy: undefined,
  roles: [],
  cnf: undefined,
  actors: [],
  attributes: [],
})

const echo: Introspection = {
  introspect: async ({ token }) => verdict(token),
  batchIntrospect: async ({ requests }) => ({ responses: requests.map(({ token }) => verdict(token)) }),
  streamIntrospect: async ({ id, request }) => ({
    id,
    outcome: { $case: 'response', value: verdict(request?.token) },
    outcomes: [],
  }),
  // Answers a probe with as many pushes as its nonce says.
  watch: {
    converse: (peer) => ({
      onRequest({ say }) {
        if (say?.$case !== 'probe') throw new Failure('invalid_request', 'say probe')
        for (let n = 1; n <= say.value.nonce; n++) peer.send(pushed(String(n)))
      },
      onClose: () => undefined,
    }),
  },
}

export const pushed = (revision: string): WatchResponse => ({
  say: { $case: 'push', value: { revision, tip: '', previousTip: '', facts: [] } },
})

export interface LogLine {
  level: 'error' | 'warn'
  fields: Record<string, unknown>
  message: string
}

/** A log that keeps its lines. */
export function keptLog(): Log & { lines: LogLine[] } {
  const lines: LogLine[] = []
  const keep = (level: 'error' | 'warn') => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message })
  return { lines, error: keep('error'), warn: keep('warn') }
}

export interface Served {
  server: RpcServer
  target: string
  port: number
  log: ReturnType<typeof keptLog>
}

/** Serves introspection on loopback: an echo, but for what is given. */
export async function serve(
  implementation: Partial<Introspection> = {},
  options: Partial<RpcServerOptions> & { port?: number } = {},
): Promise<Served> {
  const log = keptLog()
  const service = rpcService(IntrospectionService, { ...echo, ...implementation })
  const server = createRpcServer({ services: [service], log, ...options })
  const { port } = await server.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  return { server, port, target: `127.0.0.1:${port}`, log }
}

/** The library's own client, without anything of ours. */
export const plainClient = (target: string, options: ClientOptions = {}): IntrospectionClient =>
  new IntrospectionClient(target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, ...options })

/** Waits until a condition holds. */
export async function until(holds: () => boolean, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`still not so after ${withinMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
