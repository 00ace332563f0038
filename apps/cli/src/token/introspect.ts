import { styleText } from 'node:util'
import { Failure } from '@countersign/contracts'
import { findIssuer, readCredentials, readToken, urlAt } from '../client.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { call } from '../http-call.ts'
import type { RpcOptions } from '../rpc-call.ts'
import type { Surroundings } from '../surroundings.ts'
import { aligned, printable, printableJson } from '../text.ts'

export interface IntrospectOptions extends RpcOptions {
  readonly tokenFile?: string
}

/** RFC 7662 section 2.2. */
export interface Introspection {
  readonly active: boolean
  readonly [claim: string]: unknown
}

/** `token introspect`: the same answer from either door. */
export async function introspectToken(options: IntrospectOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { grpc, json } = options
  const answer =
    grpc === undefined ? await overHttp(options, surroundings) : await overGrpc(grpc, options, surroundings)
  const { stdout } = surroundings
  if (json) stdout.write(`${printableJson(answer)}\n`)
  else if (answer.active) stdout.write(described(answer))
  else stdout.write(`${styleText('red', 'not active', { stream: stdout })}\n`)
  return answer.active ? exitCodes.ok : exitCodes.inactive
}

async function overHttp(options: IntrospectOptions, surroundings: Surroundings): Promise<Introspection> {
  const stray = (['ca', 'cert', 'key'] as const).find((name) => options[name] !== undefined)
  if (stray !== undefined) throw new Failure('invalid_request', `--${stray} goes with --grpc`)
  const issuer = await findIssuer(options, surroundings)
  const token = await readToken(options, surroundings)
  const credentials = await readCredentials(options, surroundings)
  const { body } = await call({ url: urlAt(issuer, '/oauth2/introspect'), credentials, form: { token } })
  const { active } = (body ?? {}) as { active?: unknown }
  if (typeof active !== 'boolean') throw new Failure('internal', `${issuer.origin} answers with no introspection`)
  return body as Introspection
}

async function overGrpc(
  target: string,
  options: IntrospectOptions,
  surroundings: Surroundings,
): Promise<Introspection> {
  const { askOverGrpc } = await import('./grpc.ts')
  return askOverGrpc(target, options, surroundings)
}

const rows = { sub: 'subject', client_id: 'client', scope: 'scope', aud: 'audience', iss: 'issuer', jti: 'id' } as const

function described(answer: Introspection): string {
  const texts = Object.entries(rows).map(
    ([claim, name]) => [name, printable([answer[claim] ?? ''].flat().join(' '))] as const,
  )
  const times = [
    ['issued', instant(answer.iat)],
    ['expires', instant(answer.exp)],
  ] as const
  return aligned([['active', 'yes'] as const, ...texts, ...times].filter(([, value]) => value !== ''))
}

const instant = (seconds: unknown): string => {
  const time = new Date(Number(seconds) * 1_000)
  return Number.isNaN(time.getTime()) ? '' : time.toISOString().replace('.000Z', 'Z')
}
