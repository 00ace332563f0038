import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { Millis } from '@countersign/contracts'
import { limits } from '../limits.ts'

/** The key that DPoP nonces are made under, from a master key of at least 32 bytes. */
export const nonceKeyFrom = (masterKey: Uint8Array): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', 'countersign dpop nonce v1', 32)))

/** Nonces of a time window (RFC 9449 section 8): nothing is stored, and replicas with the same key agree. */
export interface Nonces {
  current(): string
  isGood(nonce: string): boolean
}

export function createNonces(key: KeyObject, now: () => Millis): Nonces {
  const nonceOf = (window: number) => createHmac('sha256', key).update(String(window)).digest('base64url')
  const windowNow = () => Math.floor(now() / limits.dpopNonceMs)
  return {
    current: () => nonceOf(windowNow()),
    isGood(nonce) {
      const given = Buffer.from(nonce)
      const window = windowNow()
      // The next one, too: another replica's clock may be ahead.
      return [window, window - 1, window + 1].some((each) => {
        const expected = Buffer.from(nonceOf(each))
        return given.length === expected.length && timingSafeEqual(given, expected)
      })
    },
  }
}
