import { describe, expect, test } from '@jest/globals'
import { createProxies } from './address.ts'

describe('who asks', () => {
  test('is the peer, whatever it claims, when it is no trusted proxy', () => {
    expect(createProxies([]).clientAddress('203.0.113.9', '10.0.0.1')).toBe('203.0.113.9')
    expect(createProxies(['10.0.0.0/8']).clientAddress('203.0.113.9', '198.51.100.1')).toBe('203.0.113.9')
  })

  test.each([
    ['10.0.0.1', '198.51.100.7', '198.51.100.7'],
    // The client sent the first entry itself; the proxy wrote the second.
    ['10.0.0.1', '1.1.1.1, 198.51.100.7', '198.51.100.7'],
    ['10.0.0.1', '198.51.100.7, 10.0.0.2', '198.51.100.7'],
    ['10.0.0.1', '1.1.1.1, 198.51.100.7, 10.0.0.3, 10.0.0.2', '198.51.100.7'],
    ['10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
    ['::ffff:10.0.0.1', '::ffff:198.51.100.7', '198.51.100.7'],
    ['10.0.0.1', '198.51.100.7:4711', '198.51.100.7'],
    ['10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['2001:db8::1', '198.51.100.7', '198.51.100.7'],
    ['10.0.0.1', '198.51.100.7, unknown', '10.0.0.1'],
    ['10.0.0.1', "198.51.100.7, 10.0.0.2' OR 1=1", '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    [undefined, '198.51.100.7', 'unknown'],
  ])('through trusted proxies: %s, saying %j, is %s', (peer, forwardedFor, address) =>
    expect(createProxies(['10.0.0.0/8', '2001:db8::1']).clientAddress(peer, forwardedFor)).toBe(address),
  )

  test('is looked for in a bounded number of entries', () => {
    const proxies = createProxies(['10.0.0.0/8'])
    const startedMs = performance.now()
    const address = proxies.clientAddress('10.0.0.1', `198.51.100.7${', 10.0.0.2'.repeat(1_600)}`)
    expect(address).toBe('10.0.0.2')
    expect(performance.now() - startedMs).toBeLessThan(50)
  })

  test.each([
    ['loopback', '127.0.0.1', '10.0.0.1'],
    ['linklocal', '169.254.1.1', '127.0.0.1'],
    ['uniquelocal', '192.168.1.1', '8.8.8.8'],
    ['uniquelocal', 'fd00::1', '2001:db8::1'],
  ])('%s covers %s and not %s', (name, inside, outside) => {
    expect(createProxies([name]).isTrusted(inside)).toBe(true)
    expect(createProxies([name]).isTrusted(outside)).toBe(false)
  })

  test('something else than an address is a mistake', () => {
    expect(() => createProxies(['gateway'])).toThrow()
    expect(() => createProxies(['10.0.0.0/99'])).toThrow()
  })
})
