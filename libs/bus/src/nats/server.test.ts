import { expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:net'
import { greeting, parseServer } from './server.ts'

test('a server has a host and a port, and who to be there', () => {
  expect(parseServer('nats://a')).toEqual({ address: 'a:4222', host: 'a', port: 4222 })
  expect(parseServer('tls://[::1]:5000')).toEqual({ address: '[::1]:5000', host: '::1', port: 5000 })
  expect(parseServer('nats://me:p%40ss@a:1')).toMatchObject({ address: 'a:1', user: 'me', password: 'p@ss' })
  expect(() => parseServer('http://a')).toThrow(expect.objectContaining({ code: 'invalid_request' }))
})

async function listening(greet: string | undefined): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (greet === '') socket.end()
    else if (greet !== undefined) socket.write(greet)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as { port: number }).port }
}

test('only a server that speaks NATS, and in time, is connected to', async () => {
  const never = new AbortController().signal
  const answers = [
    ['INFO {}\r\n', undefined],
    ['HTTP/1.1 400\r\n', /no NATS server/],
    ['', /hung up/],
    [undefined, /does not answer/],
  ] as const
  for (const [greet, refusal] of answers) {
    const { server, port } = await listening(greet)
    const greeted = greeting(parseServer(`nats://127.0.0.1:${port}`), greet === undefined ? 100 : 20_000, never)
    if (refusal) await expect(greeted).rejects.toThrow(refusal)
    else await greeted
    server.close()
  }
})

test('waiting for a greeting ends when told to', async () => {
  const { server, port } = await listening(undefined)
  const closing = new AbortController()
  const greeted = greeting(parseServer(`nats://127.0.0.1:${port}`), 60_000, closing.signal)
  setTimeout(() => closing.abort(), 20)
  await expect(greeted).rejects.toThrow()
  server.close()
})
