import { describe, expect, test } from '@jest/globals'
import { accountRecord, limits, passkeyIn, withPasskey, withUsedPasskey, withoutPasskey } from './index.ts'

const passkey = (id: string, over = {}) => ({
  ...{ id, publicKey: Buffer.from('key'), counter: 0, name: 'phone', transports: ['internal'], addedAt: 1, usedAt: 0 },
  ...over,
})

describe('a passkey', () => {
  test('is added once, under a name of bounded length, up to so many', () => {
    const one = withPasskey(accountRecord({ id: 'x' }), passkey('AQID', { name: 'n'.repeat(500) }))
    if (typeof one === 'string') throw new Error(one)
    expect(one.passkeys).toEqual([passkey('AQID', { name: 'n'.repeat(64) })])
    expect(withPasskey(one, passkey('AQID'))).toBe('known')
    const passkeys = Array.from({ length: limits.passkeys }, (_, n) => passkey(`k${n}`))
    expect(limits.passkeys).toBe(20)
    expect(withPasskey(accountRecord({ passkeys }), passkey('more'))).toBe('too_many')
    expect(withPasskey(accountRecord({ passkeys: passkeys.slice(1) }), passkey('more'))).toMatchObject({ id: '' })
  })

  test('is found, used and taken away by its id', () => {
    const record = accountRecord({ loginName: 'ada', passkeys: [passkey('AQID'), passkey('BAUG')] })
    expect(passkeyIn(record, 'BAUG')).toBe(record.passkeys[1])
    expect(passkeyIn(record, 'CCCC')).toBeUndefined()
    expect(withUsedPasskey(record, 'BAUG', { counter: 5, now: 9 }).passkeys).toEqual([
      passkey('AQID'),
      passkey('BAUG', { counter: 5, usedAt: 9 }),
    ])
    expect(withoutPasskey(record, 'AQID')).toEqual({ ...record, passkeys: [passkey('BAUG')] })
    expect(withoutPasskey(record, 'CCCC')).toBe('not_found')
  })
})
