import { describe, expect, test } from '@jest/globals'
import { Event } from '@countersign/contracts/events'
import { AccountRecord } from '@countersign/contracts/records'
import {
  accountClaims,
  accountListing,
  accountPut,
  accountRecord,
  changeAccount,
  createAccount,
  decodeAccount,
  heldAccount,
  noteUse,
} from './index.ts'

const commitId = 'c'.repeat(32)
const event = { ...Event.decode(new Uint8Array()), id: `${commitId}:0`, type: 'account.created' }
const written = (commit: { puts: { value: Uint8Array }[] }) => AccountRecord.decode(commit.puts[0]!.value)

describe('an account', () => {
  test.each([
    ['local', { loginName: 'Ada', passwordHash: 'a-hash' }, { passwordChangedAt: 7_000 }],
    ['invited', { loginName: 'Ada' }, { passwordHash: '', passwordChangedAt: 0 }],
    [
      'from elsewhere',
      { loginName: '', identities: [{ provider: 'p', issuer: 'i', subject: 's', label: 'l', linkedAt: 1 }] },
      { passwordHash: '', passwordChangedAt: 0 },
    ],
  ])('that is %s is made once, listed, and told of', (_, draft, told) => {
    const commit = createAccount(commitId, { id: 'x', partition: 3, claims: { name: 'A' }, ...draft }, 7_000, event)
    expect(commit).toMatchObject({ partition: 3, checks: [{ key: '3:account/x', version: null }], events: [event] })
    expect(commit.puts[0]).toMatchObject({ key: '3:account/x', listedIn: ['3:accounts'] })
    expect(commit.puts[0]).not.toHaveProperty('expiresAt')
    expect(written(commit)).toEqual({
      ...accountRecord({ id: 'x', claims: '{"name":"A"}', createdAt: 7_000, changedAt: 7_000 }),
      ...draft,
      ...told,
    })
  })

  test('is changed as it was read, and stays who it is', () => {
    const record = accountRecord({ id: 'x', createdAt: 1, changedAt: 2 })
    const held = { partition: 3, record, version: 'v'.repeat(32) }
    const next = { ...record, id: 'y', createdAt: 9, changedAt: 9, passwordHash: 'new' }
    const commit = changeAccount(commitId, held, next, [event], 5_000)
    expect(commit).toMatchObject({ id: commitId, partition: 3, events: [event] })
    expect(commit.checks).toEqual([{ key: '3:account/x', version: held.version }])
    expect(commit.puts).toEqual([accountPut(3, { ...next, id: 'x', createdAt: 1, changedAt: 5_000 })])
    expect(held.record).toBe(record)
    expect(record.changedAt).toBe(2)
  })

  test('is not changed by being used', () => {
    const record = accountRecord({ id: 'x', createdAt: 1, changedAt: 2 })
    const commit = noteUse(commitId, { partition: 3, record, version: 'v' }, { ...record, passwordHash: 'again' })
    expect(commit.checks).toEqual([{ key: '3:account/x', version: 'v' }])
    expect(written(commit)).toEqual({ ...record, passwordHash: 'again' })
    expect(commit.events).toEqual([])
  })

  test('is listed in its own partition', () => {
    expect(accountListing(3)).toBe('3:accounts')
    expect(accountPut(4, accountRecord({ id: 'x' })).listedIn).toEqual(['4:accounts'])
  })

  test('that is nobody is none', () => {
    const value = AccountRecord.encode(accountRecord({})).finish()
    expect(decodeAccount(value)).toBeUndefined()
    expect(heldAccount(0, { key: '0:account/x', version: 'v', value })).toBeUndefined()
    expect(heldAccount(0, undefined)).toBeUndefined()
  })

  test('tells nobody what is hidden in it', () => {
    const secret = Buffer.from('a-secret')
    const passkey = { id: 'k', publicKey: secret, counter: 1, name: 'n', transports: [], addedAt: 1, usedAt: 1 }
    const record = accountRecord({
      id: 'x',
      passwordHash: 'a-hash',
      passwordChangedAt: 5,
      disabledAt: 6,
      createdAt: 7_000,
      totp: { sealedSecret: secret, addedAt: 1, usedStep: 2, recoveryDigests: ['a-digest'] },
      passkeys: [passkey],
      identities: [{ provider: 'p', issuer: 'i', subject: 's', label: 'l', linkedAt: 1 }],
      claims: JSON.stringify({ name: 'A', roles: ['r'], attributes: { a: ['b'] }, totp: 'x', passwordHash: 'y' }),
    })
    expect(accountClaims(record)).toEqual({ sub: 'x', name: 'A', updated_at: 7 })
  })
})
