import { describe, expect, test } from '@jest/globals'
import { hash, randomBytes } from 'node:crypto'
import { newRecoveryCodes, recoveryDigest, recoveryRandomBytes, useRecoveryCode } from './index.ts'

const codes = newRecoveryCodes(randomBytes(recoveryRandomBytes))
const digests = codes.map(recoveryDigest)

describe('recovery codes', () => {
  test('are ten, each of 80 bits, in groups that can be read aloud', () => {
    expect(new Set(codes).size).toBe(10)
    for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/)
  })

  test('are random in every character, and each character is as likely', () => {
    const bytes = Uint8Array.from({ length: recoveryRandomBytes }, (_, n) => n)
    const counts = new Map<string, number>()
    for (const character of newRecoveryCodes(bytes).join('').replaceAll('-', '')) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    expect(counts.size).toBe(32)
    expect(new Set(counts.values())).toEqual(new Set([5]))
  })

  test('are kept as digests', () => {
    expect(digests[0]).toBe(hash('sha256', codes[0]!.replaceAll('-', ''), 'base64url'))
  })

  test('are good once', () => {
    const left = useRecoveryCode(digests, codes[3]!)!
    expect(left).toEqual(digests.filter((_, n) => n !== 3))
    expect(useRecoveryCode(left, codes[3]!)).toBeUndefined()
    expect(useRecoveryCode(left, codes[4]!)).toHaveLength(8)
    expect(digests).toHaveLength(10)
  })

  test('may be typed in any case, with any dashes and spaces, and with letters for digits that look alike', () => {
    const [code] = newRecoveryCodes(Uint8Array.from({ length: recoveryRandomBytes }, (_, n) => n % 2))
    expect(code).toBe('0101-0101-0101-0101')
    const kept = [recoveryDigest(code!)]
    for (const typed of ['0101010101010101', ' OIoi – olol oLoL 01 01 ', '0101\u20140101\u00a001010101']) {
      expect(useRecoveryCode(kept, typed)).toEqual([])
    }
    expect(useRecoveryCode(digests, codes[0]!.toUpperCase().replaceAll('-', ' '))).toHaveLength(9)
  })

  test.each([
    '',
    '-',
    '0000-0000-0000-0000',
    digests[0]!,
    codes[0]!.slice(1),
    `${codes[0]!}0`,
    `${codes[0]!}${' '.repeat(99)}`,
  ])('are not %j', (typed) => {
    expect(useRecoveryCode(digests, typed)).toBeUndefined()
  })

  test('are none where none are left', () => {
    expect(useRecoveryCode([], codes[0]!)).toBeUndefined()
    expect(useRecoveryCode([''], '')).toBeUndefined()
  })
})
