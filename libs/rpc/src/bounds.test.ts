import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { compressionAlgorithms, Metadata, status } from '@grpc/grpc-js'
import type { ClientHttp2Session } from 'node:http2'
import { gzipSync } from 'node:zlib'
import { IntrospectionService, type IntrospectionClient } from '@countersign/contracts/introspection'
import { frame, rawCall, rawSession } from './testing/raw.ts'
import { plainClient, question, serve, until, type Served } from './testing/service.ts'

const mebibyte = 1_048_576
/** No status came: the stream was over the connection's bound, and HTTP/2 itself refused it. */
const refusedStream = -1
const path = IntrospectionService.introspect.path

/** Sends bytes as one call; gives the gRPC status. */
function send(session: ClientHttp2Session, bytes: Buffer, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve) => {
    const stream = rawCall(session, path, headers)
    let code: number | undefined
    const note = (fields: Record<string, unknown>) =>
      (code = fields['grpc-status'] === undefined ? code : Number(fields['grpc-status']))
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('close', () => resolve(code ?? refusedStream))
    stream.resume()
    stream.end(bytes)
  })
}

describe('messages that are too much', () => {
  let served: Served
  let client: IntrospectionClient
  let session: ClientHttp2Session
  const bomb = gzipSync(Buffer.alloc(64 * mebibyte))

  beforeAll(async () => {
    served = await serve()
    client = plainClient(served.target)
    session = rawSession(served.target)
  })
  afterAll(async () => {
    client.close()
    session.destroy()
    await served.server.close(0)
  })

  const introspect = (token: string, metadata = new Metadata()) =>
    new Promise<number>((resolve) =>
      client.introspect(question(token), metadata, (e) => resolve(e ? e.code : status.OK)),
    )

  test('a message of more than 1 MiB is RESOURCE_EXHAUSTED, one below it is answered', async () => {
    expect(await introspect('x'.repeat(mebibyte - 100))).toBe(status.OK)
    expect(await introspect('x'.repeat(mebibyte + 100))).toBe(status.RESOURCE_EXHAUSTED)
  })

  test('a length that claims 4 GiB is refused before the bytes come', async () => {
    expect(await send(session, Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]))).toBe(status.RESOURCE_EXHAUSTED)
  })

  test('a compressed message is read, and a compressed bomb is RESOURCE_EXHAUSTED', async () => {
    const gzip = plainClient(served.target, { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip })
    const code = await new Promise<number>((resolve) =>
      gzip.introspect(question('x'.repeat(5_000)), (error) => resolve(error ? error.code : status.OK)),
    )
    gzip.close()
    expect(code).toBe(status.OK)
    expect(await send(session, frame(bomb, true), { 'grpc-encoding': 'gzip' })).toBe(status.RESOURCE_EXHAUSTED)
  })

  test('hundreds of streams of bombs at once leave memory flat', async () => {
    // Each stream's one frame holds as many messages as fit, each of which inflates to just under the bound.
    const small = frame(gzipSync(Buffer.alloc(mebibyte - 1)), true)
    const many = Buffer.concat(Array.from({ length: Math.floor(16_000 / small.length) }, () => small))
    globalThis.gc?.()
    const before = process.memoryUsage.rss()
    let highest = before
    const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 1)
    const codes = await Promise.all(Array.from({ length: 500 }, () => send(session, many, { 'grpc-encoding': 'gzip' })))
    clearInterval(watch)
    expect(codes).toContain(status.RESOURCE_EXHAUSTED)
    expect(codes).not.toContain(status.OK)
    expect((highest - before) / mebibyte).toBeLessThan(400)
    await until(() => served.server.openCalls() === 0)
    expect(await introspect('well')).toBe(status.OK)
  })

  test('bytes that are no message fail that call alone', async () => {
    expect(await send(session, frame(Buffer.from([0xff, 0xff, 0xff]), false))).toBe(status.INTERNAL)
    expect(await introspect('well')).toBe(status.OK)
  })
})
