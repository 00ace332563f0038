import { describe, expect, test } from '@jest/globals'
import { baseUrl, urlAt } from './client.ts'

describe('the address of the server', () => {
  test.each([
    'http://localhost:8080',
    'http://127.0.0.1',
    'http://127.1:8080',
    'http://[::1]:8080',
    'https://auth.example/x',
  ])('may be %s', (given) => expect(baseUrl(given, '--issuer', false).href).toContain('://'))

  test.each([
    'http://auth.example',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://10.0.0.1',
    'http://0.0.0.0:8080',
    'http://[::2]',
  ])('may not be %s unless plaintext is allowed', (given) => {
    expect(() => baseUrl(given, '--issuer', false)).toThrow('without TLS')
    expect(baseUrl(given, '--issuer', true).protocol).toBe('http:')
  })

  test.each([
    '',
    'auth.example',
    'ftp://auth.example',
    'https://user:hunter2@auth.example',
    'https://a.example/?x',
    'https://a.example/#x',
  ])('may not be %j, which is not repeated', (given) =>
    expect(() => baseUrl(given, '--issuer', true)).toThrow(/^--issuer must be a URL such as https:\/\/auth\.example,/),
  )

  test('keeps its path before ours', () => {
    const url = urlAt(new URL('https://a.example/auth/'), '/oauth2/token', { type: 'a b', subject: undefined })
    expect(url.href).toBe('https://a.example/auth/oauth2/token?type=a+b')
  })
})
