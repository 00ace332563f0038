import { describe, expect, test } from '@jest/globals'
import { limits } from './limits.ts'
import { needsRehash, Passwords } from './password.ts'

const passwords = new Passwords()

describe('a password', () => {
  test('is hashed with Argon2id as OWASP asks, under a salt of its own, and verified', async () => {
    const hash = await passwords.hash('correct horse')
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(await passwords.hash('correct horse')).not.toBe(hash)
    expect(await passwords.verify('correct horse', hash)).toBe(true)
    expect(await passwords.verify('correct horsf', hash)).toBe(false)
    expect(await passwords.verify('', hash)).toBe(false)
  })

  test('that another implementation hashed, with other parameters, is verified', async () => {
    // The first is argon2's own test vector: 2 passes, 64 MiB, one lane.
    const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    expect(await passwords.verify('password', stored)).toBe(true)
    expect(await passwords.verify('passwore', stored)).toBe(false)
  })

  test('is the same however its accents were typed', async () => {
    expect(await passwords.verify('Jo\u0308rg-Jo\u0308rg', await passwords.hash('J\u00f6rg-J\u00f6rg'))).toBe(true)
  })

  test('that is longer than any may be matches nothing that it begins with', async () => {
    const longest = 'x'.repeat(limits.passwordMostCharacters)
    expect(await passwords.verify(`${longest}x`, await passwords.hash(longest))).toBe(false)
  })

  test.each([undefined, ''])('of nobody (%j) takes a hash, too, and is never right', async (stored) => {
    const before = passwords.computed
    expect(await passwords.verify('', stored)).toBe(false)
    expect(passwords.computed).toBe(before + 1)
  })

  test.each([
    'plain',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=19456,t=99,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=19456,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ])('whose stored hash is %j is an internal failure, and tells nothing of it', async (stored) => {
    const failed = passwords.verify('password', stored)
    await expect(failed).rejects.toMatchObject({ code: 'internal', message: expect.not.stringContaining('argon2') })
  })

  test('waits for its turn, and is refused when too many wait', async () => {
    const crowd = limits.hashesAtOnce + limits.hashesWaiting
    const crowded = new Passwords()
    const results = await Promise.allSettled(Array.from({ length: crowd + 3 }, () => crowded.verify('x', undefined)))
    const refused = results.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(3)
    expect(refused[0]).toMatchObject({ reason: { code: 'too_many_requests', retryAfterSeconds: 1 } })
    expect(crowded.computed).toBe(crowd)
    expect(await crowded.verify('x', undefined)).toBe(false)
  })

  test('is hashed anew where what is stored is weaker than what is made today', async () => {
    const salt = 'c29tZXNhbHRzb21lc2FsdA'
    const stored = (costs: string, under = salt) => `$argon2id$v=19$${costs}$${under}$${'A'.repeat(43)}`
    expect(needsRehash(await passwords.hash('correct horse'))).toBe(false)
    expect(needsRehash(stored('m=19456,t=2,p=1'))).toBe(false)
    expect(needsRehash(stored('m=47104,t=1,p=1'))).toBe(false)
    expect(needsRehash(stored('m=65536,t=3,p=4'))).toBe(false)
    expect(needsRehash(stored('m=19456,t=1,p=1'))).toBe(true)
    expect(needsRehash(stored('m=4096,t=3,p=1'))).toBe(true)
    expect(needsRehash(stored('m=65536,t=2,p=1', 'c29tZXNhbHQ'))).toBe(true)
    expect(() => needsRehash('plain')).toThrow(expect.objectContaining({ code: 'internal' }))
  })
})
