import { readFileSync } from 'node:fs'
import { Failure } from '@countersign/contracts'
import { IntrospectionService, type IntrospectResponse } from '@countersign/contracts/introspection'
import { createRpcClient, isLoopback, type ClientTls } from '@countersign/rpc'
import { readCredentials, readToken } from '../client.ts'
import { limits } from '../limits.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Introspection, IntrospectOptions } from './introspect.ts'

/** Asks `countersign.introspection.v1.Introspection`. @throws Failure */
export async function askOverGrpc(
  target: string,
  options: IntrospectOptions,
  surroundings: Surroundings,
): Promise<Introspection> {
  const host = /^\[?([^\]]+?)\]?:\d{1,5}$/.exec(target)?.[1]
  if (host === undefined) throw new Failure('invalid_request', '--grpc takes host:port, such as localhost:50051')
  const token = await readToken(options, surroundings)
  const client = options.cert === undefined ? await readCredentials(options, surroundings) : undefined
  const { calls, close } = createRpcClient(IntrospectionService, {
    target,
    tls: tlsOf(options, isLoopback(host)),
    allowPlaintext: options.allowPlaintext === true,
    ...(client && { client }),
    deadlineMs: limits.callMs,
    idempotent: ['introspect'],
  })
  try {
    return asInHttp(await calls.introspect({ token, tokenTypeHint: '', minRevision: '', staleness: undefined }))
  } finally {
    close()
  }
}

/** TLS, unless it is this machine or plaintext is allowed, and no certificate is given. */
function tlsOf({ ca, cert, key, allowPlaintext }: IntrospectOptions, isHere: boolean): ClientTls | undefined {
  if ((cert === undefined) !== (key === undefined)) throw new Failure('invalid_request', '--cert and --key go together')
  if ((isHere || allowPlaintext) && ca === undefined && cert === undefined) return undefined
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

/** The message as the JSON of RFC 7662. */
function asInHttp(answer: IntrospectResponse): Introspection {
  if (!answer.active) return { active: false }
  const { aud } = answer
  return {
    active: true,
    scope: answer.scope,
    client_id: answer.clientId,
    token_type: answer.tokenType,
    exp: answer.exp,
    iat: answer.iat,
    sub: answer.sub,
    aud: aud.length === 1 ? aud[0] : aud,
    iss: answer.iss,
    jti: answer.jti,
  }
}
