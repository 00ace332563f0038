import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { HostileProvider } from './testing/hostile-provider.ts'
import { startOpenIdProvider, type OpenIdProviderProcess } from './testing/openid-provider.ts'
import { oidc, proof, Setting } from './testing/setting.ts'

const redirectUri = proof('real').redirectUri
const registration = { clientId: 'count-er_sign', clientSecret: 'a+secret: of/the=test' }
let provider: OpenIdProviderProcess

beforeAll(async () => {
  provider = await startOpenIdProvider({
    ...registration,
    redirectUris: [redirectUri],
    returnUris: ['https://login.example/logout'],
    claims: { name: 'Ann Example', groups: ['physics', 'staff'] },
    path: '/realms/lab',
  })
})
afterAll(() => provider.stop())

/** As a browser does it that follows every redirect but the one to us. */
async function browse(start: URL, name: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let [url, form] = [start, undefined as URLSearchParams | undefined]
  for (let steps = 0; steps < 12; steps++) {
    const cookie = [...cookies].map(([key, value]) => `${key}=${value}`).join('; ')
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: form }),
    })
    for (const each of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(each)!
      cookies.set(key!, value!)
    }
    form = response.status === 200 ? new URLSearchParams({ name }) : undefined
    url = new URL(response.headers.get('location') ?? url, url)
    if (url.href.startsWith(redirectUri)) return url
  }
  throw new Error('the provider does not let go')
}

describe('with the npm package oidc-provider', () => {
  const settingOf = (over = {}) =>
    new Setting([
      oidc(new HostileProvider(registration), {
        id: 'real',
        issuer: provider.issuer,
        scopes: ['openid', 'profile', 'email', 'groups'],
        rolesClaim: ['groups'],
        ...over,
      }),
    ])

  test('somebody signs in, by one token call and userinfo, which has what its ID tokens have not', async () => {
    const { upstreams } = settingOf()
    const callback = await browse(await upstreams.begin('real', proof('real')), 'ann')
    expect(callback.searchParams.get('iss')).toBe(provider.issuer)
    expect(await upstreams.finish('real', { ...proof('real'), callback })).toEqual({
      provider: 'real',
      issuer: provider.issuer,
      subject: 'ann',
      claims: { name: 'Ann Example', email: 'ann@example.org', email_verified: true },
      email: 'ann@example.org',
      label: 'ann@example.org',
      roles: ['physics', 'staff'],
      attributes: [],
      amr: [],
      acr: '',
    })
    // Discovery, keys, userinfo.
    expect(upstreams.stats().real).toMatchObject({ tokenCalls: 1, otherCalls: 2 })
    const again = upstreams.finish('real', { ...proof('real'), callback })
    await expect(again).rejects.toMatchObject({ code: 'invalid_request' })
    expect(upstreams.stats().real).toMatchObject({ tokenCalls: 2, breaker: 'closed' })
  })

  test('signing out there is offered', async () => {
    const { upstreams } = settingOf()
    const out = await upstreams.signOutUrl('real', { returnTo: 'https://login.example/logout' })
    const response = await fetch(out!)
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('<form')])
  })

  test('a wrong secret is our fault, and no breaker’s business', async () => {
    const { upstreams } = settingOf({ clientSecret: { reveal: () => 'wrong' } })
    const callback = await browse(await upstreams.begin('real', proof('real')), 'ann')
    const finishing = upstreams.finish('real', { ...proof('real'), callback })
    await expect(finishing).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('operator') })
  })
})
