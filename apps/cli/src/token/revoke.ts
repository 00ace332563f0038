import { findIssuer, readCredentials, readToken, urlAt, type ClientOptions } from '../client.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { call, type Credentials } from '../http-call.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'
import { describedEnforcement, waitForEnforcement, type Enforcement } from './enforcement.ts'

/**
 * `token revoke` (RFC 7009). It is done once this returns; the revision is the receipt. With `--wait` no cache answers
 * from before it any more, either.
 */
export async function revokeToken(
  options: ClientOptions & { tokenFile?: string; wait?: true },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const issuer = await findIssuer(options, surroundings)
  const token = await readToken(options, surroundings)
  const credentials = await readCredentials(options, surroundings)
  const { headers } = await call({ url: urlAt(issuer, '/oauth2/revoke'), credentials, form: { token } })
  const revision = headers.get('countersign-revision')
  const { stdout } = surroundings
  if (revision === null) {
    stdout.write(
      options.json ? `${printableJson({ revision })}\n` : 'nothing to revoke: unknown, expired, or of another client\n',
    )
    return exitCodes.ok
  }
  if (!options.json) stdout.write(`revoked, revision ${printable(revision)}\n`)
  const enforcement = options.wait && (await waited(issuer, credentials, revision, surroundings))
  if (options.json) stdout.write(`${printableJson({ revision, ...(enforcement && { enforcement }) })}\n`)
  else if (enforcement) stdout.write(`${describedEnforcement(enforcement)}\n`)
  return exitCodes.ok
}

function waited(
  issuer: URL,
  credentials: Credentials,
  revision: string,
  { stderr }: Surroundings,
): Promise<Enforcement> {
  const isTerminal = (stderr as { isTTY?: boolean }).isTTY === true
  return waitForEnforcement(issuer, credentials, revision, ({ caches, applied }) => {
    if (isTerminal) stderr.write(`\r${applied} of ${caches} caches\u001b[K\r`)
  })
}
