import { describe, expect, test } from '@jest/globals'
import { Passkey } from '@countersign/contracts/records'
import {
  accountRecord,
  identityKey,
  limits,
  waysToSignIn,
  withIdentity,
  withoutIdentity,
  withoutPasskey,
} from './index.ts'

const issuer = 'https://login.example'
const identity = (subject: string, over = {}) => ({ provider: 'p', issuer, subject, label: 'l', linkedAt: 1, ...over })
const passkey = (id: string) => ({ ...Passkey.decode(new Uint8Array()), id })

describe('an identity elsewhere', () => {
  test('is issuer and subject, both to the letter, and is not readable in the store', () => {
    const keys = [
      { issuer, subject: 'alice' },
      { issuer, subject: 'Alice' },
      { issuer: `${issuer}/`, subject: 'alice' },
      { issuer: `${issuer}/a`, subject: 'lice' },
      { issuer: `${issuer}/al`, subject: 'ice' },
    ].map(identityKey)
    expect(new Set(keys).size).toBe(keys.length)
    for (const key of keys) expect(key).toMatch(/^0:identity\/[\w-]{43}$/)
  })

  test('is kept where it always was', () => {
    expect(identityKey({ issuer, subject: 'alice' })).toBe('0:identity/78aqbVfMsssGwIO7-QVk661XMBENBuYdrgtoQZ2wMmU')
  })

  test('is added once, and known by its newest label', () => {
    const one = withIdentity(accountRecord({ id: 'x' }), identity('a'))
    if (typeof one === 'string') throw new Error(one)
    const same = withIdentity(one, identity('a', { provider: 'q', label: 'new', linkedAt: 9 }))
    expect(same).toEqual({ ...one, identities: [identity('a', { provider: 'q', label: 'new' })] })
    expect(one.identities).toEqual([identity('a')])
    const long = withIdentity(one, identity('b', { label: 'x'.repeat(1_000) }))
    expect(long).toMatchObject({ identities: [{ subject: 'a' }, { subject: 'b', label: 'x'.repeat(254) }] })
  })

  test('is one of so many at most', () => {
    const identities = Array.from({ length: limits.identities }, (_, n) => identity(`${n}`))
    const full = accountRecord({ identities })
    expect(withIdentity(full, identity('more'))).toBe('too_many')
    const relabelled = [identity('0', { label: 'new' }), ...identities.slice(1)]
    expect(withIdentity(full, identity('0', { label: 'new' }))).toMatchObject({ identities: relabelled })
  })

  test('is taken away, unless it is not there', () => {
    const record = accountRecord({ identities: [identity('a'), identity('b')] })
    expect(withoutIdentity(record, identity('a'))).toEqual({ ...record, identities: [identity('b')] })
    expect(withoutIdentity(record, identity('c'))).toBe('not_found')
    expect(withoutIdentity(record, { issuer: 'https://other.example', subject: 'a' })).toBe('not_found')
  })
})

describe('the last way to sign in stays', () => {
  const local = { loginName: 'ada', passwordHash: 'a-hash' }
  test.each([
    [{}, 1],
    [local, 2],
    [{ loginName: 'ada', passkeys: [passkey('AQID')] }, 2],
    // Who came by a provider signs in there alone.
    [{ passkeys: [passkey('AQID')] }, 1],
    [{ loginName: 'ada' }, 1],
    [{ passwordHash: 'a-hash' }, 1],
    [{ ...local, passkeys: [passkey('AQID'), passkey('BAUG')] }, 4],
  ])('%#', (over, ways) => {
    const record = accountRecord({ identities: [identity('a')], ...over })
    expect(waysToSignIn(record)).toBe(ways)
    const without = withoutIdentity(record, identity('a'))
    expect(without === 'last_way_to_sign_in').toBe(ways === 1)
  })

  test('also when it is a passkey', () => {
    const record = accountRecord({ loginName: 'ada', passkeys: [passkey('AQID')] })
    expect(withoutPasskey(record, 'AQID')).toBe('last_way_to_sign_in')
    expect(withoutPasskey({ ...record, ...local }, 'AQID')).toMatchObject({ passkeys: [] })
  })

  test('but a passkey that is no way to sign in goes', () => {
    const record = accountRecord({ identities: [identity('a')], passkeys: [passkey('AQID')] })
    expect(withoutPasskey(record, 'AQID')).toEqual({ ...record, passkeys: [] })
  })
})
