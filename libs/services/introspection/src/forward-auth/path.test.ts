import { describe, expect, test } from '@jest/globals'
import { readPath } from './path.ts'

describe('the path of a request', () => {
  test.each([
    ['/', '/'],
    ['/api/reports', '/api/reports'],
    ['/api/', '/api/'],
    ['/api?path=/../x;y', '/api'],
    ['/a%20b', '/a b'],
    ['/%61dmin', '/admin'],
    ['/caf%C3%A9', '/café'],
    ['/100%25', '/100%'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a..b/...', '/a..b/...'],
  ])('%s is %s', (target, path) => {
    expect(readPath(target)).toEqual({ path })
  })

  test.each([
    '/public/../admin',
    '/..',
    '/./admin',
    '/admin/.',
    '/public/%2e%2e/admin',
    '/public/%2E./admin',
    '/public%2f..%2fadmin',
    '/public%2Fadmin',
    '//admin',
    '/public//admin',
    '/public/..;/admin',
    '/admin;x=1',
    '/admin%3bx',
    '/public\\..\\admin',
    '/public%5cadmin',
    '/admin%00.png',
    '/admin%0d%0a',
    '/admin%7f',
    '/admin#/public',
    '/admin%23',
    '/admin%3Fx',
    '/%252e%252e/admin',
    '/%25%32%65',
    '/%c0%ae%c0%ae/admin',
    '/%ff',
    '/%ed%a0%80',
  ])('%s can be read in two ways', (target) => {
    expect(readPath(target)).toBe('ambiguous')
  })

  test.each(['', 'admin', '*', 'http://x/admin', '/a b', '/a\tb', '/é', '/%', '/%4', '/%zz', `/${'x'.repeat(16_384)}`])(
    '%.20s is none',
    (target) => {
      expect(readPath(target)).toBe('malformed')
    },
  )
})
