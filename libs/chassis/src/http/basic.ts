import { asFailure, Failure } from '@countersign/contracts'
import { formDecode } from './form.ts'

export interface BasicCredentials {
  id: string
  secret: string
}

const malformed = (cause?: unknown) =>
  new Failure('invalid_client', 'the Authorization header holds no valid Basic credentials', { cause })

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Client credentials as RFC 6749 section 2.3.1 has them: form-encoded, then joined and encoded as RFC 7617 says.
 * Undefined when there is no header, or one of another scheme.
 * @throws Failure `invalid_client`
 */
export function parseBasic(header: string | undefined): BasicCredentials | undefined {
  if (header === undefined || !/^basic(?: |$)/i.test(header)) return undefined
  const encoded = header.slice(5).trim()
  if (encoded === '' || !base64.test(encoded)) throw malformed()
  try {
    const text = utf8.decode(Buffer.from(encoded, 'base64'))
    const colon = text.indexOf(':')
    const id = formDecode(text.slice(0, Math.max(colon, 0)))
    if (colon < 0 || id === '') throw malformed()
    return { id, secret: formDecode(text.slice(colon + 1)) }
  } catch (thrown) {
    throw asFailure(thrown).code === 'invalid_client' ? thrown : malformed(thrown)
  }
}
