import { Failure } from '@countersign/contracts'
import { findIssuer, readCredentials, readToken, urlAt } from '../client.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { call, type Credentials } from '../http-call.ts'
import type { RpcOptions } from '../rpc-call.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'
import { describedEnforcement, waitForEnforcement, type Enforcement } from './enforcement.ts'

export interface RevokeOptions extends RpcOptions {
  readonly tokenFile?: string
  readonly wait?: true
  readonly grant?: string
  readonly session?: string
  readonly subject?: string
  readonly client?: string
  readonly disable?: true
}

/** What an operator may name instead of a token. */
const named = ['grant', 'session', 'subject', 'client'] as const

/**
 * `token revoke`: a client's own token (RFC 7009), or as an operator anything. It is done once this returns; the revision
 * is the receipt. With `--wait` no cache answers from before it any more, either.
 */
export async function revokeToken(options: RevokeOptions, surroundings: Surroundings): Promise<ExitCode> {
  const isOperator = checkOptions(options)
  const issuer = !isOperator || options.wait ? await findIssuer(options, surroundings) : undefined
  if (isOperator) {
    const { revokeAsOperator } = await import('./operator.ts')
    const { revision, credentials } = await revokeAsOperator(options, surroundings)
    const nothing = 'nothing to revoke: unknown, or over before\n'
    return receipt({ revision, nothing, issuer, credentials }, options, surroundings)
  }
  const token = await readToken(options, surroundings)
  const credentials = await readCredentials(options, surroundings)
  const { headers } = await call({ url: urlAt(issuer!, '/oauth2/revoke'), credentials, form: { token } })
  const nothing = 'nothing to revoke: unknown, expired, or of another client\n'
  return receipt({ revision: headers.get('countersign-revision'), nothing, issuer, credentials }, options, surroundings)
}

/** @returns whether an operator asks @throws Failure `invalid_request` for options that do not go together */
function checkOptions(options: RevokeOptions): boolean {
  const given = named.filter((name) => options[name] !== undefined)
  if (given.length > 1) throw new Failure('invalid_request', `give one of --${given.join(' and --')}`)
  if (options.disable && options.subject === undefined && options.client === undefined) {
    throw new Failure('invalid_request', '--disable goes with --subject or --client')
  }
  if (given.length > 0 && options.tokenFile !== undefined) {
    throw new Failure('invalid_request', `give a token or --${given[0]}, not both`)
  }
  const isOperator = given.length > 0 || options.grpc !== undefined
  const stray = (['ca', 'cert', 'key'] as const).find((name) => options[name] !== undefined)
  if (stray !== undefined && !isOperator) throw new Failure('invalid_request', `--${stray} goes with --grpc`)
  return isOperator
}

interface Revoked {
  /** One, or several with spaces between them; null: there was nothing to revoke. */
  readonly revision: string | null
  readonly nothing: string
  /** For whoever waits. */
  readonly issuer: URL | undefined
  readonly credentials: Credentials | undefined
}

async function receipt(
  { revision, nothing, issuer, credentials }: Revoked,
  { json, wait }: RevokeOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { stdout } = surroundings
  if (revision === null) {
    stdout.write(json ? `${printableJson({ revision })}\n` : nothing)
    return exitCodes.ok
  }
  if (!json) stdout.write(`revoked, revision ${printable(revision)}\n`)
  const enforcement = wait && (await waited(issuer!, credentials!, revision.split(' '), surroundings))
  if (json) stdout.write(`${printableJson({ revision, ...(enforcement && { enforcement }) })}\n`)
  else if (enforcement) stdout.write(`${describedEnforcement(enforcement)}\n`)
  return exitCodes.ok
}

export function waited(
  issuer: URL,
  credentials: Credentials,
  revisions: readonly string[],
  { stderr }: Surroundings,
): Promise<Enforcement> {
  const isTerminal = (stderr as { isTTY?: boolean }).isTTY === true
  return waitForEnforcement(issuer, credentials, revisions, ({ caches, applied }) => {
    if (isTerminal) stderr.write(`\r${applied} of ${caches} caches\u001b[K\r`)
  })
}
