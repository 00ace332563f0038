import { afterEach, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { Failure } from '@countersign/contracts'
import type { WatchRequest, WatchResponse } from '@countersign/contracts/introspection'
import type { Conversation, Peer } from './conversation.ts'
import { plainClient, pushed, serve, until, type Served } from './testing/service.ts'

const probe = (nonce: number): WatchRequest => ({ say: { $case: 'probe', value: { nonce, places: [] } } })

describe('a conversation', () => {
  let served: Served | undefined
  const clients: ReturnType<typeof plainClient>[] = []
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    await served?.server.close(0)
    served = undefined
  })

  function open(target: string) {
    const client = plainClient(target)
    clients.push(client)
    const stream = client.watch()
    const heard: WatchResponse[] = []
    const ended: { code: number | undefined; details?: string }[] = []
    stream.on('data', (response: WatchResponse) => heard.push(response))
    stream.on('error', ({ code, details }: { code?: number; details?: string }) => ended.push({ code, details }))
    stream.on('end', () => ended.push({ code: status.OK }))
    return { stream, heard, ended }
  }

  test('goes both ways, each side when it likes', async () => {
    served = await serve()
    const { stream, heard } = open(served.target)
    stream.write(probe(3))
    await until(() => heard.length === 3)
    stream.write(probe(2))
    await until(() => heard.length === 5)
    expect(heard.map(({ say }) => say?.$case === 'push' && say.value.revision)).toEqual(['1', '2', '3', '1', '2'])
  })

  test('is ended by what the listener throws, and says why', async () => {
    const outcomes: string[] = []
    served = await serve({}, { onCall: (_, outcome) => outcomes.push(outcome) })
    const { stream, ended } = open(served.target)
    stream.write({ say: { $case: 'applied', value: { revisions: [] } } })
    await until(() => ended.length > 0)
    expect(ended[0]).toEqual({ code: status.INVALID_ARGUMENT, details: 'say probe' })
    expect(outcomes).toEqual(['invalid_request'])
  })

  test('ends well when the caller has said everything, and tells the listener once', async () => {
    let closed = 0
    const watch: Conversation<WatchRequest, WatchResponse> = {
      converse: () => ({ onRequest: () => undefined, onClose: () => closed++ }),
    }
    const outcomes: string[] = []
    served = await serve({ watch }, { onCall: (_, outcome) => outcomes.push(outcome) })
    const { stream, ended } = open(served.target)
    stream.end()
    await until(() => ended.length > 0 && closed > 0)
    expect(ended).toEqual([{ code: status.OK }])
    expect(closed).toBe(1)
    expect(outcomes).toEqual(['ok'])
  })

  test('tells the listener when the caller goes away', async () => {
    let closed = 0
    const watch: Conversation<WatchRequest, WatchResponse> = {
      converse: (peer) => ({ onRequest: () => peer.send(pushed('1')), onClose: () => closed++ }),
    }
    served = await serve({ watch })
    const { stream, heard } = open(served.target)
    stream.write(probe(1))
    await until(() => heard.length === 1)
    stream.cancel()
    await until(() => closed === 1)
  })

  test('drops a caller that does not read, and holds little for it', async () => {
    let peer: Peer<WatchResponse> | undefined
    const watch: Conversation<WatchRequest, WatchResponse> = {
      converse(given) {
        peer = given
        return { onRequest: () => undefined, onClose: () => undefined }
      },
    }
    served = await serve({ watch }, { limits: { streamUnsentMessages: 50 } })
    const { stream } = open(served.target)
    stream.write(probe(1))
    await until(() => peer !== undefined)
    stream.pause()
    const before = process.memoryUsage().rss
    const big = pushed('x'.repeat(10_000))
    for (let n = 0; n < 20_000; n++) peer!.send(big)
    await until(() => served!.log.lines.some(({ fields }) => JSON.stringify(fields).includes('unavailable')))
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1_024 * 1_024)
  })

  test('ends as unavailable when the server goes away', async () => {
    served = await serve()
    const { stream, heard, ended } = open(served.target)
    stream.write(probe(1))
    await until(() => heard.length === 1)
    await served.server.close(2_000)
    served = undefined
    await until(() => ended.length > 0)
    expect(ended[0]!.code).toBe(status.UNAVAILABLE)
  })

  test('can be refused before anything was said', async () => {
    const watch: Conversation<WatchRequest, WatchResponse> = {
      converse: () => {
        throw new Failure('access_denied', 'not for you')
      },
    }
    served = await serve({ watch })
    const { ended } = open(served.target)
    await until(() => ended.length > 0)
    expect(ended[0]!.code).toBe(status.PERMISSION_DENIED)
  })
})
