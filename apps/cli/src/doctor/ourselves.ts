import { writeHostPort, type ListenAddress } from '@countersign/chassis/config'
import { asFailure } from '@countersign/contracts'
import { AccountsService } from '@countersign/contracts/accounts'
import { AuthorizationService } from '@countersign/contracts/authorization'
import { IntrospectionService } from '@countersign/contracts/introspection'
import { createRpcClient, type Definition, type RpcCalls } from '@countersign/rpc'
import { limits } from '../limits.ts'

/** What our services answer to whoever does not say who they are. */
const signs: Readonly<Record<string, (status: number, body: string) => boolean>> = {
  '/.well-known/oauth-authorization-server': (status, body) => status === 200 && body.includes('/oauth2/token"'),
  '/oauth2/introspect': (status) => status === 405,
  '/audit/v1/events': (status) => status === 401,
  '/login': (status, body) => status === 200 && body.includes('name="csrf"'),
  '/healthz': (status, body) => status === 200 && body === '{"status":"alive"}',
}

/** Whether one of our services answers over HTTP. */
export async function speaksOurHttp(address: ListenAddress, signal: AbortSignal): Promise<boolean> {
  const looks = Object.entries(signs).map(async ([path, isOurs]) => {
    const response = await fetch(`http://${writeHostPort(address)}${path}`, { redirect: 'manual', signal })
    return isOurs(response.status, await response.text())
  })
  return (await Promise.all(looks)).includes(true)
}

/** Whether introspection, the token-issuer or login answers over gRPC: a caller without credentials is told so. */
export async function speaksOurRpc(address: ListenAddress): Promise<boolean> {
  const question = { token: '', tokenTypeHint: '', minRevision: '', staleness: undefined }
  const answers = await Promise.all([
    refuses(address, IntrospectionService, (calls) => calls.introspect(question)),
    refuses(address, AuthorizationService, (calls) => calls.getSession({ session: undefined })),
    refuses(address, AccountsService, (calls) => calls.getAccount({ account: undefined })),
  ])
  return answers.includes(true)
}

async function refuses<D extends Definition>(
  address: ListenAddress,
  definition: D,
  ask: (calls: RpcCalls<D>) => Promise<unknown>,
): Promise<boolean> {
  const { calls, close } = createRpcClient(definition, {
    target: writeHostPort(address),
    allowPlaintext: true,
    deadlineMs: limits.checkMs / 2,
    idempotent: [],
  })
  try {
    await ask(calls)
    return false
  } catch (thrown) {
    return ['invalid_client', 'invalid_request'].includes(asFailure(thrown).code)
  } finally {
    close()
  }
}
