import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import express, { Router } from 'express'
import { Failure } from '@countersign/contracts'
import { serve, until, type Served } from '../testing/http.ts'

describe('the application behind the routes', () => {
  let served: Served
  beforeAll(async () => {
    const router = Router()
    router.get('/who/:name', (request, response) => void response.json({ ip: request.ip, name: request.params.name }))
    router.get('/refused', () => {
      throw new Failure('access_denied', 'not yours')
    })
    router.get('/broken', async () => Promise.reject(new Error('secret')))
    router.get('/late', (_request, response) => {
      response.write('half')
      throw new Error('secret')
    })
    router.post('/json', express.json({ limit: 100 }), (request, response) => void response.json(request.body))
    served = await serve([], { express: [router], trustedProxies: ['127.0.0.1'] })
  })
  afterAll(() => served.server.close(0))

  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${served.url}${path}`, init)
    return { status: response.status, headers: response.headers, body: await response.text() }
  }
  const send = (body: string) => ask('/json', { method: 'POST', body, headers: { 'content-type': 'application/json' } })

  test('answers what its routers know, seeing through trusted proxies, with headers that keep browsers out', async () => {
    const { status, headers, body } = await ask('/who/me', { headers: { 'x-forwarded-for': '1.1.1.1, 198.51.100.7' } })
    expect([status, JSON.parse(body)]).toEqual([200, { ip: '198.51.100.7', name: 'me' }])
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-powered-by')).toBeNull()
  })

  test('says 404 as a problem to what nobody knows', async () => {
    for (const path of ['/', '/who', '/who/me/too']) {
      const { status, headers } = await ask(path)
      expect([status, headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    }
  })

  test('says what a Failure says, and nothing of what broke inside', async () => {
    expect(await ask('/refused')).toMatchObject({ status: 403, body: expect.stringContaining('not yours') })
    const broken = await ask('/broken')
    expect(broken.status).toBe(500)
    expect(broken.body).not.toContain('secret')
    expect(served.log.lines.at(-1)).toMatchObject({ level: 'error', fields: { path: '/broken' } })
  })

  test('breaks off an answer that failed halfway', async () => {
    await expect(ask('/late')).rejects.toThrow()
  })

  test.each([
    ['{', 400],
    ['[', 400],
    [`{"a":"${'x'.repeat(200)}"}`, 413],
    ['['.repeat(90), 400],
  ])('says of the JSON %j: %d', async (body, status) => {
    expect((await send(body)).status).toBe(status)
  })

  test('says 400 to a path that cannot be decoded', async () => {
    expect((await ask('/who/%zz')).status).toBe(400)
  })

  test('measures by pattern', async () => {
    await ask('/who/somebody')
    let text = ''
    void (async () => {
      while (!text.includes('route="/who/:name"')) text = await served.metrics.text()
    })()
    await until(() => text.includes('route="/who/:name"'))
    expect(text).not.toContain('somebody')
  })
})
