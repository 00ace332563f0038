import type { Suite } from '../suite.ts'
import { cacheMemory } from './cache-memory.ts'
import { codeFlow } from './code-flow.ts'
import { introspectBatch, introspectGrpc, introspectStream } from './introspect-grpc.ts'
import { introspectHttp } from './introspect-http.ts'
import { issue } from './issue.ts'
import { memoryPerToken } from './memory-per-token.ts'
import { refresh } from './refresh.ts'
import { revocationLag } from './revocation-lag.ts'
import { revoke } from './revoke.ts'
import { sdkCached, sdkUncached } from './sdk.ts'
import { signIn } from './sign-in.ts'

/** In the order they run. */
export const suites: readonly Suite[] = [
  introspectGrpc,
  introspectBatch,
  introspectStream,
  introspectHttp,
  sdkCached,
  sdkUncached,
  revocationLag,
  cacheMemory,
  issue,
  revoke,
  codeFlow,
  refresh,
  signIn,
  memoryPerToken,
]
