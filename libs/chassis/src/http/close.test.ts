import { expect, test } from '@jest/globals'
import { Router } from 'express'
import { Agent, get } from 'node:http'
import { rawConnection, route, serve, until } from '../testing/http.ts'

const held = () => {
  const release: (() => void)[] = []
  const GET = () =>
    new Promise<{ status: number; body: string }>((resolve) =>
      release.push(() => resolve({ status: 200, body: 'done' })),
    )
  return { release, GET }
}

test('closing drops idle connections, finishes requests in work, refuses new ones, and needs no grace for it', async () => {
  const { release, GET } = held()
  const served = await serve([route('/a', { GET })])
  const idle = await rawConnection(served.port)
  const agent = new Agent({ keepAlive: true })
  const inWork = new Promise<[string, string | undefined]>((resolve) => {
    get(`${served.url}/a`, { agent }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => resolve([text, response.headers.connection]))
    })
  })
  await until(() => release.length === 1)
  const startedMs = performance.now()
  const closed = served.server.close(60_000)
  await idle.closed
  await expect(fetch(`${served.url}/a`)).rejects.toThrow()
  release[0]!()
  expect(await inWork).toEqual(['done', 'close'])
  await closed
  expect(performance.now() - startedMs).toBeLessThan(30_000)
  agent.destroy()
})

test('an answer of the application that began before closing keeps no connection open after it', async () => {
  let finish = () => {}
  const router = Router().get('/slow', (_request, response) => {
    response.write('a')
    finish = () => response.end('b')
  })
  const served = await serve([], { express: [router] })
  const connection = await rawConnection(served.port)
  connection.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => connection.received().includes('a'))
  const startedMs = performance.now()
  const closed = served.server.close(60_000)
  finish()
  await closed
  expect(connection.received()).toContain('b')
  expect(performance.now() - startedMs).toBeLessThan(30_000)
})

test('what is still in work after the grace is cut off', async () => {
  const { release, GET } = held()
  const served = await serve([route('/a', { GET })])
  const connection = await rawConnection(served.port)
  connection.write('GET /a HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => release.length === 1)
  await served.server.close(50)
  await connection.closed
  expect(connection.received()).toBe('')
})
