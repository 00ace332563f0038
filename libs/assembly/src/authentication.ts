import { createRemoteKeys, type Limiter, type LimiterOptions, type RemoteKeys } from '@countersign/chassis'
import type { Store } from '@countersign/store'
import {
  createClientAuthentication,
  createClientKeys,
  createReplayGuard,
  type Client,
  type ClientAuthentication,
} from '@countersign/tokens'
import { isLoopbackUrl } from './connections.ts'
import type { Foundation } from './foundation.ts'

const minuteMs = 60_000

/** Whom we may ask: others on this machine only where we serve nobody else. */
export const reachOf = ({ config }: Foundation) => ({ allowLoopback: isLoopbackUrl(config.issuer) })

/** Keys that others publish, by the address rules. */
export const remoteKeysOf = (foundation: Foundation): RemoteKeys =>
  createRemoteKeys({ now: foundation.now, ...reachOf(foundation) })

/** Client authentication in full: with assertions, which are good once wherever the store is shared, and certificates of one's own. */
export function authenticationOver(
  foundation: Foundation,
  store: Pick<Store, 'commit'>,
  remoteKeys: RemoteKeys,
  limiter: (options: LimiterOptions) => Limiter,
  find?: (id: string) => Client | undefined | Promise<Client | undefined>,
): ClientAuthentication {
  const { clients, secrets, config, now, commitId } = foundation
  const { issuer } = config
  const replay = createReplayGuard({ store, partitions: config.store.partitions, commitId, now })
  const keysOf = createClientKeys((url) => remoteKeys.keysFor(url))
  const audiences = [`${issuer}/oauth2/token`]
  const assertions = { keysOf, replay, issuer, audiences, now }
  const points = config.throttle.failedAuthenticationsPerMinute
  const throttle = limiter({ name: 'authentications', points, durationMs: minuteMs })
  return createClientAuthentication(clients, secrets, throttle, { find, assertions })
}
