import type { Route } from '@countersign/chassis'
import type { ClientAuthentication } from '@countersign/tokens'
import { introspectionCalls, type IntrospectionCalls } from './calls.ts'
import { createIntrospectionEngine, type IntrospectionEngineOptions } from './engine.ts'
import { introspectionEndpoint } from './http.ts'

export interface IntrospectionServiceOptions extends IntrospectionEngineOptions {
  issuer: string
  authentication: ClientAuthentication
}

/** One engine, and its doors: HTTP routes, and the calls that gRPC carries. */
export interface IntrospectionService {
  routes: Route[]
  calls: IntrospectionCalls
}

export function createIntrospectionService(options: IntrospectionServiceOptions): IntrospectionService {
  const { authentication, issuer } = options
  const engine = createIntrospectionEngine(options)
  return {
    routes: [introspectionEndpoint(engine, authentication, issuer)],
    calls: introspectionCalls(engine, authentication, issuer),
  }
}
