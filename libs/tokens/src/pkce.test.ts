import { describe, expect, test } from '@jest/globals'
import { matchesChallenge } from './pkce.ts'

describe('proof key for code exchange', () => {
  test('takes the example of RFC 7636 appendix B', () => {
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    expect(matchesChallenge(verifier, 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')).toBe(true)
  })

  test.each([
    ['another verifier', 'a'.repeat(43), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'],
    ['plain', 'a'.repeat(43), 'a'.repeat(43)],
    ['too short a verifier', 'a'.repeat(42), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'],
    ['too long a verifier', 'a'.repeat(129), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'],
    ['a verifier of other characters', `${'a'.repeat(42)}ü`, 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'],
    [
      'a challenge with padding',
      'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=',
    ],
    ['no challenge', 'a'.repeat(43), ''],
  ])('refuses %s', (_, verifier, challenge) => {
    expect(matchesChallenge(verifier, challenge)).toBe(false)
  })
})
