import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { post, Visitor } from '@countersign/servers'
import { callback, challenge, person, Setting } from './setting.ts'

describe('/oauth2/authorize withstands', () => {
  let setting: Setting
  beforeAll(async () => {
    setting = await Setting.start()
  }, 60_000)
  afterAll(() => setting?.stop())

  /** The error that goes back to the application; with who answers (RFC 9207). */
  const errorOf = async (parameters: Record<string, string | undefined>, more = ''): Promise<string> => {
    const { status, headers } = await setting.authorize(parameters, more)
    const { searchParams, origin } = new URL(String(headers['location']))
    expect({ status, origin, iss: searchParams.get('iss') }).toEqual({
      status: 303,
      origin: new URL(callback).origin,
      iss: setting.at.issuerUrl,
    })
    return searchParams.get('error')!
  }

  test('an unknown client: an error page, and nothing of it is markup', async () => {
    const { status, headers, text } = await setting.authorize({ client_id: '<script>alert(1)</script>' })
    expect({ status, location: headers['location'] }).toEqual({ status: 400, location: undefined })
    expect(text).not.toContain('<script>')
  })

  test.each([
    'https://app.example/CB',
    'https://APP.example/cb',
    'https://app.example/cb/',
    'https://app.example/cb?x=1',
    'https://app.example/..;/cb',
    'https://app.example/cb/..;/',
    'https://user@app.example/cb',
    'https://app.example.evil.example/cb',
    'https://app.example:444/cb',
    'http://app.example/cb',
    'https://app.example/cb#x',
    'javascript:alert(1)',
    '//app.example/cb',
    'http://127.0.0.1:4321/other',
    'http://localhost:4321/native',
  ])('another redirect_uri, %s: an error page', async (uri) => {
    const { status, headers } = await setting.authorize({ redirect_uri: uri })
    expect({ status, location: headers['location'] }).toEqual({ status: 400, location: undefined })
  })

  test('a loopback address with another port is a native app’s', async () => {
    const { status, headers } = await setting.authorize({ redirect_uri: 'http://127.0.0.1:4321/native' })
    expect({ status, location: String(headers['location']).split('?')[0] }).toEqual({
      status: 303,
      location: `${setting.at.issuerUrl}/login`,
    })
  })

  test.each([
    [{ response_type: undefined }, 'invalid_request'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_type: 'code id_token' }, 'unsupported_response_type'],
    [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge_method: undefined }, 'invalid_request'],
    [{ max_age: '-1' }, 'invalid_request'],
    [{ max_age: 'NaN' }, 'invalid_request'],
    [{ max_age: '1e3' }, 'invalid_request'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ scope: 'openid admin' }, 'invalid_scope'],
    [{ resource: 'https://mail.example' }, 'invalid_target'],
    [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    [{ request_uri: 'https://app.example/request' }, 'request_uri_not_supported'],
    [{ response_mode: 'fragment' }, 'invalid_request'],
    [{ claims: '{"id_token":' }, 'invalid_request'],
    [{ id_token_hint: 'eyJhbGciOiJub25lIn0.e30.' }, 'invalid_request'],
  ])('%j: %s', async (parameters, error) => {
    expect(await errorOf(parameters)).toBe(error)
  })

  test('a parameter that is there twice; unknown and empty ones are nothing', async () => {
    expect(await errorOf({}, '&scope=openid')).toBe('invalid_request')
    expect(await errorOf({}, '&nonce=a&nonce=b')).toBe('invalid_request')
    expect((await setting.authorize({}, `&redirect_uri=${callback}`)).status).toBe(400)
    expect((await setting.authorize({}, '&client_id=other')).status).toBe(400)
    expect((await setting.authorize({ unknown: 'x', prompt: '', max_age: '' })).status).toBe(303)
  })

  test('prompt=none of nobody: login_required', async () => {
    const visitor = new Visitor(setting.at.issuerUrl)
    const end = new URL(await visitor.go(setting.url({ prompt: 'none' })))
    expect(end.searchParams.get('error')).toBe('login_required')
    expect(end.searchParams.get('iss')).toBe(setting.at.issuerUrl)
    expect((await setting.answer({ prompt: 'none' })).get('code')).toMatch(/^cs_ac_/)
  })

  describe('pushed requests', () => {
    const parameters = {
      response_type: 'code',
      redirect_uri: callback,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }
    const push = (client: string, more: Record<string, string> = {}) =>
      post(`${setting.at.issuerUrl}/oauth2/par`, undefined, { client_id: client, ...parameters, ...more })
    const pushed = async (client: string) => (await push(client)).json<{ request_uri: string }>().request_uri
    const use = (client: string, uri: string) =>
      new Visitor(setting.at.issuerUrl).go(
        `/oauth2/authorize?${new URLSearchParams({ client_id: client, request_uri: uri })}`,
      )

    test('are good once, and for their own client', async () => {
      const uri = await pushed('web')
      expect(await use('other', uri)).toContain('/oauth2/authorize')
      expect(await use('web', uri)).toContain('/login?request=')
      expect(await use('web', uri)).toContain('/oauth2/authorize')
    })

    test('hold no request_uri, and nothing that is not good', async () => {
      expect((await push('web', { request_uri: await pushed('web') })).json()).toMatchObject({
        error: 'invalid_request',
      })
      expect((await push('web', { redirect_uri: 'https://evil.example/cb' })).status).toBe(400)
      expect((await push('server')).status).toBe(401)
    })
  })

  test('consent without a token, or with that of another transaction: 403', async () => {
    const visitor = new Visitor(setting.at.issuerUrl)
    const open = async () => {
      await visitor.go(setting.url({ client_id: 'asking', prompt: 'consent' }))
      if (visitor.forms()[0]?.fields.password !== undefined) {
        await visitor.submit({ login_name: person.loginName, password: person.password })
      }
      return visitor.forms()[0]!
    }
    const [first, second] = [await open(), await open()]
    const { csrf: _csrf, ...without } = first.fields
    for (const fields of [without, { ...first.fields, csrf: second.fields.csrf! }, { ...first.fields, csrf: '' }]) {
      await visitor.go(first.action, { ...fields, decision: 'allow' })
      expect(visitor.reply.status).toBe(403)
    }
    await visitor.go(setting.url({ client_id: 'asking', prompt: 'consent' }))
    expect(await visitor.submit({ decision: 'allow' })).toContain('code=')
  })

  test('credentials that are carried along: the redirect after them is a 303', async () => {
    const visitor = new Visitor(setting.at.issuerUrl)
    await visitor.go(setting.url())
    expect(await visitor.submit({ login_name: person.loginName, password: person.password })).toContain('code=')
    expect(visitor.reply.status).toBe(303)
  })

  test('framing, and scripts of another origin', async () => {
    const page = await setting.authorize({ client_id: 'nobody' })
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    for (const path of ['/oauth2/authorize', '/login']) {
      const { headers } = await setting.send(path, { headers: { origin: 'https://evil.example' } })
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  test('pages of other origins: they may ask where no cookie counts, and nowhere else', async () => {
    const origin = 'https://spa.example'
    for (const path of ['/oauth2/token', '/oauth2/revoke', '/oauth2/par', '/oauth2/userinfo', '/oauth2/jwks']) {
      const asking = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,dpop' }
      const { headers } = await setting.send(path, { method: 'OPTIONS', headers: { origin, ...asking } })
      expect(headers['access-control-allow-origin']).toBe('*')
      expect(headers['access-control-allow-headers']).toContain('DPoP')
      expect(headers['access-control-allow-credentials']).toBeUndefined()
    }
    const refused = await setting.send('/oauth2/token', { method: 'POST', headers: { origin } })
    expect(refused.headers['access-control-allow-origin']).toBe('*')
    for (const path of ['/oauth2/authorize', '/oauth2/logout', '/oauth2/introspect', '/login', '/consent']) {
      const { headers } = await setting.send(path, { method: 'OPTIONS', headers: { origin } })
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  test('markup in the state of a form_post', async () => {
    const state = '"><script>alert(1)</script>'
    await setting.visitor.go(setting.url({ response_mode: 'form_post', state }))
    expect(setting.visitor.reply.text).not.toContain('<script>alert(1)')
    const [form] = setting.visitor.forms()
    expect(form).toMatchObject({ action: callback, fields: { state, iss: setting.at.issuerUrl } })
    const refused = await setting.authorize({ response_mode: 'form_post', state, scope: 'admin' })
    expect(refused.text).not.toContain('<script>alert(1)')
  })

  test('ten thousand parameters, a lone surrogate and a NUL', async () => {
    const many = Array.from({ length: 1_000 }, (_, n) => `&p${n}=1`).join('')
    expect(await errorOf({}, many)).toBe('invalid_request')
    expect(await errorOf({}, '&nonce=%ED%A0%80')).toBe('invalid_request')
    expect(await errorOf({}, '&nonce=a%00b')).toBe('invalid_request')
  })
})
