import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TestAuthority } from '@countersign/rpc/testing/certificates'
import { fetchJson, remoteRequest, type RemoteBounds } from './request.ts'

const reach = { allowLoopback: true }
const asked: string[] = []
let authority: TestAuthority
let plain: Server
let secure: Server

const textOf = async (request: IncomingMessage) => Buffer.concat(await request.toArray()).toString()
const answers: Record<string, RequestListener> = {
  '/json': (_, response) => void response.end('{"a":1}'),
  '/html': (_, response) => void response.end('<html>'),
  '/latin': (_, response) => void response.end(Buffer.from([0x22, 0xfc, 0x22])),
  '/gone': (_, response) => void response.writeHead(404).end('{}'),
  '/busy': (_, response) => void response.writeHead(503, { 'retry-after': '7' }).end('later'),
  '/moved': (_, response) => void response.writeHead(302, { location: '/json' }).end(),
  '/large': (_, response) => void response.end(`"${'x'.repeat(5_000_000)}"`),
  '/encoded': (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('{}'),
  '/hang': () => undefined,
  '/drip': (_, response) => {
    response.write('{')
    const timer = setInterval(() => response.write(' '), 20)
    response.once('close', () => clearInterval(timer))
  },
  '/echo': async (request, response) => {
    const { method, headers } = request
    const { 'content-type': type, 'content-length': length, connection } = headers
    response.end(JSON.stringify({ method, type, length, connection, body: await textOf(request) }))
  },
}
const listener: RequestListener = (request, response) => {
  asked.push(request.url!)
  answers[request.url!]!(request, response)
}
const listen = async (server: Server) => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
const urlOf = (server: Server, path: string, host = '127.0.0.1') =>
  `${server === secure ? 'https' : 'http'}://${host}:${(server.address() as AddressInfo).port}${path}`

beforeAll(async () => {
  authority = new TestAuthority()
  plain = await listen(createServer(listener))
  secure = await listen(createTlsServer(authority.issue('server'), listener))
})
afterAll(() => {
  for (const server of [plain, secure]) server.close().closeAllConnections()
  authority.remove()
})

describe('a request to another server', () => {
  test('brings its answer, whatever the status, and follows no redirect', async () => {
    const get = (path: string) => remoteRequest({ ...reach, method: 'GET', url: urlOf(plain, path) })
    expect(await get('/busy')).toMatchObject({ status: 503, retryAfterSeconds: 7, body: Buffer.from('later') })
    asked.length = 0
    expect(await get('/moved')).toMatchObject({ status: 302 })
    expect(asked).toEqual(['/moved'])
  })

  test('posts what it is given, on a connection of its own', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { body } = await remoteRequest({ ...reach, method: 'POST', url: urlOf(plain, '/echo'), headers, body: 'a=ü' })
    expect(JSON.parse(String(body))).toEqual({
      method: 'POST',
      type: headers['content-type'],
      length: '4',
      connection: 'close',
      body: 'a=ü',
    })
  })

  test('proves the other server by its certificate and name', async () => {
    const ca = authority.ca
    expect(await fetchJson(urlOf(secure, '/json'), { ...reach, ca })).toEqual({ a: 1 })
    expect(await fetchJson(urlOf(secure, '/json', 'localhost'), { ...reach, ca })).toEqual({ a: 1 })
    await expect(fetchJson(urlOf(secure, '/json'), reach)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(fetchJson(urlOf(secure, '/json', 'a.localhost'), { ...reach, ca })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })

  test('does not reach this machine unless it may, neither by address nor by name', async () => {
    asked.length = 0
    const closed = { allowLoopback: false, ca: authority.ca }
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      const refused = fetchJson(urlOf(secure, '/json', host), closed)
      await expect(refused).rejects.toMatchObject({ code: 'invalid_request' })
    }
    await expect(fetchJson(urlOf(plain, '/json'), closed)).rejects.toMatchObject({ code: 'invalid_request' })
    expect(asked).toEqual([])
  })

  test('does not reach this machine by a name that leads here, or that leads here by its second address', async () => {
    asked.length = 0
    const leading = (...addresses: string[]): RemoteBounds['resolve'] => {
      return (_name, _options, callback) =>
        callback(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        )
    }
    const url = (server: Server) => urlOf(server, '/json', 'moved.example')
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1']]) {
      const bounds = { allowLoopback: false, resolve: leading(...addresses) }
      await expect(fetchJson(url(secure), bounds)).rejects.toMatchObject({ code: 'invalid_request' })
    }
    const outside = { ...reach, resolve: leading('8.8.8.8') }
    await expect(fetchJson(url(plain), outside)).rejects.toMatchObject({ code: 'invalid_request' })
    expect(asked).toEqual([])
    expect(await fetchJson(url(plain), { ...reach, resolve: leading('127.0.0.1') })).toEqual({ a: 1 })
  })

  test.each(['/html', '/latin', '/gone', '/moved', '/large', '/encoded', '/hang', '/drip'])(
    'for JSON is in vain, and bounded, with %s',
    async (path) => {
      const startedMs = performance.now()
      const fetched = fetchJson(urlOf(plain, path), { ...reach, timeoutMs: 300 })
      await expect(fetched).rejects.toMatchObject({ code: 'unavailable' })
      expect(performance.now() - startedMs).toBeLessThan(2_000)
    },
  )

  test('is in vain when nobody listens', async () => {
    const closing = await listen(createServer())
    const url = urlOf(closing, '/')
    await new Promise((resolve) => closing.close(resolve))
    await expect(fetchJson(url, reach)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
