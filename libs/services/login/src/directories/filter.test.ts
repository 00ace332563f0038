import { describe, expect, test } from '@jest/globals'
import { compileFilter } from './filter.ts'

const names = ['login_name', 'email'] as const
const fill = (template: string, values: Partial<Record<(typeof names)[number], string>>) =>
  compileFilter(template, names)({ login_name: undefined, email: undefined, ...values })

describe('a filter with places for values', () => {
  test('has them filled, each as often as it stands there', () => {
    expect(fill('(|(uid={login_name})(cn={login_name}))', { login_name: 'ada' })).toBe('(|(uid=ada)(cn=ada))')
    expect(fill('(mail={login_name}@example.org)', { login_name: 'jürgen' })).toBe('(mail=jürgen@example.org)')
  })

  test.each([
    ['*', '(uid=\\2a)'],
    [')(uid=*', '(uid=\\29\\28uid=\\2a)'],
    ['\\2a', '(uid=\\5c2a)'],
    ['{email}', '(uid={email})'],
    ['$&', '(uid=$&)'],
    ['東京', '(uid=東京)'],
  ])('takes the value %s for nothing but a value', (login_name, expected) => {
    expect(fill('(uid={login_name})', { login_name, email: 'x@example.org' })).toBe(expected)
  })

  test.each([
    ['nothing', ''],
    ['NUL', 'ada\0'],
    ['a control character', 'ada\n'],
    ['a soft hyphen', 'ad\u00ada'],
    ['a grapheme joiner', 'ad\u034fa'],
    ['a variation selector', 'ada\ufe0f'],
    ['an object replacement', 'ada\ufffc'],
    ['letters of another width', 'ａda'],
    ['space around it', ' ada'],
    ['two spaces within it', 'ada  l'],
    ['half a character', 'ada\ud800'],
  ])('is not asked with a value that a directory may see as another: %s', (_, login_name) => {
    expect(fill('(uid={login_name})', { login_name })).toBeUndefined()
  })

  test('is not asked when one of its values is absent', () => {
    expect(fill('(|(uid={login_name})(mail={email}))', { login_name: 'ada' })).toBeUndefined()
  })

  test.each([
    '(uid=ada)',
    '(uid={name})',
    '(&(uid={login_name})(x={dn}))',
    '(uid={login_name}',
    '(uid={login_name}))',
    '({login_name}=x)',
    '(uid{login_name}=x)',
    '',
  ])('cannot be %j', (template) => {
    expect(() => compileFilter(template, names)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})
