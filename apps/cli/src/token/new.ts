import { Failure } from '@countersign/contracts'
import { findIssuer, readCredentials, urlAt, type ClientOptions } from '../client.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { call } from '../http-call.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'

/** `token new`: standard output has the token and nothing else, so that it can be piped. */
export async function newToken(
  options: ClientOptions & { scope?: string },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const issuer = await findIssuer(options, surroundings)
  const credentials = await readCredentials(options, surroundings)
  const form = { grant_type: 'client_credentials', scope: options.scope }
  const { body } = await call({ url: urlAt(issuer, '/oauth2/token'), credentials, form })
  const answer = (body ?? {}) as { access_token?: unknown; expires_in?: unknown; scope?: unknown }
  if (typeof answer.access_token !== 'string') throw new Failure('internal', `${issuer.origin} answers without a token`)
  const { stdout, stderr } = surroundings
  stdout.write(options.json ? `${printableJson(answer)}\n` : `${printable(answer.access_token)}\n`)
  if (stdout.isTTY && !options.json) {
    const scope = typeof answer.scope === 'string' ? answer.scope : 'none'
    stderr.write(`good for ${Number(answer.expires_in)} s, scope: ${printable(scope)}\n`)
  }
  return exitCodes.ok
}
