import { afterEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Failure } from '@countersign/contracts'
import type { AuditSource } from './source.ts'
import { followEvents } from './stream.ts'

type Answer = (response: ServerResponse, request: IncomingMessage) => void

let server: Server
afterEach(() => void server.close().closeAllConnections())

/** A server that answers one connection after the other so; the last answer again and again. */
async function serve(...answers: Answer[]): Promise<{ source: AuditSource; asked: (string | undefined)[] }> {
  const asked: (string | undefined)[] = []
  server = createServer((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)]!
    asked.push(request.headers['last-event-id'] as string | undefined)
    answer(response, request)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const filter = { type: undefined, subject: undefined, client_id: undefined }
  return { source: { base, credentials: { id: 'a', secret: 'b' }, filter }, asked }
}

const event = (index: number) => `id: ${index}\ndata: {"index":${index},"type":"token.issued"}\n\n`
const send =
  (text: string, then: (response: ServerResponse) => void = () => undefined): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text, () => then(response))
  }
const cut = (response: ServerResponse) => void setTimeout(() => response.destroy(), 20)
const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end()

async function follow(source: AuditSource, count: number, after?: number, silenceMs = 60_000) {
  const indexes: number[] = []
  const lost: string[] = []
  const onLost = ({ code }: Failure) => void lost.push(code)
  for await (const { index } of followEvents(source, { after, onLost, silenceMs, random: () => 0 })) {
    indexes.push(index)
    if (indexes.length === count) break
  }
  return { indexes, lost }
}

describe('following the journal', () => {
  test('goes on behind the last event that was whole', async () => {
    const { source, asked } = await serve(
      send(event(4) + event(5) + 'id: 6\ndata: {"ind', cut),
      send(event(6) + event(7)),
    )
    expect(await follow(source, 4, 3)).toEqual({ indexes: [4, 5, 6, 7], lost: ['unavailable'] })
    expect(asked).toEqual(['3', '5'])
  })

  test('goes on from where it began when it breaks before the first event', async () => {
    const { source, asked } = await serve(send('retry: 1\nid: 9\n\n', cut), send(event(10)))
    expect((await follow(source, 1)).indexes).toEqual([10])
    expect(asked).toEqual([undefined, '9'])
  })

  test('shows an event once when the server sends it again', async () => {
    const { source } = await serve(send(event(1) + event(2), cut), send(event(1) + event(2) + event(3)))
    expect((await follow(source, 3, 0)).indexes).toEqual([1, 2, 3])
  })

  test('tries again while the server is down or busy, and tells of it once', async () => {
    const { source, asked } = await serve(send(event(1), cut), status(503), status(429), status(502), send(event(2)))
    expect(await follow(source, 2, 0)).toEqual({ indexes: [1, 2], lost: ['unavailable'] })
    expect(asked).toEqual(['0', '1', '1', '1', '1'])
  })

  test('leaves a server that has gone silent', async () => {
    const { source } = await serve(send(event(1)), send(event(2)))
    expect(await follow(source, 2, 0, 2_000)).toEqual({ indexes: [1, 2], lost: ['deadline_exceeded'] })
  })

  test('goes on after the server has ended the stream in good order', async () => {
    const { source } = await serve(
      send(event(1), (response) => response.end()),
      send(event(2)),
    )
    expect((await follow(source, 2, 0)).indexes).toEqual([1, 2])
  })

  test.each([
    [401, 'invalid_client'],
    [403, 'access_denied'],
    [400, 'invalid_request'],
  ])('ends when it is told %i', async (code, expected) => {
    const { source } = await serve(send(event(1), cut), status(code))
    await expect(follow(source, 2, 0)).rejects.toMatchObject({ code: expected })
  })

  test('does not try again when it never began', async () => {
    const { source, asked } = await serve(status(503))
    await expect(follow(source, 1, 0)).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked).toHaveLength(1)
  })

  test('ends at what is no event', async () => {
    const { source } = await serve(send('id: 1\ndata: <h1>\n\n'))
    await expect(follow(source, 1, 0)).rejects.toMatchObject({ code: 'internal' })
  })
})
