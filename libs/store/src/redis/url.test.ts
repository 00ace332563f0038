import { describe, expect, test } from '@jest/globals'
import { parseRedisUrl } from './url.ts'

const nothing = { username: undefined, password: undefined, sentinelUsername: undefined, sentinelPassword: undefined }
const standalone = { topology: 'standalone', tls: false, ...nothing, primaryName: undefined, database: 0 }

describe('the URL of a Redis', () => {
  test.each<[string, object]>([
    ['redis://localhost', { ...standalone, nodes: [{ host: 'localhost', port: 6379 }] }],
    ['redis://10.0.0.1:7000/3', { ...standalone, nodes: [{ host: '10.0.0.1', port: 7000 }], database: 3 }],
    ['rediss://[::1]:7000', { ...standalone, tls: true, nodes: [{ host: '::1', port: 7000 }] }],
    ['redis://:p%40s%2Fs@h', { ...standalone, nodes: [{ host: 'h', port: 6379 }], password: 'p@s/s' }],
    ['redis://u:p:q@h', { ...standalone, nodes: [{ host: 'h', port: 6379 }], username: 'u', password: 'p:q' }],
    [
      'rediss+sentinel://u:p@a,b:1/main/2?sentinel_username=s&sentinel_password=%3F',
      {
        topology: 'sentinel',
        tls: true,
        nodes: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 1 },
        ],
        username: 'u',
        password: 'p',
        sentinelUsername: 's',
        sentinelPassword: '?',
        primaryName: 'main',
        database: 2,
      },
    ],
    [
      'redis+cluster://a:1,b:2',
      {
        ...standalone,
        topology: 'cluster',
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
  ])('%s is understood', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })

  test.each([
    'http://h',
    'redis://',
    'redis://a,b',
    'redis://h:0',
    'redis://h:65536',
    'redis://h/x',
    'redis://h/1/2',
    'redis://u:hidden%@h',
    'redis://u:hidden@',
    'redis+sentinel://u:hidden@h',
    'redis+cluster://u:hidden@h/1',
    'redis+other://u:hidden@h',
  ])('%s is refused, showing nothing of it', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/^the URL of the store must be redis:/)
    expect(() => parseRedisUrl(url)).not.toThrow(/hidden/)
  })
})
