import { describe, expect, test } from '@jest/globals'
import { attributesIn, claimAt, emailIn, methodsIn, profileIn, rolesIn } from './claims.ts'
import { textOf } from './text.ts'

const nobody: unknown = JSON.parse('{"__proto__":{"roles":["admin"]},"constructor":null}')
const hostile = [
  7,
  {},
  [],
  true,
  null,
  '',
  '  ',
  'x'.repeat(5_000_000),
  'a\0b',
  'a\r\nb',
  'a\u202eb',
  'a\u2066b',
  '\ud800',
]

describe('text of a provider', () => {
  test.each(['Ann', 'Ünal Øy', '山田太郎', 'می‌خواهم', '👩‍🔬', 'x'.repeat(254)])('is taken: %s', (text) => {
    expect(textOf(text)).toBe(text)
  })

  test('is left out unless it is well-formed, in sight and short', () => {
    const left = [
      ...hostile,
      'x'.repeat(255),
      'a\u0085b',
      'a\u2028b',
      'a\u200bb',
      '\ufeffa',
      'a\u{e0041}b',
      '\u001b[2J',
    ]
    for (const text of left) expect(textOf(text)).toBeUndefined()
  })
})

describe('a claim at a path', () => {
  const claims = {
    'realm.roles': ['whole'],
    realm: { roles: ['path'] },
    resource_access: { 'app.example': { roles: ['dotted'] }, app: { roles: ['plain'] } },
    empty: null,
  }
  test.each([
    ['realm.roles', ['whole']],
    ['resource_access.app.example.roles', ['dotted']],
    ['resource_access.app.roles', ['plain']],
    ['realm.roles.0', undefined],
    ['realm.', undefined],
    ['empty', undefined],
    ['empty.roles', undefined],
    ['toString', undefined],
    ['realm.constructor.name', undefined],
    ['__proto__', undefined],
  ])('%s is %j', (path, value) => expect(claimAt(claims, path)).toEqual(value))

  test('is never one that an object has by nature', () => {
    expect(rolesIn([nobody as Record<string, unknown>], ['roles', '__proto__.length', 'constructor.name'])).toEqual([])
  })
})

describe('what a provider says of somebody', () => {
  test('is left out where it is not what it should be', () => {
    for (const value of hostile) {
      const claims = Object.fromEntries(
        ['name', 'locale', 'picture', 'website', 'email', 'phone_number', 'address'].map((name) => [name, value]),
      )
      expect(profileIn([{ ...claims, address: { locality: value, country: 'CH' } }])).toEqual({
        address: { country: 'CH' },
      })
      expect(emailIn([claims])).toBeUndefined()
      expect(profileIn([{ ...claims, phone_number: '+41 1', phone_number_verified: value }])).toEqual({
        phone_number: '+41 1',
        phone_number_verified: value === true,
      })
    }
    const urls = ['javascript:alert(1)', 'data:text/html,x', '//evil.example', 'https://', 'http:evil']
    for (const picture of urls) expect(profileIn([{ picture, profile: picture, website: picture }])).toEqual({})
  })

  test.each([
    ...['ann', '@example.org', 'ann@', 'ann@a@b', 'a b@c', 'Ann <a@b>', 'a@b,c@d', 'a;b@c', '"a"@b', 'a:b@c'],
    ...[`${'x'.repeat(65)}@example.org`, `a@${'x'.repeat(253)}`, 'a\r\nb@c'],
  ])('has no e-mail address that is %j', (email) => expect(emailIn([{ email }])).toBeUndefined())

  test('has an address that is verified by the same word only', () => {
    const [idToken, userinfo] = [{ email: 'a@example.org' }, { email: 'b@example.org', email_verified: true }]
    expect(emailIn([idToken, userinfo])).toEqual({ address: 'a@example.org', isVerified: undefined })
    expect(emailIn([{}, userinfo])).toEqual({ address: 'b@example.org', isVerified: true })
    for (const word of [false, 'false', 1, 0, 'yes', {}, '']) {
      expect(emailIn([{ ...idToken, email_verified: word }])?.isVerified).toBe(false)
    }
    expect(emailIn([{ ...idToken, email_verified: 'true' }])?.isVerified).toBe(true)
    expect(emailIn([{ user: { mail: 'a@b', email_verified: false } }], 'user.mail')?.isVerified).toBe(false)
  })

  test('comes from the first source that says it', () => {
    const sources = [
      { name: 'Ann', updated_at: 'never' },
      { name: 'Bob', nickname: 'B', sub: 'x', admin: true },
    ]
    expect(profileIn(sources)).toEqual({ name: 'Ann', nickname: 'B' })
  })

  test('gives roles of all sources, at most 200 of at most 128 characters', () => {
    const many = Array.from({ length: 5_000 }, (_, n) => `role-${n}`)
    expect(rolesIn([{ groups: ['a', 'b'] }, { groups: 'c', roles: ['a'] }], ['groups', 'roles'])).toEqual([
      'a',
      'b',
      'c',
    ])
    expect(
      rolesIn([{ groups: [...hostile, 'x'.repeat(129), ['admin'], { admin: true }, ...many] }], ['groups']),
    ).toEqual(many.slice(0, 200))
    expect(rolesIn([{ groups: ['a'] }], [])).toEqual([])
  })

  test('gives attributes of text, numbers and truth, at most 50 values each', () => {
    const many = Array.from({ length: 80 }, (_, n) => n)
    const claims = {
      unit: 'physics',
      floor: 3,
      remote: false,
      many,
      bad: hostile,
      deep: { x: ['y', 'y'] },
      wide: 1e400,
    }
    const paths = {
      unit: 'unit',
      floor: 'floor',
      remote: 'remote',
      many: 'many',
      bad: 'bad',
      deep: 'deep.x',
      wide: 'wide',
    }
    expect(attributesIn([claims, { unit: 'other' }], paths)).toEqual([
      { name: 'unit', values: ['physics'] },
      { name: 'floor', values: ['3'] },
      { name: 'remote', values: ['false'] },
      { name: 'many', values: many.slice(0, 50).map(String) },
      { name: 'bad', values: ['7', 'true'] },
      { name: 'deep', values: ['y'] },
    ])
  })

  test('tells how they were authenticated there', () => {
    const amr = [...hostile, 'pwd', 'pwd', 'x'.repeat(65), ...Array.from({ length: 30 }, (_, n) => `m${n}`)]
    expect(methodsIn({ amr, acr: 7 })).toEqual({
      amr: ['pwd', ...Array.from({ length: 15 }, (_, n) => `m${n}`)],
      acr: '',
    })
    expect(methodsIn({ amr: 'pwd', acr: 'gold' })).toEqual({ amr: [], acr: 'gold' })
  })
})
