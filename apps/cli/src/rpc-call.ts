import { readFileSync } from 'node:fs'
import { Failure } from '@countersign/contracts'
import { createRpcClient, isLoopback, type ClientTls, type Definition, type RpcCalls } from '@countersign/rpc'
import { readCredentials, type ClientOptions } from './client.ts'
import type { Credentials } from './http-call.ts'
import { limits } from './limits.ts'
import type { Surroundings } from './surroundings.ts'

/** Options of what is asked over gRPC. */
export interface RpcOptions extends ClientOptions {
  readonly grpc?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export interface RpcTarget {
  /** `host:port` */
  readonly target: string
  /** It is known to speak TLS, this machine or not. */
  readonly hasTls: boolean
}

/** Who asks; undefined where the certificate tells. @throws Failure `invalid_request` when id or secret are missing */
export const readCaller = async (options: RpcOptions, surroundings: Surroundings): Promise<Credentials | undefined> =>
  options.cert === undefined ? readCredentials(options, surroundings) : undefined

/**
 * Asks a service over gRPC.
 * @param client who asks; undefined: whose certificate is in the options
 * @throws Failure `invalid_request` for a mistake in the options; whatever the service answers
 */
export async function askService<D extends Definition, Answer>(
  definition: D,
  { target, hasTls }: RpcTarget,
  options: RpcOptions,
  client: Credentials | undefined,
  ask: (calls: RpcCalls<D>) => Promise<Answer>,
): Promise<Answer> {
  const host = /^\[?([^\]]+?)\]?:\d{1,5}$/.exec(target)?.[1]
  if (host === undefined) throw new Failure('invalid_request', '--grpc takes host:port, such as localhost:50051')
  const tls = tlsOf(options, !hasTls && (isLoopback(host) || options.allowPlaintext === true))
  const { calls, close } = createRpcClient(definition, {
    target,
    tls,
    allowPlaintext: options.allowPlaintext === true,
    ...(client && options.cert === undefined && { client }),
    deadlineMs: limits.callMs,
    idempotent: ['introspect', 'listKeys', 'listAccounts', 'getAccount'].filter((name) => name in definition),
  })
  try {
    return await ask(calls)
  } finally {
    close()
  }
}

/** Where the service is: what `--grpc` says, else what the configuration that is named listens on. @throws ConfigError */
export async function findTarget(options: RpcOptions, surroundings: Surroundings): Promise<RpcTarget> {
  if (options.grpc !== undefined) return { target: options.grpc, hasTls: false }
  const isNamed = options.config !== undefined || surroundings.env.COUNTERSIGN_CONFIG !== undefined
  if (!isNamed) return { target: 'localhost:50051', hasTls: false }
  const { readConfig } = await import('./config/read.ts')
  const { listen, grpc } = readConfig(options.config, surroundings).config
  const { host, port } = listen.grpc
  const isEverywhere = host === '0.0.0.0' || host === '::'
  const name = isEverywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return { target: `${name}:${port}`, hasTls: grpc.cert !== undefined }
}

/** TLS, unless plaintext may go there and no certificate is given. */
function tlsOf({ ca, cert, key }: RpcOptions, mayBePlain: boolean): ClientTls | undefined {
  if ((cert === undefined) !== (key === undefined)) throw new Failure('invalid_request', '--cert and --key go together')
  if (mayBePlain && ca === undefined && cert === undefined) return undefined
  return {
    ...(ca !== undefined && { ca: readPem(ca, '--ca') }),
    ...(cert !== undefined && { cert: readPem(cert, '--cert') }),
    ...(key !== undefined && { key: readPem(key, '--key') }),
  }
}

function readPem(path: string, option: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    throw new Failure(
      'invalid_request',
      `${option}: ${path} cannot be read (${(thrown as NodeJS.ErrnoException).code})`,
    )
  }
}
