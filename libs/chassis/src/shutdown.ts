import { setTimeout as sleep } from 'node:timers/promises'
import { shutdownStepMs } from './limits.ts'

/** One thing to close. */
export interface ShutdownStep {
  name: string
  /** Gets its bound in milliseconds; when that is over the next step begins regardless. */
  close(withinMs: number): Promise<unknown>
  withinMs?: number
}

export interface Running {
  /** First of all: says that no new work is wanted. */
  drain?(): void
  /** Between saying so and closing: time for load balancers to notice. */
  drainMs?: number
  /** Closed one after the other: first what takes work in, last what it stands on. */
  steps: readonly ShutdownStep[]
  /** SIGHUP. What it rejects with is logged, and the service goes on as it was. */
  reload?(): Promise<void>
}

/** What is asked of a logger; pino's fits. */
export interface ServiceLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  fatal(fields: object, message: string): void
  flush?(): void
}

export interface ServiceOptions {
  name: string
  log: ServiceLog
  /** Its signal aborts when shutting down begins: long-lived streams end then. */
  start(signal: AbortSignal): Promise<Running>
}

const signals = ['SIGTERM', 'SIGINT'] as const
const signalExitCodes = { SIGTERM: 143, SIGINT: 130 } as const
type Exit = (code: number) => never

async function closeStep({ name, close, withinMs = shutdownStepMs }: ShutdownStep, log: ServiceLog): Promise<boolean> {
  const late = sleep(withinMs, 'late' as const, { ref: false })
  try {
    const outcome = await Promise.race([close(withinMs).then(() => 'closed' as const), late])
    if (outcome === 'closed') return true
    log.error({ step: name, withinMs }, 'a step of shutting down took too long')
  } catch (thrown) {
    log.error({ step: name, err: thrown }, 'a step of shutting down failed')
  }
  return false
}

/** True when every step ended in time and without error. */
async function shutDown({ drain, drainMs = 0, steps }: Running, log: ServiceLog): Promise<boolean> {
  drain?.()
  await sleep(drainMs)
  let isClean = true
  for (const step of steps) isClean = (await closeStep(step, log)) && isClean
  return isClean
}

function watchProcess({ name, log }: ServiceOptions, exit: Exit, onStop: () => void): void {
  let isStopping = false
  for (const signal of signals) {
    process.on(signal, () => {
      if (isStopping) exit(signalExitCodes[signal])
      isStopping = true
      log.info({ signal }, `${name} is shutting down`)
      onStop()
    })
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (thrown: unknown) => {
      log.fatal({ err: thrown, event }, `${name} met an error that nothing handled`)
      exit(1)
    })
  }
}

/**
 * Runs a service until SIGTERM or SIGINT, then closes it in order and ends the process: with 0, or with 1 when it could
 * not start, a step failed or took too long, or an error was handled by nobody. A second signal ends it at once.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { name, log, start } = options
  const exit: Exit = (code) => {
    log.flush?.()
    process.exit(code)
  }
  const stopping = new AbortController()
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()))
  watchProcess(options, exit, () => stopping.abort())
  let running: Running | undefined
  process.on('SIGHUP', () => {
    running?.reload?.().catch((thrown: unknown) => log.error({ err: thrown }, `${name} keeps its old configuration`))
  })
  try {
    running = await start(stopping.signal)
  } catch (thrown) {
    log.fatal({ err: thrown }, `${name} could not start`)
    return exit(1)
  }
  await stopped
  const isClean = await shutDown(running, log)
  log.info({ isClean }, `${name} has shut down`)
  exit(isClean ? 0 : 1)
}
