import { describe, expect, test } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import type { AccountRecord } from '@countersign/contracts/records'
import { accountRecord, isLinkGood, limits, mintLink, readLink } from './index.ts'

const key = createSecretKey(randomBytes(32))
const id = randomBytes(16).toString('base64url')
const record = accountRecord({
  ...{ id, loginName: 'ada', passwordHash: 'a-hash', passwordChangedAt: 5, changedAt: 6 },
  claims: '{"email":"ada@example.org"}',
})
const account = { partition: 63, record }
const expiresAt = 1_800_000_000_000
const token = mintLink(key, 'reset', account, expiresAt)
const now = expiresAt - 1
const goodFor = (over: Partial<AccountRecord>) =>
  isLinkGood(key, token, { ...account, record: { ...record, ...over } }, now)

describe('a link that chooses a password', () => {
  test('says what it is for, and is good until it expires', () => {
    expect(token).toMatch(/^[\w-]{80,90}$/)
    expect(readLink(token)).toEqual({ purpose: 'reset', partition: 63, accountId: id, expiresAt })
    expect(readLink(mintLink(key, 'invitation', account, expiresAt))).toMatchObject({ purpose: 'invitation' })
    expect(isLinkGood(key, token, account, now)).toBe(true)
    expect(isLinkGood(key, token, account, expiresAt)).toBe(false)
    expect([limits.resetLinkMs, limits.invitationLinkMs]).toEqual([3_600_000, 604_800_000])
  })

  test.each<[Partial<AccountRecord>]>([
    [{ passwordHash: 'another' }],
    [{ passwordHash: '' }],
    [{ passwordChangedAt: 7 }],
    [{ disabledAt: 8 }],
    [{ claims: '{"email":"other@example.org"}' }],
    [{ claims: '' }],
    [{ id: 'somebody-else' }],
  ])('is dead once the account has %j', (over) => {
    expect(goodFor(over)).toBe(false)
  })

  test('lives on when anything else changes', () => {
    expect(goodFor({ changedAt: 9, loginName: 'Ada', claims: '{"email":"ada@example.org","name":"Ada"}' })).toBe(true)
  })

  test('of a disabled account is never good', () => {
    const disabled = { ...account, record: { ...record, disabledAt: 8 } }
    expect(isLinkGood(key, mintLink(key, 'reset', disabled, expiresAt), disabled, now)).toBe(false)
  })

  test('is of one account in one partition, and of one key', () => {
    expect(isLinkGood(key, token, { ...account, partition: 1 }, now)).toBe(false)
    expect(isLinkGood(createSecretKey(randomBytes(32)), token, account, now)).toBe(false)
    const alike = { ...account, record: { ...record, id: `${id.slice(0, -1)}${id.endsWith('A') ? 'Q' : 'A'}` } }
    expect(isLinkGood(key, token, alike, now)).toBe(false)
  })

  test('is dead with any bit of it changed, and cut short anywhere', () => {
    const bytes = Buffer.from(token, 'base64url')
    for (let most = 0; most < token.length; most++)
      expect(isLinkGood(key, token.slice(0, most), account, now)).toBe(false)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(isLinkGood(key, changed.toString('base64url'), account, now)).toBe(false)
    }
  })

  test.each([
    '',
    'x',
    `${token}A`,
    `${token}=`,
    ` ${token}`,
    token.replace(/^../, 'AA'),
    'A'.repeat(80),
    'A'.repeat(100_000),
    Buffer.concat([Buffer.from([1, 9]), Buffer.alloc(61, 65)]).toString('base64url'),
    Buffer.concat([Buffer.from([1, 0, 0]), Buffer.alloc(6), Buffer.from('../0:x'), Buffer.alloc(32)]).toString(
      'base64url',
    ),
  ])('is not %j', (made) => {
    expect(readLink(made)).toBeUndefined()
    expect(isLinkGood(key, made, account, now)).toBe(false)
  })
})
