import { describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { seal, sealKeyFrom, unseal } from './seal.ts'

describe('a sealed secret', () => {
  const [key, other] = [sealKeyFrom(randomBytes(32)), sealKeyFrom(randomBytes(32))]

  test('opens under its key and in its context only', () => {
    const sealed = seal(key, Buffer.from('private'), 'signing key 1')
    expect(sealed.includes('private')).toBe(false)
    expect(unseal([other, key], sealed, 'signing key 1')?.toString()).toBe('private')
    expect(unseal([other], sealed, 'signing key 1')).toBeUndefined()
    expect(unseal([key], sealed, 'signing key 2')).toBeUndefined()
  })

  test('does not open when a bit of it is another, or when it is cut', () => {
    const sealed = seal(key, Buffer.from('private'), 'c')
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at]! ^= 1
      expect(unseal([key], changed, 'c')).toBeUndefined()
      expect(unseal([key], sealed.subarray(0, at), 'c')).toBeUndefined()
    }
  })
})
