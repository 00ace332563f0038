import { HOTP, Secret, TOTP } from 'otpauth'
import type { Millis } from '@countersign/contracts'

/** What every authenticator app can do (RFC 6238 section 4): the defaults, since many ignore anything else in the URI. */
const form = { algorithm: 'SHA1', digits: 6, period: 30 } as const
/** Steps of 30 seconds that clocks may differ, either way (RFC 6238 section 5.2). */
const window = 1
/** 160 bits, the length of the HMAC (RFC 4226 section 4, R6). */
const secretBytes = 20

const secretOf = (secret: Uint8Array): Secret => new Secret({ buffer: Uint8Array.from(secret).buffer })

export const newTotpSecret = (randomBytes: (bytes: number) => Uint8Array): Uint8Array => randomBytes(secretBytes)

/** The secret for somebody who types it: base32 in groups of four. */
export const totpText = (secret: Uint8Array): string =>
  secretOf(secret)
    .base32.match(/.{1,4}/g)!
    .join(' ')

/**
 * What an authenticator app takes, as a link or a QR code. It is a secret.
 * @param label whose it is, e.g. the login name
 * @param issuer what they sign in to
 */
export const totpUri = (label: string, issuer: string, secret: Uint8Array): string =>
  new TOTP({ ...form, label, issuer, secret: secretOf(secret) }).toString()

/**
 * The step whose code this is: the present one, the one before or after. To be kept, since no code is good twice.
 * @param typed with or without spaces
 * @param usedStep the last step that was used; 0: none
 * @returns undefined when it is no good
 */
export function verifyTotp(secret: Uint8Array, typed: string, usedStep: number, now: Millis): number | undefined {
  const token = typed.length > 32 ? '' : typed.replace(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return undefined
  const present = TOTP.counter({ period: form.period, timestamp: now })
  const key = secretOf(secret)
  let found: number | undefined
  for (let step = present - window; step <= present + window; step++) {
    const { algorithm, digits } = form
    const isRight = HOTP.validate({ token, secret: key, algorithm, digits, counter: step, window: 0 }) !== null
    if (isRight && step > usedStep) found ??= step
  }
  return found
}
