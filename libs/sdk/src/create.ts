import { hostname } from 'node:os'
import { systemClock } from '@countersign/leased-cache'
import { connectUpstream } from './grpc.ts'
import { limits } from './limits.ts'
import { anonymous } from './token.ts'
import type { Log, Tls, Verifier, VerifierOptions } from './types.ts'
import { LeasedVerifier, metricsOf } from './verifier.ts'

const processLog: Log = {
  info: () => undefined,
  warn: (message) => process.emitWarning(message, { type: 'CountersignWarning' }),
}

/**
 * Answers whether tokens are good, from memory where that is proven fresh.
 * @throws Error when the options are not right, saying what to change
 */
export function createVerifier(options: VerifierOptions = {}): Verifier {
  const { target, credentials, tls } = options
  const { maxStalenessMs = limits.maxStalenessMs, deadlineMs = limits.deadlineMs } = options
  const { cacheEntries = limits.cacheEntries } = options
  const log = options.log ?? processLog
  const mistake = mistakeIn({ ...options, maxStalenessMs, deadlineMs, cacheEntries })
  if (mistake !== undefined) throw new Error(mistake)
  if (target === undefined) return authenticationOff(log)
  const upstream = connectUpstream({
    target,
    client: credentials && { id: credentials.clientId, secret: credentials.clientSecret },
    tls: tls && pems(tls),
    allowPlaintext: options.allowPlaintext ?? false,
    deadlineMs,
  })
  return new LeasedVerifier({
    upstream,
    clock: systemClock(),
    random: Math.random,
    maxStalenessMs,
    cacheEntries,
    deadlineMs,
    name: options.name ?? `${hostname()}:${process.pid}`,
    log,
  })
}

type Checked = Pick<VerifierOptions, Connecting | 'target'> &
  Required<Pick<VerifierOptions, 'maxStalenessMs' | 'deadlineMs' | 'cacheEntries'>>

/** What only matters where there is somebody to ask. */
const connecting = ['credentials', 'tls', 'allowPlaintext'] as const
type Connecting = (typeof connecting)[number]

const isEmpty = (given: string | Uint8Array | null | undefined): boolean =>
  Buffer.from(given ?? '')
    .toString()
    .trim() === ''

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

function mistakeIn(options: Checked): string | undefined {
  const { target, credentials, tls, maxStalenessMs, deadlineMs, cacheEntries } = options
  const { leastMs, mostMs } = limits.staleness
  // As an environment variable that is set to nothing: whoever named it does not want authentication to be off.
  if (target !== undefined && isEmpty(target))
    return 'target is empty: give the host:port of Countersign’s gRPC, or leave it out'
  if (maxStalenessMs !== 0 && !isWhole(maxStalenessMs, leastMs, mostMs))
    return `maxStalenessMs must be 0, or a whole number from ${leastMs} to ${mostMs}`
  if (!isWhole(deadlineMs, 1, limits.longestDeadlineMs))
    return `deadlineMs must be a whole number from 1 to ${limits.longestDeadlineMs}`
  if (!isWhole(cacheEntries, 0, limits.mostCacheEntries))
    return `cacheEntries must be a whole number from 0 to ${limits.mostCacheEntries}`
  if (credentials && (isEmpty(credentials.clientId) || isEmpty(credentials.clientSecret)))
    return 'credentials.clientId and credentials.clientSecret are both needed'
  const emptyPem = (['ca', 'cert', 'key'] as const).find((name) => tls?.[name] !== undefined && isEmpty(tls[name]))
  if (emptyPem) return `tls.${emptyPem} is empty`
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) return 'tls.cert and tls.key are needed together'
  const given = connecting.find((name) => options[name] !== undefined)
  if (target === undefined && given)
    return `target is missing: who gives ${given} does not want authentication to be off`
  const isIdentified = credentials !== undefined || tls?.cert !== undefined
  if (target !== undefined && !isIdentified)
    return 'credentials are needed, or a client certificate: tls.cert and tls.key'
  return undefined
}

const buffer = (text: string | Uint8Array | undefined): Buffer | undefined =>
  text === undefined ? undefined : Buffer.from(text)

function pems({ ca, cert, key, serverName }: Tls) {
  const [authority, certificate, privateKey] = [buffer(ca), buffer(cert), buffer(key)]
  return {
    ...(authority && { ca: authority }),
    ...(certificate && { cert: certificate }),
    ...(privateKey && { key: privateKey }),
    ...(serverName !== undefined && { serverName }),
  }
}

/** Nobody is asked, and everybody is let through. Said at the start and at the first request, and counted. */
function authenticationOff(log: Log): Verifier {
  log.warn('AUTHENTICATION IS OFF: no target is configured, every request is let through as anonymous')
  const verification = { ok: true, token: anonymous } as const
  let count = 0
  const stats = () => ({ ...nothing, anonymous: count })
  return {
    async verify() {
      if (++count === 1) log.warn('AUTHENTICATION IS OFF: requests are being let through as anonymous')
      return verification
    },
    stats,
    metrics: () => metricsOf(stats()),
    close: () => undefined,
  }
}

const nothing = {
  hits: 0,
  misses: 0,
  lapsed: 0,
  entries: 0,
  negativeEntries: 0,
  bytes: 0,
  evicted: 0,
  facts: 0,
  flushes: 0,
  rollbacks: 0,
  questions: 0,
  messages: 0,
  failures: 0,
  probes: 0,
  proofs: 0,
  isWatching: false,
}
