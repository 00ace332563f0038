export { createFailureLog, type FailureLog, type Log } from '@countersign/rpc/failure-log'
export { parseBasic, type BasicCredentials } from './http/basic.ts'
export { parseForm, parseQuery, type Form } from './http/form.ts'
export { inAscii, oauthFailure } from './http/oauth-error.ts'
export { createLook, type Look, type Theme } from './http/look.ts'
export {
  errorPage,
  failurePages,
  formPostPage,
  html,
  pageAnswer,
  pageFailure,
  toldOnPages,
  type FormPostWords,
  type Markup,
  type PageDress,
  type PageOptions,
  type Shown,
} from './http/page.ts'
export { networkOf } from './http/network.ts'
export { problemFailure } from './http/problem.ts'
export type { HttpAnswer, HttpHandler, HttpRequest, Route } from './http/route.ts'
export { createHttpServer, type HttpServer, type HttpServerOptions, type HttpTls } from './http/server.ts'
export { createManagement, type Management, type ManagementOptions, type ReadinessCheck } from './management.ts'
export { createMetrics, type Histogram, type Metrics } from './metrics.ts'
export { createRemoteBreaker, type Breaker, type BreakerState, type Verdict } from './remote/breaker.ts'
export { checkRemoteUrl, remoteUrl, type Reach } from './remote/address.ts'
export { createRemoteKeys, type RemoteKeys, type RemoteKeysOptions, type RemoteKeySource } from './remote/keys.ts'
export { verifyRemoteJwt, type RemoteJwt, type RemoteJwtChecks } from './remote/jwt.ts'
export { fetchJson, remoteRequest, type RemoteAnswer, type RemoteBounds, type RemoteRequest } from './remote/request.ts'
export { rpcClientObserver, rpcServerObserver } from './rpc-metrics.ts'
export { runService, type Running, type ServiceOptions, type ShutdownStep } from './shutdown.ts'
export {
  createLimiters,
  type Limiter,
  type LimiterOptions,
  type LimitersOptions,
  type SharedRedis,
} from './throttle/limiter.ts'
export { createThrottle, type Throttle } from './throttle/throttle.ts'
