import { hash } from 'node:crypto'
import type { Partition } from '@countersign/contracts'
import { maxPartitions } from '@countersign/store'

/** A session as its browser names it: the cookie itself is known to the browser alone. */
export interface NamedSession {
  partition: Partition
  /** base64url SHA-256 of the cookie's value. */
  id: string
}

const sessionSyntax = /^[\w-]{44}$/

/**
 * What our cookies' names begin with. On https that is `__Host-`: no other host of the domain and no plaintext connection can
 * set them. On http, which is for loopback, browsers would refuse that.
 */
export const cookiePrefix = (issuer: string): string => (issuer.startsWith('https:') ? '__Host-' : '')

export const sessionCookieName = (issuer: string): string => `${cookiePrefix(issuer)}cs_session`

/** A cookie's value; undefined when it is there twice, since then one of them is not ours. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '').split(';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    return pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : []
  })
  return values.length === 1 ? values[0] : undefined
}

/** A session's cookie: its partition's byte and 256 random bits. */
export const newSessionCookie = (partition: Partition, random: Uint8Array): string =>
  Buffer.concat([Buffer.of(partition), random]).toString('base64url')

export const sessionNameOf = (value: string): NamedSession => ({
  partition: Buffer.from(value, 'base64url')[0]!,
  id: hash('sha256', value, 'base64url'),
})

/** The session that a request's Cookie header names. */
export function readSessionCookie(header: string | undefined, issuer: string): NamedSession | undefined {
  const value = header === undefined ? undefined : cookieValue(header, sessionCookieName(issuer))
  if (value === undefined || !sessionSyntax.test(value)) return undefined
  const name = sessionNameOf(value)
  return name.partition < maxPartitions ? name : undefined
}
