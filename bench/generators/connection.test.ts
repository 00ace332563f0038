import { describe, expect, test } from '@jest/globals'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Connection, parseReply } from './connection.ts'

describe('an answer', () => {
  test('is there once all of it is', () => {
    const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody'
    expect(parseReply(whole.slice(0, 20))).toBeUndefined()
    expect(parseReply(whole.slice(0, -1))).toBeUndefined()
    expect(parseReply(whole)).toEqual({ status: 200, location: '', cookies: [], body: 'body' })
  })

  test('in chunks is joined', () => {
    const head =
      'HTTP/1.1 303 See Other\r\nlocation: /next?a=b\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n'
    expect(parseReply(`${head}5\r\nhello\r\n`)).toBeUndefined()
    expect(parseReply(`${head}5\r\nhello\r\nA\r\n, you two!\r\n0\r\n\r\n`)).toEqual({
      status: 303,
      location: '/next?a=b',
      cookies: ['a=1', 'b=2'],
      body: 'hello, you two!',
    })
  })

  test('of unknown length is refused', () => {
    expect(() => parseReply('HTTP/1.1 200 OK\r\n\r\n')).toThrow('does not say how long')
  })
})

test('a connection asks one question after the other, and says when it breaks', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/end') return void request.socket.destroy()
    response.writeHead(303, { location: `${request.url}!` }).end('x'.repeat(100_000))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const connection = new Connection(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  try {
    for (const path of ['/a', '/b']) {
      const { status, location, body } = await connection.ask(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
      expect([status, location, body.length]).toEqual([303, `${path}!`, 100_000])
    }
    await expect(connection.ask('GET /end HTTP/1.1\r\nhost: x\r\n\r\n')).rejects.toThrow()
    await expect(connection.ask('GET /a HTTP/1.1\r\nhost: x\r\n\r\n')).rejects.toThrow('closed')
  } finally {
    connection.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
