import type { Bus } from '@countersign/bus'
import { createLimiters, type ShutdownStep } from '@countersign/chassis'
import { openJournal } from '@countersign/service-audit/open'
import type { Store } from '@countersign/store'
import { assembleAudit } from './audit.ts'
import { connectBus, connectCounts, connectStore, pemsOf, untilAvailable } from './connections.ts'
import type { Foundation } from './foundation.ts'
import { assembleIntrospection } from './introspection.ts'
import { assembleLogin } from './login.ts'
import type { Part } from './part.ts'
import { assembleTokenIssuer, type TokenIssuerPart } from './token-issuer.ts'

export type ServiceName = 'login' | 'token-issuer' | 'introspection' | 'audit'

export interface Assembled {
  parts: Part[]
  /** Closes what the parts stand on, once they are closed. */
  steps: ShutdownStep[]
}

/** Connects what these services need, once each, and puts them together. Waits for dependencies that are down. */
export async function assemble(
  services: readonly ServiceName[],
  foundation: Foundation,
  signal: AbortSignal,
): Promise<Assembled> {
  const { config } = foundation
  const wants = (...names: ServiceName[]) => names.some((name) => services.includes(name))
  const steps: ShutdownStep[] = []
  const parts: Part[] = []
  const wait = <T>(what: string, attempt: () => Promise<T>) => untilAvailable(what, foundation, signal, attempt)

  let bus: Bus | undefined
  let store: Store | undefined
  if (wants('token-issuer', 'introspection', 'audit')) {
    bus = await connectBus(foundation, services.length > 1 ? 'all' : services[0]!)
    steps.push({ name: 'bus', close: () => bus!.close() })
  }
  if (wants('login', 'token-issuer', 'introspection')) {
    store = await wait('the store', () => connectStore(foundation))
    steps.push({ name: 'store', close: () => store!.close() })
  }
  if (wants('audit')) {
    const { url } = config.audit
    const { allowPlaintext } = config
    const tls = pemsOf(config.audit.tls)
    const journal = await wait('the journal', () => openJournal({ url, allowPlaintext, tls }))
    steps.push({ name: 'journal', close: () => journal.close() })
    parts.push(await wait('the journal', () => assembleAudit(foundation, journal, bus!)))
  }
  const limiter = await limiters(foundation, wants('login', 'token-issuer', 'introspection'), steps, wait)
  let issuer: TokenIssuerPart | undefined
  if (wants('token-issuer')) {
    issuer = await wait('the store', () => assembleTokenIssuer(foundation, store!, bus!, limiter))
    parts.push(issuer)
  }
  if (wants('login')) parts.push(assembleLogin(foundation, issuer?.store ?? store!, limiter, issuer?.authorization))
  if (wants('introspection')) parts.push(assembleIntrospection(foundation, store!, bus!, limiter))
  return { parts, steps }
}

/** Counts, shared by replicas where the store is Redis. */
async function limiters(
  foundation: Foundation,
  isWanted: boolean,
  steps: ShutdownStep[],
  wait: <T>(what: string, attempt: () => Promise<T>) => Promise<T>,
) {
  const redis = isWanted ? await wait('the store', () => connectCounts(foundation)) : undefined
  if (redis) steps.push({ name: 'throttle', close: () => redis.close() })
  return createLimiters({
    redis,
    onState: (state, detail) => foundation.log[state === 'up' ? 'info' : 'warn']({ detail }, `throttling is ${state}`),
  })
}
