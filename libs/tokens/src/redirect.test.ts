import { describe, expect, test } from '@jest/globals'
import { isRegisteredRedirect } from './redirect.ts'

const registered = ['https://app.example/callback', 'http://127.0.0.1/callback', 'com.example.app:/callback']

describe('where a code may be sent', () => {
  test.each([
    'https://app.example/callback',
    'com.example.app:/callback',
    'http://127.0.0.1/callback',
    'http://127.0.0.1:51004/callback',
  ])('%s is registered', (given) => expect(isRegisteredRedirect(registered, given)).toBe(true))

  test.each([
    'https://app.example/Callback',
    'https://APP.example/callback',
    'https://app.example/callback/',
    'https://app.example/callback?x=1',
    'https://app.example/callback#x',
    'https://app.example/..;/callback',
    'https://user@app.example/callback',
    'https://app.example:443/callback',
    'https://app.example.evil.example/callback',
    'http://app.example/callback',
    'http://127.0.0.1:51004/other',
    'http://127.0.0.1:51004/callback?x=1',
    'http://127.0.0.1:51004@evil.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:x/callback',
    'http://localhost:51004/callback',
    'http://[::1]:51004/callback',
    'https://127.0.0.1:51004/callback',
    'javascript:alert(1)',
    '',
  ])('%s is not', (given) => expect(isRegisteredRedirect(registered, given)).toBe(false))

  test('a port is free for a registered loopback address with a port, too, and for IPv6', () => {
    expect(isRegisteredRedirect(['http://[::1]:1/cb'], 'http://[::1]:65000/cb')).toBe(true)
    expect(isRegisteredRedirect(['http://127.0.0.1:1/cb'], 'http://[::1]:1/cb')).toBe(false)
  })
})
