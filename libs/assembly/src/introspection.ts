import { IntrospectionService } from '@countersign/contracts/introspection'
import { rpcService } from '@countersign/rpc'
import { createIntrospectionService } from '@countersign/service-introspection'
import type { Store } from '@countersign/store'
import type { Foundation } from './foundation.ts'
import type { Part } from './part.ts'

/** Introspection: reads the store, and owns nothing. */
export function assembleIntrospection(foundation: Foundation, store: Store): Part {
  const { format, scanning, authentication, now, config } = foundation
  const { routes, calls } = createIntrospectionService({
    reader: store,
    format,
    scanning,
    authentication,
    now,
    issuer: config.issuer,
  })
  return {
    routes,
    routers: [],
    rpc: [rpcService(IntrospectionService, calls)],
    ready: { store: () => store.ping() },
    close: () => Promise.resolve(),
  }
}
