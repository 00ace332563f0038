import { describe, expect, test } from '@jest/globals'
import { localPath, purposeIn } from './errand.ts'

describe('a page to go to after signing in', () => {
  test.each(['/account', '/account/sessions?x=1', '/', '/a%2fb', '/a//b'])('may be %s', (path) => {
    expect(localPath(path)).toBe(path)
  })

  test.each([
    ['//evil.example'],
    ['///evil.example'],
    ['/\\evil.example'],
    ['\\evil.example'],
    ['/.//evil.example'],
    ['/x/..//evil.example'],
    ['/\t/evil.example'],
    ['/\r\nlocation: //evil.example'],
    ['/a b'],
    ['/ä'],
    ['https://evil.example/'],
    ['javascript:alert(1)'],
    ['account'],
    ['@evil.example'],
    [''],
    ['/' + 'a'.repeat(2_000)],
  ])('is not %j', (path) => {
    expect(localPath(path)).toBeUndefined()
    expect(purposeIn(new Map([['return_to', path]]))).toBeUndefined()
  })

  test('gives way to what an application asks for', () => {
    const form = new Map([
      ['return_to', '/account'],
      ['request', 'r1'],
    ])
    expect(purposeIn(form)).toEqual({ $case: 'requestId', value: 'r1' })
  })
})
