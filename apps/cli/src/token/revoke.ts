import { findIssuer, readCredentials, readToken, urlAt, type ClientOptions } from '../client.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { call } from '../http-call.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'

/** `token revoke` (RFC 7009). It is done once this returns; the revision is the receipt. */
export async function revokeToken(
  options: ClientOptions & { tokenFile?: string },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const issuer = await findIssuer(options, surroundings)
  const token = await readToken(options, surroundings)
  const credentials = await readCredentials(options, surroundings)
  const { headers } = await call({ url: urlAt(issuer, '/oauth2/revoke'), credentials, form: { token } })
  const revision = headers.get('countersign-revision')
  const { stdout } = surroundings
  if (options.json) stdout.write(`${printableJson({ revision })}\n`)
  else if (revision !== null) stdout.write(`revoked, revision ${printable(revision)}\n`)
  else stdout.write('nothing to revoke: unknown, expired, or of another client\n')
  return exitCodes.ok
}
