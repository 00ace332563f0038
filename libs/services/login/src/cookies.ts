import type { SessionName } from '@countersign/contracts/authorization'
import { cookiePrefix, cookieValue, readSessionCookie, sessionCookieName } from '@countersign/tokens'
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

/** What a browser's cookie may hold; anything else was not set here. */
const browserSyntax = /^[\w-]{43}$/

export function createCookies(issuer: string, { persistent, absoluteMs }: SessionOptions): Cookies {
  const names = { browser: `${cookiePrefix(issuer)}cs_browser`, session: sessionCookieName(issuer) }
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${issuer.startsWith('https:') ? '; Secure' : ''}`
  const age = persistent ? `; Max-Age=${Math.floor(absoluteMs / 1_000)}` : ''
  return {
    readBrowser(header) {
      const value = cookieValue(header, names.browser)
      return value !== undefined && browserSyntax.test(value) ? value : undefined
    },
    readSession: (header) => readSessionCookie(header, issuer),
    setBrowser: (value) => `${names.browser}=${value}${attributes}`,
    setSession: (value) => `${names.session}=${value}${attributes}${age}`,
    clearSession: () => `${names.session}=${attributes}; Max-Age=0`,
  }
}

/** Names a browser that has no name yet. */
export const newBrowserCookie = (randomBytes: (bytes: number) => Uint8Array): string =>
  Buffer.from(randomBytes(limits.cookieBytes)).toString('base64url')
