import { hash, timingSafeEqual } from 'node:crypto'
import { limits } from './limits.ts'

/** Crockford's base 32: what is read wrongly (I, L, O) is no digit of it, and is taken for what it looks like. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const groups = /.{4}/g

const { count, characters } = limits.recoveryCodes
export const recoveryRandomBytes = count * characters

/**
 * Codes that stand in for a second factor, each once, e.g. `7k2m-0qzr-x9tf-4hbn`: 80 random bits.
 * @param random {@link recoveryRandomBytes} bytes
 */
export const newRecoveryCodes = (random: Uint8Array): string[] =>
  Array.from({ length: count }, (_, n) =>
    // A byte has 256 values, eight times the digits: each is as likely.
    Array.from(random.subarray(n * characters, (n + 1) * characters), (byte) => alphabet[byte % alphabet.length])
      .join('')
      .match(groups)!
      .join('-'),
  )

function plain(typed: string): string {
  if (typed.length > 4 * characters) return ''
  const digits = typed.toLowerCase().replace(/[\s\p{Pd}]/gu, '')
  return digits.replace(/o/g, '0').replace(/[il]/g, '1')
}

/** What is kept of a code; it needs no salt, and no slow hash: it is random. */
export const recoveryDigest = (code: string): string => hash('sha256', plain(code), 'base64url')

/**
 * The digests that are left once a code was used; undefined when it is none of them.
 * @param typed in any case, with or without dashes and spaces
 */
export function useRecoveryCode(digests: readonly string[], typed: string): string[] | undefined {
  const digest = Buffer.from(recoveryDigest(typed))
  const left = digests.filter((each) => {
    const kept = Buffer.from(each)
    return kept.length !== digest.length || !timingSafeEqual(kept, digest)
  })
  return left.length === digests.length ? undefined : left
}
