import { describe, expect, test } from '@jest/globals'
import { rolesByRules, type RoleBearer, type RoleCondition } from './index.ts'

const who: RoleBearer = {
  provider: 'staff',
  email: 'Ada@Example.org',
  loginName: 'Ada',
  roles: ['/group/a', 'dev'],
  attributes: [
    { name: 'team', values: ['red', 'blue'] },
    { name: 'team', values: ['green'] },
    { name: '__proto__', values: ['x'] },
  ],
}
const holds = (when: RoleCondition, over: Partial<RoleBearer> = {}) =>
  rolesByRules([{ grant: ['admin'], when }], { ...who, ...over }).includes('admin')

describe('a rule for roles', () => {
  test.each<[RoleCondition]>([
    [{ provider: 'staff' }],
    [{ email: ['x@y.example', 'aDA@eXAMPLE.ORG'] }],
    [{ emailDomains: ['EXAMPLE.org'] }],
    [{ loginName: ['bob', ' ADA '] }],
    [{ roles: ['x', 'dev'] }],
    [{ attributes: { team: ['green', 'x'] } }],
    [{ attributes: JSON.parse('{"__proto__":["x"]}') as Record<string, string[]> }],
    [{ provider: 'staff', email: ['ada@example.org'], roles: ['dev'], attributes: { team: ['red'] } }],
  ])('grants where %j holds', (when) => {
    expect(holds(when)).toBe(true)
  })

  test.each<[RoleCondition]>([
    [{}],
    [{ provider: 'Staff' }],
    [{ email: ['da@example.org', 'ada@example.org.evil.example', 'ada@example'] }],
    [{ email: [] }],
    [{ emailDomains: ['ample.org', 'org', 'sub.example.org', '@example.org', ''] }],
    [{ loginName: ['adam', ''] }],
    [{ roles: ['DEV', 'group/a', ''] }],
    [{ attributes: { team: ['RED'], Team: ['red'] } }],
    [{ attributes: { constructor: ['x'], toString: ['x'] } }],
    [{ attributes: { team: ['red'], other: ['x'] } }],
    [{ attributes: {} }],
    [{ provider: 'staff', email: ['bob@example.org'] }],
    [{ provider: 'other', roles: ['dev'] }],
  ])('grants nothing where %j does not hold', (when) => {
    expect(holds(when)).toBe(false)
  })

  test('asks for the address only where it is trusted, and for a login name only where there is one', () => {
    const unknown = { email: undefined, loginName: undefined }
    expect(holds({ email: ['ada@example.org', '', 'undefined'] }, unknown)).toBe(false)
    expect(holds({ emailDomains: ['example.org', '', 'undefined'] }, unknown)).toBe(false)
    expect(holds({ loginName: ['ada', '', 'undefined'] }, unknown)).toBe(false)
    expect(holds({ email: [''] }, { email: '' })).toBe(false)
    expect(holds({ emailDomains: [''] }, { email: 'ada@' })).toBe(false)
    expect(holds({ loginName: [''] }, { loginName: '' })).toBe(false)
    expect(holds({ emailDomains: ['example.org'] }, { email: 'example.org' })).toBe(false)
  })

  test('takes what stands after the last @ for the domain', () => {
    expect(holds({ emailDomains: ['example.org'] }, { email: '"a@example.org"@evil.example' })).toBe(false)
    expect(holds({ emailDomains: ['evil.example'] }, { email: '"a@example.org"@evil.example' })).toBe(true)
  })

  test('does not take letters of other alphabets for those they look like', () => {
    expect(holds({ email: ['kim@example.org'] }, { email: '\u212aim@example.org' })).toBe(false)
    expect(holds({ emailDomains: ['kite.example'] }, { email: 'a@\u212aite.example' })).toBe(false)
    expect(holds({ email: ['\u212aim@example.org'] }, { email: 'kim@example.org' })).toBe(false)
    expect(holds({ email: ['jörg@example.org'] }, { email: 'Jörg@example.org' })).toBe(true)
  })

  test('adds to others, each role once and in order; what one grants is no reason for the next', () => {
    const rules = [
      { grant: ['b', 'a'], when: { provider: 'staff' } },
      { grant: ['c'], when: { roles: ['a'] } },
      { grant: ['a', 'd'], when: { roles: ['dev'] } },
    ]
    expect(rolesByRules(rules, who)).toEqual(['a', 'b', 'd'])
    expect(rolesByRules([], who)).toEqual([])
  })
})
