import { failureCodes } from '@countersign/contracts'
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'
import { limits } from './config/limits.ts'

export type { Logger }

/** Levels that can be logged at, most detailed first. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LoggerOptions {
  /** Which service speaks. */
  readonly name: string
  /** May be changed later by setting the logger's `level`; children without a level of their own follow. */
  readonly level: LogLevel
  /** Takes one line at a time; standard output when absent. */
  readonly destination?: DestinationStream
}

/**
 * A logger of JSON lines. Whatever is logged, be it in a message, an object, an error or a child's bindings, leaves without
 * credentials, because every line passes {@link scrubLine} last.
 */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: {},
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: describeError },
    formatters: { level: (label: string) => ({ level: label }), log: describeErrors },
    hooks: { streamWrite: scrubLine },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

const redacted = '[redacted]'
const prose = '(?!(?:auth|authentication|authorization|tokens?|scheme|credentials|challenge|realm)\\b)'

const patterns: readonly (readonly [RegExp, string])[] = [
  [/cs_(at|rt|ac|dc|pat|reg)_[0-9A-Za-z]+/g, `cs_$1_${redacted}`],
  [new RegExp(`\\b(Bearer|DPoP)\\s+${prose}[\\w.~+/=-]+`, 'gi'), `$1 ${redacted}`],
  [new RegExp(`\\b(Basic)\\s+${prose}[\\w.~+/=-]+`, 'g'), `$1 ${redacted}`],
  [/\b(basic)\s+(?=[\w+/-]*[A-Z\d=])[\w+/=-]+/g, `$1 ${redacted}`],
  // In a service's URL everything up to the last @: passwords there are often not percent-encoded.
  [/\b((?:rediss?|redis\+\w+|nats|tls|postgres|postgresql):\/\/)[^\s"']{1,512}@/g, '$1***@'],
  [/\b([a-z][a-z0-9+.-]{0,19}:\/\/)[^\s/?#"']{1,512}@/gi, '$1***@'],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{2,}\.[\w-]*/g, `eyJ${redacted}`],
  [/([?&]code=)[^&\s"']+/g, `$1${redacted}`],
  [/\b(\w*(?:token|secret|password|assertion|code_verifier)=)[^&\s"']+/gi, `$1${redacted}`],
]

/** What every pattern needs, so that most texts are passed over. */
const marked = /cs_|basic\s|bearer\s|dpop\s|:\/\/|eyJ|=/i

/** The text without what looks like a credential: our tokens, JWTs, Basic and Bearer values, what URLs and forms carry. */
export function scrub(text: string): string {
  if (!marked.test(text)) return text
  let clean = text
  for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement)
  return clean
}

/** Keys whose values are credentials or may hold some, in lower case and without - and _. `args`: those of a Redis command. */
const secretKey =
  /^(?:.*(?:authorization|cookie|secret|password|passphrase|token|assertion|credentials|apikey|privatekey|masterkey)|code|codeverifier|devicecode|usercode|dpop|rawheaders|args)$/

// Most lines have nothing to hide, and this says so in one pass.
const suspicious =
  /cs_[a-z]+_|basic\s|bearer\s|dpop|:\/\/|eyJ|authorization|cookie|secret|password|passphrase|token|assertion|credentials|api.?key|(?:private|master).?key|code|raw.?headers|args/i

/** A line of JSON without credentials, under whatever key and however deep. */
export function scrubLine(line: string): string {
  if (!suspicious.test(line)) return line
  const entry = JSON.parse(line) as Entry
  scrubEntry(entry)
  return `${JSON.stringify(entry)}\n`
}

type Entry = Record<string, unknown>

function scrubEntry(entry: Entry): void {
  for (const [key, value] of Object.entries(entry)) {
    if (value === null || typeof value === 'boolean') continue
    if (isSecret(key, value, entry)) entry[key] = redacted
    else if (typeof value === 'object') scrubEntry(value as Entry)
    else if (typeof value === 'string') entry[key] = scrub(cut(value))
  }
}

function isSecret(key: string, value: unknown, within: Entry): boolean {
  if (!secretKey.test(key.toLowerCase().replace(/[-_]/g, ''))) return false
  // An authorization code is a secret, the code of an error is what one looks for in a log.
  return key !== 'code' || !(typeof value === 'number' || 'stack' in within || errorCodes.has(String(value)))
}

const errorCodes: ReadonlySet<string> = new Set(failureCodes)

const cut = (text: string): string => {
  const { textCharacters } = limits.log
  return text.length > textCharacters
    ? `${text.slice(0, textCharacters)}… (${text.length - textCharacters} more)`
    : text
}

const harmless = ['code', 'syscall', 'address', 'port', 'retryAfterSeconds'] as const

/** An error and its causes. Of its other properties only harmless ones: libraries hang requests and commands on them. */
function describeError(thrown: unknown, depth = 0): unknown {
  if (!(thrown instanceof Error)) return thrown
  const description: Entry = { type: thrown.name, message: thrown.message }
  for (const key of harmless) if (key in thrown) description[key] = (thrown as unknown as Entry)[key]
  description.stack = thrown.stack
  if (depth === limits.log.causes) return description
  if (thrown.cause instanceof Error) description.cause = describeError(thrown.cause, depth + 1)
  else if (thrown.cause !== undefined)
    description.cause = typeof thrown.cause === 'string' ? thrown.cause : typeof thrown.cause
  if (thrown instanceof AggregateError) {
    description.errors = thrown.errors.slice(0, limits.log.causes).map((error) => describeError(error, depth + 1))
  }
  return description
}

/** The entry with every error in it described, also within maps and lists. */
const describeErrors = (entry: Entry): Entry => describeWithin(entry, 0) as Entry

function describeWithin(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return describeError(value)
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
  if (!isPlain || depth === limits.log.depth) return value
  let copy: Entry | undefined
  for (const [key, child] of Object.entries(value)) {
    const described = describeWithin(child, depth + 1)
    if (described === child) continue
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Entry
    copy[key] = described
  }
  return copy ?? value
}
