export type { CallContext, IntrospectionCalls } from './calls.ts'
export { createIntrospectionService, type IntrospectionService, type IntrospectionServiceOptions } from './service.ts'
