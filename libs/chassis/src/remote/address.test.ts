import { describe, expect, test } from '@jest/globals'
import { checkRemoteUrl, guardedLookup, remoteUrl, type Reach } from './address.ts'

const internet: Reach = { allowLoopback: false }
const machine: Reach = { allowLoopback: true }
const networks: Reach = { allowLoopback: false, allowPrivate: true }
const isTaken = (url: string, reach: Reach) => {
  try {
    return Boolean(remoteUrl(url, reach))
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'invalid_request' })
    return false
  }
}

describe('a URL that is to be asked for something', () => {
  test.each([
    'https://example.org/jwks?a=b',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]:8443/',
    'https://[64:ff9b::8.8.8.8]/',
  ])('may be %s', (url) =>
    expect([internet, machine, networks].map((reach) => isTaken(url, reach))).toEqual([true, true, true]),
  )

  test.each(['127.0.0.1', '127.1', '0x7f000001', '2130706433', '[::1]', 'localhost', 'a.localhost', 'LOCALHOST.'])(
    'is of this machine at %s, which must be allowed',
    (host) => {
      const taken = [internet, machine, networks].map((reach) => isTaken(`https://${host}:1/`, reach))
      expect(taken).toEqual([false, true, false])
      expect(isTaken(`http://${host}:1/`, machine)).toBe(true)
    },
  )

  test.each(['10.0.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '[fd12::1]', '[64:ff9b::10.0.0.1]'])(
    'is of a private network at %s, which must be allowed',
    (host) => {
      const taken = [internet, machine, networks].map((reach) => isTaken(`https://${host}/`, reach))
      expect(taken).toEqual([false, false, true])
    },
  )

  test.each([
    ...['169.254.169.254', '100.100.100.200', '168.63.129.16', '192.0.0.192', '[fd00:ec2::254]', '[fe80::1]'],
    ...['0.0.0.0', '255.255.255.255', '224.0.0.1', '[::]', '[::ffff:127.0.0.1]', '[::ffff:8.8.8.8]', '[::127.0.0.1]'],
    ...['[64:ff9b::127.0.0.1]', '[64:ff9b::169.254.169.254]', '[2002:7f00:1::]', '[2001:0:7f00:1::]', '[ff02::1]'],
    ...['192.0.2.1', '[2001:db8::1]', '198.18.0.1'],
  ])('is never at %s', (host) => {
    const everything = { allowLoopback: true, allowPrivate: true }
    expect([internet, everything].map((reach) => isTaken(`https://${host}/`, reach))).toEqual([false, false])
  })

  test.each([
    ...['http://8.8.8.8/', 'http://10.0.0.1/', 'ftp://example.org/', 'file:///etc/passwd', 'javascript:0', 'x', ''],
    ...['https://me@example.org/', 'https://:x@example.org/', 'https://example.org/#x'],
    `https://example.org/${'x'.repeat(2_048)}`,
  ])('is refused when it is %s', (url) => {
    expect([internet, machine, networks].map((reach) => isTaken(url, reach))).toEqual([false, false, false])
  })

  test('is refused by name, too, when the name is that of this machine or of nothing', async () => {
    await expect(checkRemoteUrl('https://localhost/', internet)).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(checkRemoteUrl('https://nothing.invalid/', internet)).rejects.toMatchObject({
      code: 'invalid_request',
    })
    expect((await checkRemoteUrl('https://localhost/', machine)).host).toBe('localhost')
    expect((await checkRemoteUrl('https://8.8.8.8/', internet)).host).toBe('8.8.8.8')
  })

  test('is looked at again when a connection is made: a name may have moved', async () => {
    const resolved = (reach: Reach) =>
      new Promise((resolve) =>
        guardedLookup(false, reach)('localhost', {}, (error, address) => resolve(error ?? address)),
      )
    expect(await resolved(internet)).toMatchObject({ code: 'invalid_request' })
    expect(['127.0.0.1', '::1']).toContain(await resolved(machine))
  })
})
