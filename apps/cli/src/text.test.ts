import { describe, expect, test } from '@jest/globals'
import { aligned, printable, printableJson, printableLines } from './text.ts'

const hostile = [
  '\u001b[31mred',
  'a\nb',
  'a\rb',
  '\u009b31m',
  '\u202egnp.exe',
  'a\u200bb',
  '\u2028',
  '\udc00',
  '\u{e0041}',
]

describe('text for a terminal', () => {
  test.each(hostile)('escapes what it would obey or hide: %j', (text) => {
    expect(printable(text)).toMatch(/^[\x20-\x7e]+$/)
    expect(printable(text)).toContain('\\u')
    expect(printableJson(text)).toMatch(/^[\x20-\x7e]+$/)
  })

  test.each(hostile)('is still the same JSON: %j', (text) => {
    expect(JSON.parse(printableJson({ [text]: text }))).toEqual({ [text]: text })
  })

  test('leaves letters of every script as they are', () => {
    expect(printable('Zoë 東京 😀')).toBe('Zoë 東京 😀')
  })

  test('keeps lines where they are meant', () => {
    expect(printableLines('a\n\u001bb')).toBe('a\n\\u001bb')
  })

  test('aligns the second column', () => {
    expect(
      aligned([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toBe('a     1\nlong  2\n')
  })
})
