import { describe, expect, test } from '@jest/globals'
import { AccountRecord } from '@countersign/contracts/records'
import { accountClaims, claimNames, claimsForScopes, claimsRequested } from './claims.ts'

const record: AccountRecord = {
  ...AccountRecord.decode(new Uint8Array()),
  id: 'the-id',
  loginName: 'alice',
  claims: JSON.stringify({
    name: 'Alice Example',
    email: 'alice@example.org',
    email_verified: false,
    phone_number: '+49 1',
    address: { country: 'DE' },
    sub: 'somebody-else',
    admin: true,
  }),
  createdAt: 1_700_000_000_999,
}
const claims = accountClaims(record)

describe('the claims about a person', () => {
  test('are those that OpenID Connect knows, and the subject is the account', () => {
    expect(claims).toEqual({
      sub: 'the-id',
      preferred_username: 'alice',
      name: 'Alice Example',
      email: 'alice@example.org',
      email_verified: false,
      phone_number: '+49 1',
      address: { country: 'DE' },
      updated_at: 1_700_000_000,
    })
    expect(accountClaims({ ...record, claims: '', changedAt: 1_800_000_000_000 })).toEqual({
      sub: 'the-id',
      preferred_username: 'alice',
      updated_at: 1_800_000_000,
    })
  })

  test.each([
    [[], []],
    [['openid', 'constructor', '__proto__'], []],
    [['profile'], ['name', 'preferred_username', 'updated_at']],
    [['email'], ['email', 'email_verified']],
    [
      ['address', 'phone'],
      ['address', 'phone_number'],
    ],
  ])('for the scopes %j are the subject and %j', (scopes, names) => {
    expect(Object.keys(claimsForScopes(claims, scopes)).sort()).toEqual([...names, 'sub'].sort())
  })

  test('that are asked for one by one are told, with the value that was asked for or not at all', () => {
    const request = {
      name: null,
      email: { essential: true },
      email_verified: { value: true },
      phone_number: { values: ['+1', '+49 1'] },
      address: { value: { country: 'DE' } },
      preferred_username: { values: ['bob'] },
      nickname: { essential: true },
    }
    expect(claimsRequested(claims, request)).toEqual({
      name: 'Alice Example',
      email: 'alice@example.org',
      phone_number: '+49 1',
      address: { country: 'DE' },
    })
  })

  test.each<unknown>([
    undefined,
    null,
    'name',
    7,
    [],
    { sub: null, admin: null, toString: null },
    { name: true, email: 'x' },
  ])('are none for %j, which asks for none of them', (request) => {
    expect(claimsRequested(claims, request)).toEqual({})
  })

  test('can be listed', () => {
    expect(claimNames).toEqual(expect.arrayContaining(['name', 'email', 'address', 'phone_number_verified']))
    expect(new Set(claimNames).size).toBe(claimNames.length)
  })
})
