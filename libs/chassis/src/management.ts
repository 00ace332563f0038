import { asFailure, Failure } from '@countersign/contracts'
import type { Log } from '@countersign/rpc/failure-log'
import { problemFailure } from './http/problem.ts'
import type { HttpAnswer, Route } from './http/route.ts'
import { createHttpServer, type HttpServer } from './http/server.ts'
import { readinessMs } from './limits.ts'
import type { Metrics } from './metrics.ts'

/** Resolves when what it names is usable; rejects with why it is not. */
export type ReadinessCheck = () => Promise<void>

export interface ManagementOptions {
  metrics: Metrics
  checks: Readonly<Record<string, ReadinessCheck>>
  log: Log
  /** How long one check may take. */
  checkMs?: number
}

export interface Management extends HttpServer {
  /** From now on /readyz says that no new work is wanted. */
  drain(): void
}

const json = (status: number, body: object): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
})

const within = (check: ReadinessCheck, checkMs: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure('deadline_exceeded', `no answer within ${checkMs} ms`)), checkMs)
  })
  return Promise.race([check(), late]).finally(() => clearTimeout(timer))
}

/** Names the failing checks, each with its reason. */
async function failing(checks: ManagementOptions['checks'], checkMs: number): Promise<Record<string, string>> {
  const outcomes = await Promise.all(
    Object.entries(checks).map(([name, check]) =>
      within(async () => check(), checkMs).then(
        () => [],
        (thrown) => [[name, asFailure(thrown).message] as const],
      ),
    ),
  )
  return Object.fromEntries(outcomes.flat())
}

/** The management listener: /metrics (Prometheus), /healthz (the process lives), /readyz (it can do its work). */
export function createManagement({ metrics, checks, log, checkMs = readinessMs }: ManagementOptions): Management {
  let isDraining = false
  let running: Promise<Record<string, string>> | undefined
  // Everybody who asks while the checks run gets the answer of that run.
  const failures = () => (running ??= failing(checks, checkMs).finally(() => (running = undefined)))

  const route = (path: string, GET: () => HttpAnswer | Promise<HttpAnswer>): Route => ({
    path,
    methods: { GET },
    onFailure: problemFailure,
  })
  const routes = [
    route('/metrics', async () => ({
      status: 200,
      headers: { 'content-type': metrics.contentType },
      body: await metrics.text(),
    })),
    route('/healthz', () => json(200, { status: 'alive' })),
    route('/readyz', async () => {
      if (isDraining) return json(503, { status: 'shutting down' })
      const found = await failures()
      return Object.keys(found).length === 0
        ? json(200, { status: 'ready' })
        : json(503, { status: 'not ready', failing: found })
    }),
  ]
  const server = createHttpServer({ name: 'management', routes, log, metrics, trustedProxies: [] })
  return { ...server, drain: () => void (isDraining = true) }
}
