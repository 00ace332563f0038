export type { Beginning, Ending, UpstreamPerson } from './flow.ts'
export type { LineStats } from './line.ts'
export type { UpstreamKind, UpstreamProvider } from './provider.ts'
export { createUpstreams, type Upstreams, type UpstreamsOptions } from './upstreams.ts'
