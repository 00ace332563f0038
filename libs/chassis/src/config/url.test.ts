import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())

const second = (line: string, rest?: string) => folder.second(line, rest)

const stores =
  'sqlite:path, redis://host, redis+sentinel://host,…/name, redis+cluster://host,… or the same with rediss for TLS'
const issuer = 'expected an https:// URL (http:// on loopback) without query, fragment and slash at the end'
const redirect =
  'expected an absolute URI without fragment: https://…, http:// on loopback, or an app’s com.example.app:/… (RFC 8252)'

describe('URLs', () => {
  test.each([
    ['https://auth.example/', '; did you mean https://auth.example?'],
    ['HTTPS://Auth.Example:443', '; did you mean https://auth.example?'],
    ['https://auth.example?x=1', '; did you mean https://auth.example?', 'https://auth.example?…'],
    ['https://auth.example#x', ''],
    ['https://u:hunter2@auth.example', '', 'https://***@auth.example'],
    ['auth.example', ''],
    ['ftp://auth.example', ''],
    ['https://auth example', ''],
  ])('%s is no issuer', (given, suggestion, shown = given) => {
    expect(second(`issuer: "${given}"`)).toEqual([`2:9: issuer: ${issuer}, got "${shown}"${suggestion}`])
  })

  test.each([
    ['store', 'redi://h', stores, 'redi://h', '; did you mean redis://?'],
    ['store', 'redis://:hunter2@h:port', stores, 'redis://***@h:port', ''],
    ['store', 'redis:/:hunter2@h', stores, '***@h', ''],
    ['store', 'sqlite:', stores, 'sqlite:', ''],
    ['store', 'sqlite::memory:', stores, 'sqlite::memory:', ''],
    ['store', './data.db', stores, './data.db', ''],
    ['store', 'redis://a,b', stores, 'redis://a,b', ''],
    ['store', 'redis://a/x', stores, 'redis://a/x', ''],
    ['store', 'redis+sentinel://a,b', stores, 'redis+sentinel://a,b', ''],
    ['store', 'redis+cluster://a,b/0', stores, 'redis+cluster://a,b/0', ''],
    ['bus', 'nats://a,http://b', 'in-process, nats://host or tls://host', 'nats://a,http://b', ''],
    ['bus', 'nats://a,,b', 'in-process, nats://host or tls://host', 'nats://a,,b', ''],
    ['bus', 'inprocess', 'in-process, nats://host or tls://host', 'inprocess', '; did you mean in-process?'],
    ['audit', 'mysql://h/db?password=hunter2', 'sqlite:path or postgres://host/database', 'mysql://h/db?…', ''],
  ])('%s.url: %s', (section, url, expected, shown, suggestion) => {
    const lines = second(`${section}: { url: "${url}" }`)
    expect(lines).toEqual([
      `2:${section.length + 10}: ${section}.url: expected ${expected}, got "${shown}"${suggestion}`,
    ])
  })

  test.each([
    ['/callback'],
    ['callback'],
    ['//app.example/callback'],
    ['https://app.example/#x'],
    ['https://app.example/#'],
    ['https://*.app.example/'],
    ['https://u@app.example/'],
    ['https:/app.example'],
    ['https:app.example'],
    ['javascript:alert(1)'],
    ['JavaScript:alert(1)'],
    ['data:text/html,x'],
    ['vbscript:x'],
    ['file:///etc/passwd'],
    ['blob:https://app.example/x'],
    ['about:blank'],
    ['myapp:/callback'],
    ['https://app.example/\\u0000'],
    ['https://app.example/ x'],
    ['https://app.example\\\\@evil.example'],
  ])('%s is no redirect URI', (uri) => {
    for (const key of ['redirect_uris', 'post_logout_redirect_uris']) {
      const [line, ...more] = second(`clients: [{ id: a, public: true, ${key}: ["${uri}"] }]`)
      expect(line).toContain(`2:${37 + key.length}: clients[0].${key}[0]: ${redirect}, got "`)
      expect(more).toEqual([])
    }
  })

  test.each([
    'https://app.example/callback?x=1',
    'http://localhost:3000/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:8080/cb',
    'com.example.app:/cb',
  ])('%s is a redirect URI', (uri) => {
    expect(second(`clients: [{ id: a, public: true, redirect_uris: ["${uri}"] }]`)).toEqual([])
  })

  test.each([
    'a.example/x',
    '/x',
    'https:a.example',
    'https:///x',
    'https://a.example/#x',
    'https://a.example/#',
    'https://u:p@a.example/',
    'javascript:alert(1)',
    'data:text/html,x',
    'com.example.app:/x',
  ])('%s is no page, key set or logout address of a client', (uri) => {
    for (const key of ['uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri', 'backchannel_logout_uri']) {
      const [line, ...more] = second(`clients: [{ id: a, public: true, ${key}: "${uri}" }]`)
      expect(line).toContain(
        `clients[0].${key}: expected an https:// URL (http:// on loopback) without fragment, got "`,
      )
      expect(more).toEqual([])
    }
  })

  test.each(['reports', '/reports', 'https://x.example/#a', 'javascript:x', 'https://u:p@x.example'])(
    '%s is no audience',
    (uri) => {
      expect(second(`resources: [{ id: r, audience: "${uri}" }]`)[0]).toContain(
        'resources[0].audience: expected an absolute URI',
      )
    },
  )
})

test('another issuer is taken letter by letter, a slash at the end and all', () => {
  const provider = (issuer: string) =>
    `version: 1\nproviders: [{ id: up, kind: oidc, issuer: "${issuer}", client_id: x }]`
  expect(folder.load(provider('https://up.example/')).config.providers).toMatchObject([
    { issuer: 'https://up.example/' },
  ])
  for (const wrong of ['https://up.example/?a=b', 'https://up.example/#', 'ftp://up.example', 'up.example']) {
    expect(() => folder.load(provider(wrong))).toThrow(/providers\[0\].issuer/)
  }
})
