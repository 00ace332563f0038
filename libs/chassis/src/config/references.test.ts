import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())

const second = (line: string, rest?: string) => folder.second(line, rest)

const id = 'expected an id of letters, digits and . _ ~ -, beginning with a letter or digit'

describe('ids, scopes and references', () => {
  const resources = 'resources: [{ id: reports, audience: "urn:r" }, { id: music, audience: "urn:m" }]'

  test.each([
    ['clients: [{ id: "a b", secret: s }]', `2:17: clients[0].id: ${id}, got "a b"`],
    ['clients: [{ id: 12, secret: s }]', `2:17: clients[0].id: ${id}, got 12; did you mean "12"?`],
    ['clients: [{ id: "a\\u202eb", secret: s }]', `2:17: clients[0].id: ${id}, got "a\\u202eb"`],
    [`clients: [{ id: ${'x'.repeat(129)}, secret: s }]`, `2:17: clients[0].id: ${id}, got "${'x'.repeat(60)}…"`],
    ['clients: [{ secret: s }]', `2:11: clients[0].id: ${id}, got nothing`],
    ['clients: [{ id: a, secret: s }, { id: a, secret: s }]', '2:39: clients[1].id: "a" is clients[0].id already'],
    [
      'resources: [{ id: r, audience: "urn:r" }, { id: s, audience: "urn:r" }]',
      '2:62: resources[1].audience: "urn:r" is resources[0].audience already',
    ],
    [
      'clients: [{ id: a, secret: s, scopes: ["read reports"] }]',
      '2:40: clients[0].scopes[0]: expected a scope: printable ASCII without space, " and \\ (RFC 6749 section 3.3), got "read reports"',
    ],
    [
      'clients: [{ id: a, secret: s, scopes: ["räd"] }]',
      '2:40: clients[0].scopes[0]: expected a scope: printable ASCII without space, " and \\ (RFC 6749 section 3.3), got "räd"',
    ],
    [
      'resources: [{ id: r, audience: "urn:r", scopes: { "a b": x } }]',
      '2:51: resources[0].scopes["a b"]: expected a scope: printable ASCII without space, " and \\ (RFC 6749 section 3.3), got "a b"',
    ],
    [
      'clients: [{ id: a, secret: s, grants: [client_credential] }]',
      '2:40: clients[0].grants[0]: expected one of authorization_code, client_credentials, refresh_token, urn:ietf:params:oauth:grant-type:device_code, urn:ietf:params:oauth:grant-type:token-exchange, got "client_credential"; did you mean client_credentials?',
    ],
    ['clients: [{ id: a, secret: s, name: "a\\nb" }]', '2:37: clients[0].name: expected text on one line, got "a\\nb"'],
    ['bridges: [{ id: b, provider: hub }]', '2:30: bridges[0].provider: expected the id of a provider, got "hub"'],
    [
      'providers: [{ id: p, kind: googel }]',
      '2:28: providers[0].kind: expected one of google, oidc, github, oauth2, local, got "googel"; did you mean google?',
    ],
    ['providers: [{ id: p, kind: local, roles_claim: y }]', '2:35: providers[0].roles_claim: is not a key'],
    [
      'directories: [{ id: d, url: "ldaps://h", base: dc=x, filter: "(uid={login_name})" }, { id: d, url: "ldaps://h", base: dc=x, filter: "(uid={login_name})" }]',
      '2:92: directories[1].id: "d" is directories[0].id already',
    ],
  ])('%s', (yaml, line) => {
    expect(second(yaml)).toEqual([line])
  })

  test.each([
    [
      'audience: [reprots]',
      '3:42: clients[0].audience[0]: expected the id of a resource, got "reprots"; did you mean reports?',
    ],
    ['audience: ["*"]', `3:42: clients[0].audience[0]: ${id}, got "*"`],
    [
      'introspect: [musik]',
      '3:44: clients[0].introspect[0]: expected the id of a resource, or *, got "musik"; did you mean music?',
    ],
  ])('clients[0] with %s', (keys, line) => {
    expect(second(resources, `clients: [{ id: a, secret: s, ${keys} }]`)).toEqual([line])
  })

  test('what registered clients get tokens for is there', () => {
    expect(second(resources, 'registration: { audience: [reports, musik] }')).toEqual([
      '3:37: registration.audience[1]: expected the id of a resource, got "musik"; did you mean music?',
    ])
  })

  test('a role and a directory name providers that are there', () => {
    const yaml = 'providers: [{ id: staff, kind: local }]'
    const directory = 'id: d, url: "ldaps://h", base: dc=x, filter: "(uid={login_name})"'
    expect(second(yaml, `directories: [{ ${directory}, providers: [staff, stuff] }]`)).toEqual([
      '3:103: directories[0].providers[1]: expected the id of a provider, got "stuff"; did you mean staff?',
    ])
    expect(second(yaml, 'roles: [{ grant: [admin], when: { provider: staf } }]')).toEqual([
      '3:45: roles[0].when.provider: expected the id of a provider, got "staf"; did you mean staff?',
    ])
  })
})
