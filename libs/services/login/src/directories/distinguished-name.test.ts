import { describe, expect, test } from '@jest/globals'
import { canonicalName, readName } from './distinguished-name.ts'
import { limits } from './limits.ts'

describe('a distinguished name', () => {
  test.each([
    ['cn=Admins,ou=Groups,dc=example', 'CN=admins, OU=groups ,DC = EXAMPLE'],
    ['cn=a\\,b,dc=x', 'cn=a\\2Cb,dc=x'],
    ['cn=a\\,b,dc=x', 'cn="a,b";dc=x'],
    ['cn=J\\C3\\BCrgen,dc=x', 'cn=jürgen,dc=x'],
    ['cn=a+uid=b,dc=x', 'uid=b+cn=a,dc=x'],
    ['cn=a\\ ,dc=x', 'cn=a\\20,dc=x'],
  ])('is the same however it is written: %s', (one, other) => {
    expect(canonicalName(one)).toBeDefined()
    expect(canonicalName(other)).toBe(canonicalName(one))
  })

  test.each([
    ['cn=admins,dc=x', 'cn=admins,ou=fake,dc=x'],
    ['cn=a\\,dc\\=x,dc=x', 'cn=a,dc=x,dc=x'],
    ['cn=a\\+uid=b,dc=x', 'cn=a+uid=b,dc=x'],
    ['cn=a\\ ,dc=x', 'cn=a,dc=x'],
    ['ou=admins,dc=x', 'cn=admins,dc=x'],
  ])('is another: %s', (one, other) => {
    expect(canonicalName(one)).toBeDefined()
    expect(canonicalName(other)).toBeDefined()
    expect(canonicalName(other)).not.toBe(canonicalName(one))
  })

  test('has a leaf, which may be of several pairs', () => {
    expect(readName('cn=Ada\\2C L+uid=ada,dc=x')?.[0]).toEqual([
      ['cn', 'ada, l'],
      ['uid', 'ada'],
    ])
  })

  test.each([
    'admins',
    '',
    'cn=a,',
    ',cn=a',
    'cn=a,,dc=x',
    'cn="a',
    'cn=a\\',
    '=a',
    `cn=${'a'.repeat(limits.nameCharacters)}`,
  ])('is not what is written as %j', (written) => expect(readName(written)).toBeUndefined())

  test('takes no time to read, whatever it is', () => {
    const begun = performance.now()
    for (const text of ['cn=a ', 'cn="\\"', 'cn=\\\\', 'cn=a;', '"'])
      readName(text.repeat(limits.nameCharacters / text.length))
    expect(performance.now() - begun).toBeLessThan(200)
  })
})
