import type { RemoteAnswer } from '@countersign/chassis'
import type { Failure } from '@countersign/contracts'
import { declined, refused, silent } from './trouble.ts'

export type Members = Readonly<Record<string, unknown>>

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Undefined unless it is JSON. The parser's complaint is dropped: it quotes what it read. */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const unusable = (name: string, why: string): Failure => silent(name, new Error(why))

/** Of the answers that refuse, 408 and 429 speak of the server; others may be about what one browser brought. */
const isRefusal = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429

/** @throws Failure `unavailable` unless it is an object */
export function objectOf(value: unknown, name: string): Members {
  if (isObject(value)) return value
  throw unusable(name, 'an answer is no JSON object')
}

/** @throws Failure `unavailable` unless the answer is 200 and JSON; a redirect is not followed */
export function readJson(answer: RemoteAnswer, name: string): unknown {
  const { status, retryAfterSeconds } = answer
  if (status !== 200) {
    const why = `an answer has status ${status}`
    throw isRefusal(status) ? declined(name, why, retryAfterSeconds) : silent(name, new Error(why), retryAfterSeconds)
  }
  const value = parsed(answer.body)
  if (value === undefined) throw unusable(name, 'an answer is not JSON')
  return value
}

/** RFC 6749 section 5, and the form that GitHub's older servers answer with whatever they are asked to. */
function membersOf({ body, contentType }: RemoteAnswer): Members | undefined {
  const value = /^application\/x-www-form-urlencoded\b/i.test(contentType)
    ? Object.fromEntries(new URLSearchParams(body.toString()))
    : parsed(body)
  return isObject(value) ? value : undefined
}

/**
 * The answer to a code: tokens, or an error with its status, which some servers leave at 200.
 * @throws Failure `unavailable` for whatever is neither, `invalid_request` where the code is refused without saying why
 */
export function readTokenAnswer(answer: RemoteAnswer, name: string): { status: number; document: Members } {
  const { status, retryAfterSeconds } = answer
  const document = membersOf(answer)
  const isOurs = isRefusal(status)
  if ((status === 200 || isOurs) && typeof document?.error === 'string' && document.error !== '') {
    return { status: isOurs ? status : 400, document }
  }
  if (status === 400) throw refused(name, 'the token endpoint answered 400 without an error')
  // A code is of the browser's making: with enough of them one browser could close the provider to everybody.
  const why = `the token endpoint answered ${status}`
  if (status >= 500 || status === 408) throw silent(name, new Error(why), retryAfterSeconds)
  if (status !== 200) throw declined(name, why, retryAfterSeconds)
  if (typeof document?.access_token === 'string' && document.access_token !== '') return { status, document }
  throw declined(name, 'the token endpoint answered without a token')
}
