import { remoteUrl, type Reach } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { limits } from '../limits.ts'
import { named, text, type Given } from './members.ts'

/** RFC 3986 in ASCII; what browsers read in more than one way (backslashes, tabs, wildcards) is left out. */
const characters = /^[\x21\x23-\x29\x2b-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/

/** Where browsers may be sent, but this machine, a cloud's metadata and the like; a company's own network is theirs. */
const browsers: Reach = { allowLoopback: false, allowPrivate: true }

/** RFC 8252 section 7.3; a port is given when the app starts. */
const loopback = /^http:\/\/(?:127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:[/?]|$)/
/** RFC 8252 section 7.1: the reverse of a domain's name. */
const privateUse = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:/

function absolute(value: unknown): string {
  const uri = text(value, limits.registeredUrlCharacters)
  const url = characters.test(uri) ? URL.parse(uri) : undefined
  if (!url || uri.includes('#')) throw new Failure('invalid_request', 'an absolute URI without fragment is expected')
  if (url.username !== '' || url.password !== '') throw new Failure('invalid_request', 'the URI may not hold a user')
  return uri
}

/**
 * Where codes, or people who signed out, may be sent (RFC 6749 section 3.1.2, RFC 8252 section 7).
 * @throws Failure `invalid_request`
 */
export function redirectUri(value: unknown, kind: 'web' | 'native'): string {
  const uri = absolute(value)
  if (kind === 'native' && (loopback.test(uri) || privateUse.test(uri))) return uri
  if (/^https:\/\/[^/]/.test(uri)) return remoteUrl(uri, browsers) && uri
  throw new Failure(
    'invalid_request',
    kind === 'web'
      ? 'https:// is expected of a web application'
      : 'https://, http://127.0.0.1, http://[::1] or com.example.app:/ is expected of a native application',
  )
}

/** A page that people are shown. @throws Failure `invalid_request` */
export const pageUrl = (given: Given, name: string): string | undefined => urlOf(given, name, browsers)

/** A URL that we send requests to; its name is looked at again with each. @throws Failure `invalid_request` */
export const requestedUrl = (given: Given, name: string, reach: Reach): string | undefined => urlOf(given, name, reach)

function urlOf(given: Given, name: string, reach: Reach): string | undefined {
  const value = given[name]
  if (value === undefined || value === null) return undefined
  return named(name, () => {
    const uri = absolute(value)
    remoteUrl(uri, reach)
    return uri
  })
}
