import { AdministrationService, type RevokeRequest } from '@countersign/contracts/administration'
import { readCredentials, readToken } from '../client.ts'
import type { Credentials } from '../http-call.ts'
import { askService, findTarget, readCaller } from '../rpc-call.ts'
import type { Surroundings } from '../surroundings.ts'
import type { RevokeOptions } from './revoke.ts'

/**
 * Asks `countersign.administration.v1.Administration` to revoke.
 * @returns the revisions, with spaces between them (null when there was nothing to revoke), and who asked
 * @throws Failure
 */
export async function revokeAsOperator(
  options: RevokeOptions,
  surroundings: Surroundings,
): Promise<{ revision: string | null; credentials: Credentials | undefined }> {
  const target = await findTarget(options, surroundings)
  const what = named(options) ?? { $case: 'token' as const, value: await readToken(options, surroundings) }
  const request: RevokeRequest = { what, disable: options.disable === true }
  // To wait for the caches is to ask over HTTP, where the certificate does not tell who asks.
  const credentials = options.wait
    ? await readCredentials(options, surroundings)
    : await readCaller(options, surroundings)
  const { revision } = await askService(AdministrationService, target, options, credentials, (calls) =>
    calls.revoke(request),
  )
  return { revision: revision === '' ? null : revision, credentials }
}

function named({ grant, session, subject, client }: RevokeOptions): RevokeRequest['what'] {
  if (grant !== undefined) return { $case: 'grantId', value: grant }
  if (session !== undefined) return { $case: 'sessionId', value: session }
  if (subject !== undefined) return { $case: 'subject', value: subject }
  return client === undefined ? undefined : { $case: 'clientId', value: client }
}
