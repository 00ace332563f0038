import { describe, expect, test } from '@jest/globals'
import { digestOfLoginName, normalizeLoginName } from './login-name.ts'

describe('a login name', () => {
  test.each([
    ['  Alice ', 'alice'],
    ['ALICE@Example.ORG', 'alice@example.org'],
    ['Ａｌｉｃｅ', 'alice'],
    ['Jo\u0308rg', 'j\u00f6rg'],
    ['\u212bngstr\u00f6m', '\u00e5ngstr\u00f6m'],
    ['\u0130stanbul', 'i\u0307stanbul'],
    ['two words', 'two words'],
  ])('%j is compared as %j, whichever way it was typed', (written, name) => {
    expect(normalizeLoginName(written)).toBe(name)
    expect(normalizeLoginName(name)).toBe(name)
  })

  test.each(['', '   ', 'a\0b', 'a\nb', 'a\u202eb', 'a\u200bb', '\ud800', 'x'.repeat(255), '\ufdfa'.repeat(100)])(
    '%j is none',
    (written) => {
      expect(normalizeLoginName(written)).toBeUndefined()
    },
  )

  test('is kept under a digest that has the form of a key', () => {
    expect(digestOfLoginName('j\u00f6rg')).toMatch(/^[\w-]{43}$/)
    expect(digestOfLoginName('j\u00f6rg')).not.toBe(digestOfLoginName('jorg'))
  })
})
