import type { Reply, Visitor } from '@countersign/servers'

/** What a client or a browser is told, without the words: `400 invalid_request`, `redirect with invalid_scope`, `page 400`. */
export type Outcome = string

/** Of an endpoint that clients call: the status, and the error in the body or in the challenge. */
export function replied({ status, headers, text }: Reply): Outcome {
  const body = jsonIn(text)
  const told = body?.['error'] ?? /\berror="([^"]+)"/.exec(String(headers['www-authenticate'] ?? ''))?.[1]
  if (typeof told === 'string') return `${status} ${told}`
  if (typeof body?.['active'] === 'boolean') return `${status} ${body['active'] ? 'active' : 'inactive'}`
  return String(status)
}

function jsonIn(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Of an endpoint that browsers go to: where that led. */
export function led(visitor: Visitor, origin: string): Outcome {
  const { url, reply } = visitor
  if (!url.startsWith(`${origin}/`)) return `redirect with ${answerOf(new URL(url))}`
  const [form] = visitor.forms()
  if (form && /^https?:/.test(form.action) && !form.action.startsWith(`${origin}/`)) {
    return `form_post with ${answerIn(new URLSearchParams(form.fields))}`
  }
  return reply.status === 200 && form && 'password' in form.fields ? 'sign-in' : `page ${reply.status}`
}

/** A client of codes looks at the query alone (RFC 6749 section 4.1.2.1). */
const answerOf = ({ searchParams, hash }: URL): string =>
  hash === '' ? answerIn(searchParams) : `${answerIn(new URLSearchParams(hash.slice(1)))} in the fragment`

const answerIn = (answer: URLSearchParams): string => answer.get('error') ?? (answer.has('code') ? 'a code' : 'nothing')
