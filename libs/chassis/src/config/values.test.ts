import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())

const second = (line: string, rest?: string) => folder.second(line, rest)

const duration = (bounds: string) => `expected a duration such as 30s, 12h or 30d, ${bounds}`
const address = 'expected an address such as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080'

describe('values', () => {
  test.each([
    ['another version', 'log: {}', 'version: 2', '1:10: version: expected 1, got 2'],
    ['a version in quotes', 'log: {}', "version: '1'", '1:10: version: expected 1, got "1"; did you mean 1?'],
  ])('%s', (_, yaml, version, line) => {
    expect(folder.problems(`${version}\n${yaml}`)).toEqual([`countersign.yaml:${line}`])
  })

  test.each([
    ['max_staleness: 30', `2:16: max_staleness: ${duration('from 0s to 1m')}, got 30; did you mean 30s?`],
    ['max_staleness: 0', `2:16: max_staleness: ${duration('from 0s to 1m')}, got 0; did you mean 0s?`],
    ['max_staleness: "5"', `2:16: max_staleness: ${duration('from 0s to 1m')}, got "5"; did you mean 5s?`],
    ['max_staleness: 61s', `2:16: max_staleness: ${duration('from 0s to 1m')}, got "61s"`],
    ['max_staleness: -1s', `2:16: max_staleness: ${duration('from 0s to 1m')}, got "-1s"`],
    ['max_staleness: 1.5s', `2:16: max_staleness: ${duration('from 0s to 1m')}, got "1.5s"`],
    ['max_staleness: 1S', `2:16: max_staleness: ${duration('from 0s to 1m')}, got "1S"`],
    [
      'lifetimes: { authorization_code: 11m }',
      `2:34: lifetimes.authorization_code: ${duration('from 1s to 10m')}, got "11m"`,
    ],
    ['keys: { rotate_every: 0s }', `2:23: keys.rotate_every: ${duration('from 1h to 3650d')}, got "0s"`],
    ['keys: { rotate_every: 59m }', `2:23: keys.rotate_every: ${duration('from 1h to 3650d')}, got "59m"`],
    [
      'lifetimes: { authorization_request: 25h }',
      `2:37: lifetimes.authorization_request: ${duration('from 1m to 1d')}, got "25h"`,
    ],
    ['lifetimes: { pushed_request: 11m }', `2:30: lifetimes.pushed_request: ${duration('from 5s to 10m')}, got "11m"`],
    ['lifetimes: { device_code: 59s }', `2:27: lifetimes.device_code: ${duration('from 1m to 1h')}, got "59s"`],
    [
      'authorization: { request_objects: sigend }',
      '2:35: authorization.request_objects: expected one of refused, signed, got "sigend"; did you mean signed?',
    ],
    [
      'registration: { initial_access_tokens: [fifteen-letters] }',
      '2:41: registration.initial_access_tokens[0]: is too short to be safe: at least 16 characters are needed',
    ],
    [
      'registration: { grants: [implicit] }',
      '2:26: registration.grants[0]: expected one of authorization_code, client_credentials, refresh_token, urn:ietf:params:oauth:grant-type:device_code, urn:ietf:params:oauth:grant-type:token-exchange, got "implicit"',
    ],
    [
      'services: { token_issuer: { target: "http://issuer:1" } }',
      '2:37: services.token_issuer.target: expected a host and port such as issuer.example:50051, got "http://issuer:1"',
    ],
    [
      'services: { token_issuer: { target: "issuer:0" } }',
      '2:37: services.token_issuer.target: expected a host and port such as issuer.example:50051, got "issuer:0"',
    ],
    [
      'providers: [{ id: p, kind: oidc, client_id: x, issuer: "https://p.example", token_exchange: { audience: [] } }]',
      '2:105: providers[0].token_exchange.audience: expected a list of 1 or more, got a list',
    ],
    [
      'providers: [{ id: p, kind: oidc, client_id: x, issuer: "https://p.example", token_exchange: { audience: a } }]',
      '2:105: providers[0].token_exchange.audience: expected a list of 1 or more, got "a"; did you mean [a]?',
    ],
    ['store: { partitions: 65 }', '2:22: store.partitions: expected a whole number from 1 to 64, got 65'],
    ['store: { partitions: 0 }', '2:22: store.partitions: expected a whole number from 1 to 64, got 0'],
    ['store: { wait_replicas: 1.5 }', '2:25: store.wait_replicas: expected a whole number from 0 to 8, got 1.5'],
    ['store: { wait_replicas: "2" }', '2:25: store.wait_replicas: expected a whole number from 0 to 8, got "2"'],
    ['store: { allow_unsafe: yes }', '2:24: store.allow_unsafe: expected true or false, got "yes"'],
    ['authentication: false', '2:17: authentication: expected one of on, off, got false; did you mean off?'],
    [
      'log: { level: inof }',
      '2:15: log.level: expected one of trace, debug, info, warn, error, fatal, silent, got "inof"; did you mean info?',
    ],
    [
      'trusted_proxies: 10.0.0.0/8',
      '2:18: trusted_proxies: expected a list, got "10.0.0.0/8"; did you mean [10.0.0.0/8]?',
    ],
    [
      'trusted_proxies: [10.0.0.0/33]',
      '2:19: trusted_proxies[0]: expected an address, a range such as 10.0.0.0/8, or loopback, linklocal or uniquelocal, got "10.0.0.0/33"',
    ],
    ['listen: { http: 8080 }', `2:17: listen.http: ${address}, got 8080; did you mean 127.0.0.1:8080?`],
    ['listen: { http: ":8080" }', `2:17: listen.http: ${address}, got ":8080"; did you mean 127.0.0.1:8080?`],
    ['listen: { http: "127.0.0.1:65536" }', `2:17: listen.http: ${address}, got "127.0.0.1:65536"`],
    ['listen: { http: "::1:8080" }', `2:17: listen.http: ${address}, got "::1:8080"`],
    ['listen: { http: "[::g]:8080" }', `2:17: listen.http: ${address}, got "[::g]:8080"`],
    ['listen: { http: "300.1.1.1:80" }', `2:17: listen.http: ${address}, got "300.1.1.1:80"`],
    [
      'listen: { http: "127.0.0.1:80", grpc: "127.0.0.1:80" }',
      '2:39: listen.grpc: 127.0.0.1:80 is listen.http already',
    ],
  ])('%s', (yaml, line) => {
    expect(second(yaml)).toEqual([line])
  })

  test.each(['[::1]:8080', '127.0.0.1:0', 'localhost:8080', '0.0.0.0:80'])('%s is an address to listen on', (given) => {
    expect(second(`listen: { http: "${given}" }`)).toEqual([])
  })

  test.each(['0s', '250ms', '30s', '1m'])('%s is a duration', (given) => {
    expect(second(`max_staleness: ${given}`)).toEqual([])
  })
})
