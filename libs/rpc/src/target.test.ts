import { describe, expect, test } from '@jest/globals'
import { hostsOf, isLoopback } from './target.ts'

describe('a target', () => {
  test.each([
    ['localhost:50051', ['localhost']],
    ['dns:///introspection.example:50051', ['introspection.example']],
    ['dns://10.0.0.53/introspection.example:50051', ['introspection.example']],
    ['dns:introspection.example', ['introspection.example']],
    ['ipv4:127.0.0.1:1,10.0.0.2:2', ['127.0.0.1', '10.0.0.2']],
    ['ipv6:[::1]:50051', ['::1']],
    ['[::1]:50051', ['::1']],
    ['unix:/run/countersign.sock', []],
  ])('%s names %j', (target, hosts) => expect(hostsOf(target)).toEqual(hosts))

  test.each(['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]'])('%s is loopback', (host) =>
    expect(isLoopback(host)).toBe(true),
  )

  test.each(['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '127.0.0.1.example', '1270.0.0.1'])(
    '%s is not loopback',
    (host) => expect(isLoopback(host)).toBe(false),
  )
})
