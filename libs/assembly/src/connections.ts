import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openBus } from '@countersign/bus/open'
import type { Bus } from '@countersign/bus'
import { Failure } from '@countersign/contracts'
import { isLoopback } from '@countersign/rpc'
import type { Store } from '@countersign/store'
import { openRedisConnection, openStore, type RedisConnection } from '@countersign/store/open'
import type { Foundation } from './foundation.ts'
import { limits } from './limits.ts'

/**
 * Tries until it works, as long as what fails is a dependency that may yet come up.
 * @throws whatever is no `unavailable`, or the reason of the signal
 */
export async function untilAvailable<T>(
  what: string,
  { log }: Foundation,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'unavailable') throw thrown
      if (tries === 0) log.warn({ err: thrown }, `waiting for ${what}`)
      const waitMs = Math.min(limits.firstRetryMs * 2 ** Math.min(tries, 20), limits.lastRetryMs)
      await sleep(waitMs, undefined, { signal })
    }
  }
}

const pem = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : readFileSync(file, 'utf8')

interface TlsFiles {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** What the files of a `tls` section hold. */
export const pemsOf = (tls: TlsFiles | undefined) => tls && { ca: pem(tls.ca), cert: pem(tls.cert), key: pem(tls.key) }

/** The same as bytes, for gRPC. */
export function clientPemsOf(tls: TlsFiles) {
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file))
  const [ca, cert, key] = [read(tls.ca), read(tls.cert), read(tls.key)]
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

/** Whether a URL leads to this machine: then others on it may be asked things, too. */
export const isLoopbackUrl = (url: string): boolean => {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
}

/** Where replicas share what they count; undefined where the store is no Redis. */
export function connectCounts({ config, log }: Foundation): Promise<RedisConnection | undefined> {
  const { url, tls, commandTimeoutMs } = config.store
  return openRedisConnection({
    url,
    commandTimeoutMs,
    ...(tls && { tls: pemsOf(tls)! }),
    onState: (state, detail) => log[state === 'up' ? 'info' : 'warn']({ detail }, `throttle store is ${state}`),
  })
}

export function connectStore(foundation: Foundation): Promise<Store> {
  const { config, log } = foundation
  const { url, waitReplicas, allowUnsafe, commandTimeoutMs, tls } = config.store
  return openStore({
    url,
    waitReplicas,
    allowUnsafe,
    commandTimeoutMs,
    ...(tls && { tls: pemsOf(tls)! }),
    onState: (state, detail) => log[state === 'up' ? 'info' : 'warn']({ detail }, `store is ${state}`),
  })
}

export function connectBus(foundation: Foundation, name: string): Promise<Bus> {
  const { config, log } = foundation
  const { url, replicas, maxAgeMs, credentials, tls } = config.bus
  return openBus({
    url,
    name: `countersign-${name}`,
    replicas,
    maxAgeMs,
    log,
    ...(credentials && { credentials: { creds: credentials.reveal() } }),
    ...(tls && { tls: { caFile: tls.ca, certFile: tls.cert, keyFile: tls.key } }),
    onState: (state) => log[state === 'up' ? 'info' : 'warn'](`bus is ${state}`),
  })
}
