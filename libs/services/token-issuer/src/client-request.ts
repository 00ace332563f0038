import { parseBasic, parseForm, type HttpRequest } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { authenticateClient, type Client, type ClientAuthentication } from '@countersign/tokens'

export interface ClientRequestOptions {
  authentication: ClientAuthentication
}

/**
 * What a client posts, and which client it is.
 * @param repeatable parameters that may be there more than once
 * @throws Failure `invalid_request`, `invalid_client`, `too_many_requests`, `unavailable`
 */
export async function readClientRequest(
  request: HttpRequest,
  { authentication }: ClientRequestOptions,
  repeatable: readonly string[] = [],
): Promise<{ form: ReadonlyMap<string, string>; client: Client }> {
  const { headers, query, body, address, path } = request
  if (query !== '') throw new Failure('invalid_request', 'send parameters in the body, not in the URL')
  const form = parseForm(body, headers['content-type'], repeatable)
  const { authorization } = headers
  const presented = { authorization, parseBasic, form, address, path, peer: request }
  const client = authenticateClient(authentication, presented, true)
  return { form, client: client instanceof Promise ? await client : client }
}
