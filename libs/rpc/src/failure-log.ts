import type { Failure } from '@countersign/contracts'
import { maxLogLinesPerSecond } from './limits.ts'

/** What is asked of a logger; pino's fits. */
export interface Log {
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export type FailureLog = (failure: Failure, fields: Record<string, unknown>) => void

/**
 * Writes down the failures that an operator must see: `internal` as an error with its cause, `unavailable` as a
 * warning. At most a few lines a second of each; the next line says how many were left out.
 */
export function createFailureLog(log: Log, nowMs: () => number = () => performance.now()): FailureLog {
  const kinds = { internal: { second: 0, lines: 0, omitted: 0 }, unavailable: { second: 0, lines: 0, omitted: 0 } }
  return (failure, fields) => {
    if (failure.code !== 'internal' && failure.code !== 'unavailable') return
    const kind = kinds[failure.code]
    const second = Math.floor(nowMs() / 1_000)
    if (second !== kind.second) Object.assign(kind, { second, lines: 0 })
    if (++kind.lines > maxLogLinesPerSecond) {
      kind.omitted++
      return
    }
    const omitted = kind.omitted === 0 ? undefined : kind.omitted
    kind.omitted = 0
    const line = { ...fields, code: failure.code, err: failure.cause ?? failure, omitted }
    if (failure.code === 'internal') log.error(line, failure.message)
    else log.warn(line, failure.message)
  }
}
