import { parseBasic, parseForm, type HttpRequest } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { authenticateClient, type Client, type ClientAuthentication } from '@countersign/tokens'

/**
 * What a client posts, and which client it is.
 * @throws Failure `invalid_request`, `invalid_client`, `too_many_requests`
 */
export async function readClientRequest(
  request: HttpRequest,
  authentication: ClientAuthentication,
): Promise<{ form: ReadonlyMap<string, string>; client: Client }> {
  const { headers, query, body, address } = request
  if (query !== '') throw new Failure('invalid_request', 'send parameters in the body, not in the URL')
  const form = parseForm(body, headers['content-type'])
  const { authorization } = headers
  const client = authenticateClient(authentication, { authorization, parseBasic, form, address }, true)
  return { form, client: client instanceof Promise ? await client : client }
}
