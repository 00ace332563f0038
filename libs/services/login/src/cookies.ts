import { hash } from 'node:crypto'
import type { SessionName } from '@countersign/contracts/authorization'
import { maxPartitions } from '@countersign/store'
import { limits } from './limits.ts'

export interface SessionOptions {
  /** Whether a session outlives the browser. */
  persistent: boolean
  idleMs: number
  absoluteMs: number
}

/** The two cookies: one that names a browser, for as long as it runs, and one that names a session. */
export interface Cookies {
  readBrowser(header: string | undefined): string | undefined
  readSession(header: string | undefined): SessionName | undefined
  /** As `Set-Cookie`. */
  setBrowser(value: string): string
  setSession(value: string): string
  clearSession(): string
}

/** What a browser's or a session's cookie may hold; anything else was not set here. */
const browserSyntax = /^[\w-]{43}$/
const sessionSyntax = /^[\w-]{44}$/

/** A cookie's value; undefined when it is there twice, since then one of them is not ours. */
function valueOf(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '').split(';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    return pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : []
  })
  return values.length === 1 ? values[0] : undefined
}

/** A session's cookie: its partition's byte and 256 random bits. */
export const newSessionCookie = (partition: number, random: Uint8Array): string =>
  Buffer.concat([Buffer.of(partition), random]).toString('base64url')

export const sessionNameOf = (value: string): SessionName => ({
  partition: Buffer.from(value, 'base64url')[0]!,
  id: hash('sha256', value, 'base64url'),
})

/**
 * On https the names begin with `__Host-`: no other host of the domain and no plaintext connection can set them. On http, which is
 * for loopback, browsers would refuse that.
 */
export function createCookies(issuer: string, { persistent, absoluteMs }: SessionOptions): Cookies {
  const isSecure = issuer.startsWith('https:')
  const prefix = isSecure ? '__Host-' : ''
  const names = { browser: `${prefix}cs_browser`, session: `${prefix}cs_session` }
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  const age = persistent ? `; Max-Age=${Math.floor(absoluteMs / 1_000)}` : ''
  return {
    readBrowser(header) {
      const value = valueOf(header, names.browser)
      return value !== undefined && browserSyntax.test(value) ? value : undefined
    },
    readSession(header) {
      const value = valueOf(header, names.session)
      if (value === undefined || !sessionSyntax.test(value)) return undefined
      const name = sessionNameOf(value)
      return name.partition < maxPartitions ? name : undefined
    },
    setBrowser: (value) => `${names.browser}=${value}${attributes}`,
    setSession: (value) => `${names.session}=${value}${attributes}${age}`,
    clearSession: () => `${names.session}=${attributes}; Max-Age=0`,
  }
}

/** Names a browser that has no name yet. */
export const newBrowserCookie = (randomBytes: (bytes: number) => Uint8Array): string =>
  Buffer.from(randomBytes(limits.cookieBytes)).toString('base64url')
