import { formPostPage, inAscii, type HttpAnswer } from '@countersign/chassis'
import type { Answer } from '@countersign/contracts/authorization'
import type { AuthorizationRecord } from '@countersign/contracts/records'

/** Where an answer to an authorization request goes, and how. */
export interface Destination {
  readonly redirectUri: string
  readonly responseMode: string
  readonly state: string
}

/** An answer to the application by way of the browser; success and error alike say who answers (RFC 9207). */
export function answerTo(
  { redirectUri, responseMode, state }: Destination,
  issuer: string,
  parameters: Readonly<Record<string, string>>,
): Answer {
  const all = { ...parameters, ...(state !== '' && { state }), iss: issuer }
  if (responseMode === 'form_post') {
    return { uri: redirectUri, fields: Object.entries(all).map(([name, value]) => ({ name, value })) }
  }
  const separator = redirectUri.includes('?') ? '&' : '?'
  return { uri: `${redirectUri}${separator}${new URLSearchParams(all)}`, fields: [] }
}

/** The description as RFC 6749 section 4.1.2.1 allows it. */
export const errorTo = (destination: Destination, issuer: string, error: string, description: string): Answer =>
  answerTo(destination, issuer, { error, ...(description !== '' && { error_description: inAscii(description) }) })

export const destinationOf = ({ redirectUri, responseMode, state }: AuthorizationRecord): Destination => ({
  redirectUri,
  responseMode,
  state,
})

/** A redirect of a browser that may have posted something: 303, never 307 (RFC 9700 section 4.12). */
export const seeOther = (location: string): HttpAnswer => ({
  status: 303,
  headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
})

export const sendAnswer = ({ uri, fields }: Answer): HttpAnswer =>
  fields.length === 0 ? seeOther(uri) : formPostPage(uri, fields)
