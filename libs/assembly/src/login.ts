import { rpcClientObserver, type Limiter, type LimiterOptions } from '@countersign/chassis'
import { AuthorizationService } from '@countersign/contracts/authorization'
import { createRpcClient } from '@countersign/rpc'
import type { AuthorizationCalls } from '@countersign/contracts'
import { createLoginService } from '@countersign/service-login'
import type { Store } from '@countersign/store'
import { clientPemsOf } from './connections.ts'
import type { Foundation } from './foundation.ts'
import { keyFor, loginCredentials, setupTokenFrom } from './keys.ts'
import { limits } from './limits.ts'
import type { Part } from './part.ts'

const minuteMs = 60_000

/** Whether people sign in here with accounts of ours. */
const hasLocalAccounts = ({ config }: Foundation): boolean =>
  config.demo || config.providers.some(({ kind }) => kind === 'local')

/** Sign-in. @param here token-issuer in this process; absent: it is reached over gRPC */
export function assembleLogin(
  foundation: Foundation,
  store: Store,
  limiter: (options: LimiterOptions) => Limiter,
  here: AuthorizationCalls | undefined,
): Part {
  const { config, masterKey } = foundation
  const client = here ? undefined : tokenIssuerClient(foundation)
  const { failedSignInsPerMinute, wrongUserCodesPerMinute } = config.throttle
  const service = createLoginService({
    ...foundation,
    store,
    authorization: here ?? client!.calls,
    partitions: config.store.partitions,
    issuer: config.issuer,
    session: config.session,
    csrfKey: keyFor(masterKey, 'csrf v1'),
    setupToken: hasLocalAccounts(foundation) ? setupTokenFrom(masterKey) : undefined,
    throttle: {
      signIns: limiter({ name: 'sign-ins', points: failedSignInsPerMinute, durationMs: minuteMs }),
      userCodes: limiter({ name: 'user-codes', points: wrongUserCodesPerMinute, durationMs: minuteMs }),
    },
  })
  return {
    routes: [],
    routers: service.routers,
    rpc: [],
    ready: { store: () => store.ping() },
    close: async () => client?.close(),
  }
}

function tokenIssuerClient({ config, masterKey, metrics }: Foundation) {
  const { target, tls } = config.services.tokenIssuer
  return createRpcClient(AuthorizationService, {
    target,
    allowPlaintext: config.allowPlaintext,
    ...(tls && { tls: clientPemsOf(tls) }),
    client: loginCredentials(masterKey),
    deadlineMs: limits.tokenIssuerMs,
    idempotent: ['getSession', 'endSession', 'signOutEverywhere'],
    onCall: rpcClientObserver(metrics),
  })
}
