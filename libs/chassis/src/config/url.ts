import { text } from './leaf.ts'
import { limits } from './limits.ts'

const parsed = (given: string): URL | undefined =>
  given.length <= limits.urlCharacters && /^[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/.test(given)
    ? (URL.parse(given) ?? undefined)
    : undefined

const plain = (url: URL): boolean => url.username === '' && url.password === '' && !url.href.includes('#')

/** An issuer, as others will compare it letter by letter (RFC 8414 section 2): no query, no fragment, no slash at the end. */
export const issuerUrl = () => {
  const canonical = (given: unknown): string | undefined => {
    const url = parsed(String(given))
    return url && /^https?:$/.test(url.protocol) && plain(url)
      ? `${url.origin}${url.pathname.replace(/\/+$/, '')}`
      : undefined
  }
  return text(
    'an https:// URL (http:// on loopback) without query, fragment and slash at the end',
    (given) => (canonical(given) === given ? given : undefined),
    canonical,
  ).meta({ format: 'uri' })
}

/** Another issuer, as it stands in its tokens: some end with a slash. */
export const foreignIssuerUrl = () =>
  text('an https:// URL (http:// on loopback) without query and fragment', (given) => {
    const url = parsed(given)
    return url && /^https?:\/\/[^/]/.test(given) && plain(url) && !given.includes('?') ? given : undefined
  }).meta({ format: 'uri' })

/** Whether it is an absolute http:// or https:// URL without user and fragment. */
export function isWebUrl(given: string): boolean {
  const url = parsed(given)
  return url !== undefined && /^https?:\/\/[^/]/i.test(given) && plain(url)
}

/** A page or endpoint of somebody else. */
export const webUrl = () =>
  text('an https:// URL (http:// on loopback) without fragment', (given) => (isWebUrl(given) ? given : undefined)).meta(
    { format: 'uri' },
  )

/** A resource server's audience: an absolute URI without fragment (RFC 8707 section 2). */
export const audienceUri = () =>
  text('an absolute URI without fragment, such as https://reports.example (RFC 8707 section 2)', (given) => {
    const url = parsed(given)
    const odd = url === undefined || /^(javascript|data|vbscript|blob|file|about):$/.test(url.protocol)
    return !odd && plain(url) ? given : undefined
  }).meta({ format: 'uri' })

/** Where an authorization code may be sent (RFC 6749 section 3.1.2, RFC 8252 section 7). */
export const redirectUri = () =>
  text(
    'an absolute URI without fragment: https://…, http:// on loopback, or an app’s com.example.app:/… (RFC 8252)',
    (given) => {
      const url = parsed(given)
      if (url === undefined || !plain(url) || given.includes('*')) return undefined
      const web = /^https?:\/\/[^/]/.test(given)
      return web || /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/.test(given) ? given : undefined
    },
  ).meta({ format: 'uri' })

/** The one host of redirect URIs (OpenID Connect Core section 8.1); undefined where they have none or several. */
export function sectorOf(redirectUris: readonly string[]): string | undefined {
  const [host, ...others] = new Set(redirectUris.map((uri) => URL.parse(uri)?.hostname ?? ''))
  return others.length > 0 || host === '' ? undefined : host
}
