import { isAscii } from 'node:buffer'
import { Failure } from '@countersign/contracts'
import { maxParameters } from '../limits.ts'

export type Form = ReadonlyMap<string, string>

const formType = 'application/x-www-form-urlencoded'
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    // Refuses broken escapes, and escapes that are not UTF-8 (surrogates among them).
    return decodeURIComponent(text)
  } catch {
    throw new Failure('invalid_request', 'the form has a broken percent-escape')
  }
}

/** Decodes one name or value as a form writes it. @throws Failure `invalid_request` */
export function formDecode(text: string): string {
  const decoded = decode(text.includes('+') ? text.replaceAll('+', ' ') : text)
  if (decoded.includes('\0')) throw new Failure('invalid_request', 'the form has a NUL character')
  return decoded
}

const isFormType = (contentType: string | undefined): boolean => {
  if (contentType === undefined) return false
  if (contentType === formType) return true
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  const isOtherCharset = parameters.some((p) => /^\s*charset\s*=/.test(p) && !/^\s*charset\s*=\s*"?utf-8"?\s*$/.test(p))
  return type.trim() === formType && !isOtherCharset
}

function textOf(body: Buffer): string {
  if (isAscii(body)) return body.toString('latin1')
  try {
    return utf8.decode(body)
  } catch {
    throw new Failure('invalid_request', 'the form is not valid UTF-8')
  }
}

/** Names may come from anybody: a message repeats only what looks like one. */
const shown = (name: string): string => (/^[\w.-]{1,40}$/.test(name) ? name : 'a parameter')

/**
 * The parameters of a form. A parameter without a value counts as left out, and none may be there twice (RFC 6749
 * section 3.2), but for the `repeatable` ones, whose values are joined by a space.
 * @throws Failure `unsupported_media_type`, `invalid_request`
 */
export function parseForm(body: Buffer, contentType: string | undefined, repeatable: readonly string[] = []): Form {
  if (body.length === 0 && contentType === undefined) return new Map()
  if (!isFormType(contentType)) throw new Failure('unsupported_media_type', `send the parameters as ${formType}`)
  return readParameters(textOf(body), repeatable)
}

/** The parameters of a URL's query, by the rules of {@link parseForm}. @throws Failure `invalid_request` */
export const parseQuery = (query: string, repeatable: readonly string[] = []): Form => readParameters(query, repeatable)

function readParameters(text: string, repeatable: readonly string[]): Form {
  const form = new Map<string, string>()
  const seen = new Set<string>()
  let parameters = 0
  for (let start = 0; start < text.length;) {
    const ampersand = text.indexOf('&', start)
    const end = ampersand < 0 ? text.length : ampersand
    if (end > start) {
      if (++parameters > maxParameters) throw new Failure('invalid_request', 'the form has too many parameters')
      const equals = text.indexOf('=', start)
      const hasValue = equals >= 0 && equals < end
      const name = formDecode(text.slice(start, hasValue ? equals : end))
      const value = hasValue ? formDecode(text.slice(equals + 1, end)) : ''
      const before = form.get(name)
      if (seen.has(name) && !repeatable.includes(name)) {
        throw new Failure('invalid_request', `${shown(name)} is there more than once`)
      }
      seen.add(name)
      if (value !== '') form.set(name, before === undefined ? value : `${before} ${value}`)
    }
    start = end + 1
  }
  return form
}
