import { describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { TokenKind } from '@countersign/contracts/records'
import { createTokenFormat, digestOf, tagKeyFrom, tokenPattern } from './format.ts'

const key = tagKeyFrom(randomBytes(32))
const format = createTokenFormat(key)
const kinds = [
  TokenKind.ACCESS_TOKEN,
  TokenKind.REFRESH_TOKEN,
  TokenKind.AUTHORIZATION_CODE,
  TokenKind.DEVICE_CODE,
  TokenKind.API_TOKEN,
  TokenKind.REGISTRATION,
] as const

describe('an opaque token', () => {
  test('comes back as what it was minted as, whatever its bytes', () => {
    const secrets = [Buffer.alloc(32), Buffer.alloc(32, 0xff), ...Array.from({ length: 200 }, () => randomBytes(32))]
    for (const secret of secrets) {
      for (const kind of kinds) {
        const { token, digest } = format.mint(kind, 63, secret)
        expect(format.parse(token)).toMatchObject({ kind, partition: 63, digest })
        expect(digest).toBe(digestOf(token))
        expect(token).toMatch(new RegExp(`^${tokenPattern.source}$`))
      }
    }
  })

  test('has one length per kind', () => {
    const lengths = Array.from(
      { length: 100 },
      () => format.mint(TokenKind.ACCESS_TOKEN, 0, randomBytes(32)).token.length,
    )
    expect(new Set(lengths)).toEqual(new Set(['cs_at_'.length + 55]))
  })

  test('is refused when any one character is another', () => {
    const { token } = format.mint(TokenKind.ACCESS_TOKEN, 5, randomBytes(32))
    for (let at = 0; at < token.length; at++) {
      for (const other of ['0', 'A', 'z', '_', ' ', '\0', 'é', '０']) {
        if (token[at] === other) continue
        expect(format.parse(token.slice(0, at) + other + token.slice(at + 1))).toBeUndefined()
      }
    }
  })

  test('is refused when cut, lengthened, of another case or as another kind', () => {
    const { token } = format.mint(TokenKind.ACCESS_TOKEN, 5, randomBytes(32))
    const variants = [
      '',
      'cs_at_',
      token.slice(0, -1),
      token + '0',
      ` ${token}`,
      `${token}\n`,
      token.toUpperCase(),
      token.replace('cs_at_', 'cs_rt_'),
      token.replace('cs_at_', 'cs_pat_'),
      token.replace('cs_at_', ''),
      '0'.repeat(token.length),
      'cs_at_' + 'z'.repeat(55),
    ]
    for (const variant of variants) expect(format.parse(variant)).toBeUndefined()
  })

  test('made under another key is refused; under the previous key it is taken', () => {
    const other = tagKeyFrom(randomBytes(32))
    const { token } = format.mint(TokenKind.API_TOKEN, 1, randomBytes(32))
    expect(createTokenFormat(other).parse(token)).toBeUndefined()
    expect(createTokenFormat(other, key).parse(token)?.kind).toBe(TokenKind.API_TOKEN)
  })
})
