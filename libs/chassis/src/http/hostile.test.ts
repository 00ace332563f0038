import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { exchangeRaw, rawConnection, route, serve, until, type Served } from '../testing/http.ts'

const post = (headers: string, body: string | Buffer = '') =>
  Buffer.concat([Buffer.from(`POST /a HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n`), Buffer.from(body)])

describe('hostile requests', () => {
  let served: Served
  beforeAll(async () => {
    const POST = async ({ body }: { body: Buffer }) => ({ status: 200, body: String(body.length) })
    const GET = () => ({ status: 200, body: 'x' })
    served = await serve([route('/a', { POST, GET }), route('/big', { POST }, { maxBodyBytes: 1_000_000 })], {
      limits: { maxConnections: 30, lingerMs: 300 },
    })
  })
  afterEach(async () => {
    expect((await fetch(`${served.url}/a`)).status).toBe(200)
  })
  afterAll(() => served.server.close(0))

  test('headers of more than 16 KiB are 431', async () => {
    const headers = `x: ${'y'.repeat(17_000)}`
    expect(await exchangeRaw(served.port, post(headers))).toMatch(/^HTTP\/1\.1 431 /)
    const many = Array.from({ length: 2_000 }, (_, i) => `x-${i}: ${i}`).join('\r\n')
    expect(await exchangeRaw(served.port, post(many))).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('a body that announces too much is 413 at once, and the connection is closed', async () => {
    const answer = await exchangeRaw(served.port, post('content-length: 65537', 'x'.repeat(100)))
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/connection: close/i)
    expect(answer).toContain('the body may have 65536 bytes')
  })

  test('a chunked body that grows too large is 413, and the answer arrives though the client goes on sending', async () => {
    const connection = await rawConnection(served.port)
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
    connection.write(post('transfer-encoding: chunked', chunk))
    const pump = setInterval(() => connection.write(chunk), 1)
    await connection.closed
    clearInterval(pump)
    expect(connection.received()).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('a whole too-large upload gets its 413', async () => {
    for (let i = 0; i < 20; i++) {
      const response = await fetch(`${served.url}/a`, { method: 'POST', body: Buffer.alloc(500_000) })
      expect(response.status).toBe(413)
    }
  })

  test('a route may take more, and a body of exactly the bound is taken', async () => {
    const send = (path: string, bytes: number) =>
      fetch(`${served.url}${path}`, { method: 'POST', body: Buffer.alloc(bytes) }).then((response) => response.text())
    expect(await send('/big', 500_000)).toBe('500000')
    expect(await send('/a', 65_536)).toBe('65536')
  })

  test('a compressed body is 415', async () => {
    const response = await fetch(`${served.url}/a`, {
      method: 'POST',
      body: 'x',
      headers: { 'content-encoding': 'gzip' },
    })
    expect(response.status).toBe(415)
  })

  test.each([
    ['what is no HTTP', 'hello\r\n\r\n'],
    ['both lengths', post('content-length: 5\r\ntransfer-encoding: chunked', '0\r\n\r\n')],
    ['two lengths', post('content-length: 5\r\ncontent-length: 6', 'xxxxxx')],
    ['a negative length', post('content-length: -1')],
    ['a bare line feed', 'GET /a HTTP/1.1\nhost: x\n\n'],
    ['no host', 'GET /a HTTP/1.1\r\n\r\n'],
    ['a space before the colon', post('x : y')],
    ['a bad chunk', post('transfer-encoding: chunked', 'zz\r\n')],
    ['a control character', post('x: \x01')],
  ])('%s is 400', async (_, text) => {
    expect(await exchangeRaw(served.port, text)).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('a body that comes with GET is not read, and the connection is closed after the answer', async () => {
    const connection = await rawConnection(served.port)
    connection.write('GET /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n')
    await connection.closed
    expect(connection.received()).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close/i)
  })

  test('a caller that goes away amid its body leaves nothing behind', async () => {
    for (let i = 0; i < 20; i++) {
      const connection = await rawConnection(served.port)
      connection.write(post('content-length: 1000', 'x'))
      connection.destroy()
    }
    expect(served.log.lines).toEqual([])
  })

  test('connections beyond the bound are refused, and there is room again once they are gone', async () => {
    const held = await Promise.all(Array.from({ length: 40 }, () => rawConnection(served.port)))
    let closed = 0
    for (const connection of held) void connection.closed.then(() => closed++)
    await until(() => closed >= 10)
    expect(served.log.lines.at(-1)?.message).toContain('too many')
    for (const connection of held) connection.destroy()
    served.log.lines.length = 0
  })
})

test('requests at once beyond the bound are 503, pipelined or not', async () => {
  const release: (() => void)[] = []
  const GET = () => new Promise<{ status: number }>((resolve) => release.push(() => resolve({ status: 200 })))
  const served = await serve([route('/a', { GET })], { limits: { maxRequests: 5 } })
  const connection = await rawConnection(served.port)
  connection.write('GET /a HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(9))
  await until(() => release.length === 5)
  await until(() => served.log.lines.length === 4)
  release.splice(0).forEach((done) => done())
  await until(() => connection.received().split('HTTP/1.1 503').length === 5)
  expect(connection.received().split('HTTP/1.1 200')).toHaveLength(6)
  connection.destroy()
  await served.server.close(0)
})

describe('slow requests', () => {
  let served: Served
  beforeAll(async () => {
    const POST = () => new Promise<never>(() => undefined)
    const limits = { headersTimeoutMs: 300, requestTimeoutMs: 400, timeoutCheckMs: 50, silenceMs: 600 }
    served = await serve([route('/a', { POST })], { limits })
  })
  afterAll(() => served.server.close(0))

  test('slow headers are 408', async () => {
    const connection = await rawConnection(served.port)
    connection.write('POST /a HTTP/1.1\r\nhost: x\r\n')
    const drip = setInterval(() => connection.write('x: y\r\n'), 50)
    await connection.closed
    clearInterval(drip)
    expect(connection.received()).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('a slow body is 408', async () => {
    const connection = await rawConnection(served.port)
    connection.write(post('content-length: 1000'))
    const drip = setInterval(() => connection.write('x'), 50)
    await connection.closed
    clearInterval(drip)
    expect(connection.received()).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('a connection on which nothing moves is closed', async () => {
    const connection = await rawConnection(served.port)
    connection.write(post('content-length: 1', 'x'))
    await connection.closed
    expect(connection.received()).toBe('')
  })
})
