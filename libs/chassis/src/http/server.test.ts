import { afterEach, describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { createHttpServer } from './server.ts'
import { exchangeRaw, keptLog, rawConnection, route, serve, until, type Served } from '../testing/http.ts'
import { createMetrics } from '../metrics.ts'
import { oauthFailure } from './oauth-error.ts'
import type { HttpRequest } from './route.ts'

describe('a plain route', () => {
  let served: Served
  afterEach(() => served.server.close(0))

  test('gets the request as it came, its body read, and answers', async () => {
    let seen: HttpRequest | undefined
    served = await serve([route('/a', { POST: (request) => ((seen = request), { status: 201, body: 'é' }) })])
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const response = await fetch(`${served.url}/a?b=%20c`, {
      method: 'POST',
      body: 'x'.repeat(60_000),
      headers: { 'user-agent': 'u'.repeat(400), traceparent, 'x-forwarded-for': '198.51.100.7' },
    })
    expect(response.status).toBe(201)
    expect(response.headers.get('content-length')).toBe('2')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await response.text()).toBe('é')
    expect(seen).toMatchObject({ method: 'POST', path: '/a', query: 'b=%20c', address: '127.0.0.1', traceparent })
    expect(seen!.body).toHaveLength(60_000)
    expect(seen!.userAgent).toHaveLength(256)
    expect([seen!.clientCertificate, seen!.presentedCertificate]).toEqual([undefined, undefined])
  })

  test('is told every value of a header, each on its own', async () => {
    const GET = (request: HttpRequest) => ({ status: 200, body: JSON.stringify(request.headerValues('dpop')) })
    served = await serve([route('/a', { GET })])
    const told = (headers: string) =>
      exchangeRaw(served.port, `GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`)
    expect(await told('')).toMatch(/\[\]$/)
    expect(await told('DPoP: a, b\r\ndpop: c\r\n')).toMatch(/\["a, b","c"\]$/)
  })

  test('does not take what every object has for a header', async () => {
    const GET = (request: HttpRequest) => ({ status: 200, body: String(request.headerValues('constructor').length) })
    served = await serve([route('/a', { GET })])
    expect(await (await fetch(`${served.url}/a`)).text()).toBe('0')
  })

  test('believes X-Forwarded-For of trusted proxies', async () => {
    const GET = ({ address }: HttpRequest) => ({ status: 200, body: address })
    served = await serve([route('/a', { GET })], { trustedProxies: ['loopback'] })
    const headers = { 'x-forwarded-for': '1.1.1.1, 198.51.100.7' }
    expect(await (await fetch(`${served.url}/a`, { headers })).text()).toBe('198.51.100.7')
  })

  test('has no trace context when what it got is none', async () => {
    served = await serve([route('/a', { GET: ({ traceparent }) => ({ status: 200, body: traceparent }) })])
    for (const traceparent of ['x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
      expect(await (await fetch(`${served.url}/a`, { headers: { traceparent } })).text()).toBe('')
    }
  })

  test('is found by its exact path only', async () => {
    served = await serve([route('/oauth2/token', { GET: () => ({ status: 200 }) })])
    expect((await fetch(`${served.url}/oauth2/token`)).status).toBe(200)
    for (const target of [
      '/oauth2/token/',
      '/OAuth2/token',
      '/oauth2%2Ftoken',
      '//oauth2/token',
      '/oauth2/./token',
      '*',
    ]) {
      const answer = await exchangeRaw(served.port, `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    }
    const absolute = `GET http://x/oauth2/token HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`
    expect(await exchangeRaw(served.port, absolute)).toMatch(/^HTTP\/1\.1 404 /)
  })

  test('answers HEAD like GET without the body, OPTIONS with what is allowed, and 405 to the rest', async () => {
    served = await serve([route('/a', { GET: () => ({ status: 200, body: 'abc' }) }, { onFailure: oauthFailure })])
    const head = await fetch(`${served.url}/a`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', ''])
    const options = await fetch(`${served.url}/a`, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    const post = await fetch(`${served.url}/a`, { method: 'POST', body: 'x' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
    expect(await post.json()).toMatchObject({ error: 'invalid_request' })
  })

  test('turns what is thrown into its own kind of failure, and logs what broke inside', async () => {
    const broken = () => Promise.reject(new Error('redis://secret'))
    const wrong = () => {
      throw new Failure('invalid_request', 'token is required')
    }
    served = await serve([route('/broken', { GET: broken }), route('/wrong', { GET: wrong })])
    const answer = await fetch(`${served.url}/broken`)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
    expect(served.log.lines).toMatchObject([{ level: 'error', fields: { path: '/broken', server: 'test' } }])
    expect(await (await fetch(`${served.url}/wrong`)).json()).toMatchObject({ detail: 'token is required' })
    expect(served.log.lines).toHaveLength(1)
  })

  test('whose answer has a header that cannot be sent is 500, and the connection goes on', async () => {
    served = await serve([route('/a', { GET: () => ({ status: 200, headers: { 'x-a': 'b\r\nc: d' } }) })])
    const answer = await fetch(`${served.url}/a`)
    expect([answer.status, answer.headers.get('c')]).toEqual([500, null])
    expect((await fetch(`${served.url}/a`)).status).toBe(500)
  })

  test('sees its signal abort when the caller goes away', async () => {
    let signal: AbortSignal | undefined
    const GET = (request: HttpRequest) => {
      signal = request.signal
      return new Promise<never>(() => undefined)
    }
    served = await serve([route('/a', { GET })])
    const connection = await rawConnection(served.port)
    connection.write('GET /a HTTP/1.1\r\nhost: x\r\n\r\n')
    await until(() => signal !== undefined)
    expect(signal!.aborted).toBe(false)
    connection.destroy()
    await until(() => signal!.aborted)
  })

  test('is measured by route, method and status; what anybody may invent is not', async () => {
    served = await serve([route('/a', { GET: () => ({ status: 200 }) })])
    for (let i = 0; i < 3; i++) await fetch(`${served.url}/a?x=${i}`)
    await fetch(`${served.url}/a`, { method: 'PATCH' })
    for (let i = 0; i < 3; i++) await fetch(`${served.url}/nothing/${i}`)
    await until(() => true)
    const text = await served.metrics.text()
    const count = (labels: string) =>
      text.match(new RegExp(`countersign_http_duration_seconds_count{${labels}[^}]*} (\\d+)`))?.[1]
    expect(count('server="test",route="/a",method="GET",status="200"')).toBe('3')
    expect(count('server="test",route="/a",method="other",status="405"')).toBe('1')
    expect(count('server="test",route="none",method="other",status="404"')).toBe('3')
    expect(text).not.toContain('/nothing/')
  })
})

test('an address that is taken is an error that says so', async () => {
  const served = await serve([])
  const options = { name: 'x', routes: [], log: keptLog(), metrics: createMetrics({ name: 'x' }), trustedProxies: [] }
  const second = createHttpServer(options)
  await expect(second.listen({ host: '127.0.0.1', port: served.port })).rejects.toThrow('EADDRINUSE')
  await served.server.close(0)
})
