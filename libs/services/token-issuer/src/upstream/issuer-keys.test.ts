import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { accessTokenType, ExchangeSetting } from '../testing/exchange-setting.ts'
import { json, Upstream, type Behaviour } from '../testing/upstream.ts'
import { createIssuerKeys } from './issuer-keys.ts'

const hang: Behaviour = () => undefined
const html: Behaviour = (response) =>
  void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>')
const huge: Behaviour = (response) => void response.writeHead(200).end(`{"keys":[],"x":"${'x'.repeat(5_000_000)}"}`)
const failing: Behaviour = (response) => void response.writeHead(500).end('{}')
const cut: Behaviour = (response) => void response.destroy()
const redirecting: Behaviour = (response) =>
  void response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end()

describe('an issuer that does not answer as it should', () => {
  let setting: ExchangeSetting
  let upstream: Upstream

  beforeEach(async () => {
    upstream = await new Upstream().start()
    setting = await new ExchangeSetting().start()
    setting.providers = [
      { id: 'partner', issuer: upstream.issuer, signUp: true, tokenExchange: { audience: ['account'] } },
    ]
  })

  afterEach(() => upstream.stop())

  const present = async (subject_token: string) => {
    const { status, body } = await setting.exchange('web', { subject_token, subject_token_type: accessTokenType })
    return status === 200 ? '200' : `${status} ${String(body.error)}`
  }
  const good = async () => present(await upstream.token(setting.at))
  const fetched = (what: string) => upstream.requests.filter((url) => url.endsWith(what)).length
  const unavailable = '503 temporarily_unavailable'

  test.each([
    ['hangs', hang],
    ['answers with HTML', html],
    ['answers with 5 MB', huge],
    ['fails', failing],
    ['closes the connection', cut],
    ['redirects to where requests may not go', redirecting],
    ['answers with null', json(null)],
    ['answers with no document', json([])],
  ])('is never believed: its discovery document %s', async (_, behaviour) => {
    upstream.discovery = behaviour
    expect(await good()).toBe(unavailable)
    expect(fetched('/certs')).toBe(0)
  })

  test.each([
    ['answer with HTML', html],
    ['answer with 5 MB', huge],
    ['fail', failing],
    ['are private', json({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'k1' }] })],
    ['are none', json({})],
  ])('is never believed: its keys %s', async (_, behaviour) => {
    upstream.certificates = behaviour
    expect(await good()).toBe(unavailable)
  })

  test('is never believed: its keys hang', async () => {
    upstream.certificates = hang
    expect(await good()).toBe(unavailable)
  }, 20_000)

  test('is never believed: its discovery document speaks for another, or leads elsewhere', async () => {
    for (const told of [
      { issuer: 'https://evil.example' },
      { issuer: `${upstream.issuer}/` },
      { issuer: undefined },
      { jwks_uri: undefined },
      { jwks_uri: 7 },
      { jwks_uri: 'http://169.254.169.254/keys' },
      { jwks_uri: 'file:///etc/passwd' },
    ]) {
      upstream.told = told
      setting.at += 11_000
      expect(await good()).toBe(unavailable)
    }
  })

  test('is never believed: it is gone', async () => {
    await upstream.stop()
    expect(await good()).toBe(unavailable)
    await upstream.start()
  })

  test('is asked once for what many tokens need, and again when that is old', async () => {
    const token = await upstream.token(setting.at, { exp: Math.floor(setting.at / 1_000) + 3_600 })
    const answers = await Promise.all(Array.from({ length: 20 }, () => present(token)))
    expect(new Set(answers)).toEqual(new Set(['200']))
    expect([fetched('/openid-configuration'), fetched('/certs')]).toEqual([1, 1])
    setting.at += 301_000
    expect(await present(token)).toBe('200')
    expect([fetched('/openid-configuration'), fetched('/certs')]).toEqual([2, 2])
  })

  test('is not asked again at once when it failed, and is soon', async () => {
    upstream.discovery = failing
    for (let times = 0; times < 5; times++) expect(await good()).toBe(unavailable)
    expect(fetched('/openid-configuration')).toBe(1)
    upstream.discovery = undefined
    setting.at += 10_001
    expect(await good()).toBe('200')
  })

  test('is asked twice at most for a flood of unknown keys', async () => {
    expect(await good()).toBe('200')
    for (let times = 0; times < 30; times++) {
      expect(await present(await upstream.token(setting.at, {}, { kid: `made-up-${times}` }))).toBe(
        '400 invalid_request',
      )
    }
    expect(fetched('/certs')).toBeLessThanOrEqual(2)
  })

  test('may change its keys', async () => {
    expect(await good()).toBe('200')
    await upstream.addKey('k2', 'RS256')
    setting.at += 31_000
    expect(await present(await upstream.token(setting.at, {}, { kid: 'k2' }))).toBe('200')
  })
})

test('an issuer that ends with a slash is found where its discovery document is', async () => {
  const asked: string[] = []
  const issuer = 'https://upstream.example/'
  const fetchJson = async (url: string) => (asked.push(url), { issuer, jwks_uri: `${issuer}keys` })
  const keysFor = (url: string) => (asked.push(url), { key: undefined, keySet: undefined }) as never
  await createIssuerKeys({ fetchJson, keysFor, now: () => 0 })(issuer)
  expect(asked).toEqual(['https://upstream.example/.well-known/openid-configuration', 'https://upstream.example/keys'])
})
