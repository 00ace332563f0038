import { describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { newTotpSecret, totpText, totpUri, verifyTotp } from './index.ts'

/** RFC 6238 appendix B; its codes have eight digits, of which ours are the last six. */
const secret = Buffer.from('12345678901234567890')
const at = (seconds: number) => seconds * 1_000

describe('a second factor by time', () => {
  test.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('is that of RFC 6238: at %d s it is %s', (seconds, code) => {
    expect(verifyTotp(secret, code.slice(-6), 0, at(seconds))).toBe(Math.floor(seconds / 30))
  })

  test('may be a step early or late, and no more', () => {
    const [code, step] = ['287082', 1]
    for (const seconds of [0, 29, 30, 59, 60, 89]) expect(verifyTotp(secret, code, 0, at(seconds))).toBe(step)
    for (const seconds of [90, 120]) expect(verifyTotp(secret, code, 0, at(seconds))).toBeUndefined()
  })

  test('is good once: neither it nor any before it is good again', () => {
    const now = at(1_111_111_109)
    const step = verifyTotp(secret, '081804', 0, now)!
    expect(verifyTotp(secret, '081804', step, now)).toBeUndefined()
    expect(verifyTotp(secret, '081804', step + 1, now)).toBeUndefined()
    expect(verifyTotp(secret, '081804', step - 1, now)).toBe(step)
    // The next one comes within the same half minute for a clock that is early.
    expect(verifyTotp(secret, '050471', step, now)).toBe(step + 1)
  })

  test.each([' 287 082 ', '287\u00a0082', '2 8 7 0 8 2'])('may be typed as %j', (typed) => {
    expect(verifyTotp(secret, typed, 0, at(59))).toBe(1)
  })

  test.each([
    '',
    '287083',
    '28708',
    '2870822',
    '94287082',
    '287-082',
    '２８７０８２',
    '28708a',
    `287082${' '.repeat(40)}`,
  ])('is not %j', (typed) => {
    expect(verifyTotp(secret, typed, 0, at(59))).toBeUndefined()
  })

  test('has a secret of 160 bits of its own', () => {
    const made = newTotpSecret(randomBytes)
    expect(made).toHaveLength(20)
    expect(Buffer.from(newTotpSecret(randomBytes)).equals(Buffer.from(made))).toBe(false)
  })

  test('is told to an app, and to somebody who types', () => {
    const uri = new URL(totpUri('ada:the first@example.org', 'Ada & Söhne', secret))
    expect(uri.href).toMatch(/^otpauth:\/\/totp\//)
    expect(decodeURIComponent(uri.pathname)).toMatch(/Ada & Söhne:ada:the first@example\.org$/)
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      ...{ issuer: 'Ada & Söhne', secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' },
      ...{ algorithm: 'SHA1', digits: '6', period: '30' },
    })
    expect(totpText(secret)).toBe('GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ')
  })

  test('is of the bytes alone that are given, wherever they lie', () => {
    const within = new Uint8Array(64).fill(7)
    within.set(secret, 11)
    expect(verifyTotp(within.subarray(11, 31), '287082', 0, at(59))).toBe(1)
  })
})
