import { expect, test } from '@jest/globals'
import { isMailAddress, readMailbox } from './address.ts'

test.each(['a@b', 'ada.l+x@example.org', "o'neil@example.org", 'jürgen@münchen.example', '東@東京.jp'])(
  'mail can be sent to %s',
  (address) => expect(isMailAddress(address)).toBe(true),
)

test.each([
  ...['', 'ada', '@example.org', 'ada@', 'ada@@example.org', 'a@b@example.org', 'ada @example.org', 'ada@example org'],
  ...['ada@example.org\r\nBcc: eve@example.org', 'ada@example.org\n', 'ada\0@example.org', 'a\u2028b@example.org'],
  ...[
    'ada@example.org,eve@example.org',
    'ada@example.org;eve@example.org',
    'Ada <ada@example.org>',
    '<ada@example.org>',
  ],
  ...[
    '"a b"@example.org',
    'list:ada@example.org',
    'ada@[127.0.0.1]',
    'ada(x)@example.org',
    'ada@-x',
    'ada@x-',
    'a\\@x',
  ],
  ...[`${'a'.repeat(65)}@example.org`, `a@${'x'.repeat(260)}`, 'ada@x\ud800'],
])('no mail is sent to %j', (address) => expect(isMailAddress(address)).toBe(false))

test('a sender has an address and may have a name', () => {
  expect(readMailbox('no-reply@example.org')).toEqual({ name: '', address: 'no-reply@example.org' })
  expect(readMailbox('"Sign-in, Example" <no-reply@example.org>')).toEqual({
    name: 'Sign-in, Example',
    address: 'no-reply@example.org',
  })
  for (const wrong of ['', 'Example', 'a@x, b@x', 'X <a@x>, Y <b@x>', 'X: a@x, b@x;', 'X\r\nBcc: e@x <a@x>'])
    expect(readMailbox(wrong)).toBeUndefined()
})
