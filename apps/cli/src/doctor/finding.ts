import type { LoadedConfig } from '@countersign/chassis/config'

export type Level = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string
  readonly level: Level
  /** What was found; never a secret. */
  readonly what: string
  /** How to make it right, or what to know about it. */
  readonly mend?: string
}

/** What a check works with. */
export interface Patient {
  readonly loaded: LoadedConfig
  /** Milliseconds since the Unix epoch, by this machine's clock. */
  readonly now: () => number
  /** Aborts when the check's time is over. */
  readonly signal: AbortSignal
}

export interface Check {
  readonly name: string
  /** What may be thrown is found to be failing, with this advice. */
  readonly mend: string
  run(patient: Patient): Promise<Finding[]>
}

const finding =
  (level: Level) =>
  (check: string, what: string, mend?: string): Finding => ({ check, level, what, ...(mend !== undefined && { mend }) })

export const ok = finding('ok')
export const warn = finding('warn')
export const fail = finding('fail')

/** The sentence of an error, and of the one underneath when it says more. */
export function sentenceOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const { message, cause, errors } = thrown as Error & { errors?: unknown[] }
  // Of several addresses that were tried, each has its own error, and the whole none.
  const own = message === '' && errors?.[0] !== undefined ? sentenceOf(errors[0]) : message || thrown.name
  if (!(cause instanceof Error) || own.includes(cause.message)) return own
  return own === 'fetch failed' ? sentenceOf(cause) : `${own}: ${cause.message}`
}
