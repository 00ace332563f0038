import { afterEach, describe, expect, test } from '@jest/globals'
import { status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js'
import { Failure } from '@countersign/contracts'
import {
  IntrospectionService,
  type IntrospectionClient,
  type StreamIntrospectRequest,
  type StreamIntrospectResponse,
} from '@countersign/contracts/introspection'
import { failureOf } from './status.ts'
import { frame, rawCall, rawSession } from './testing/raw.ts'
import { plainClient, question, serve, until, verdict, type Served } from './testing/service.ts'

type Stream = ClientDuplexStream<StreamIntrospectRequest, StreamIntrospectResponse>
type Answer = (request: StreamIntrospectRequest) => Promise<StreamIntrospectResponse>

const ask = (id: number): StreamIntrospectRequest => ({ id, request: question(`t${id}`), requests: [] })
const answer = (id: number, size = 0): StreamIntrospectResponse => ({
  id,
  outcome: { $case: 'response', value: verdict('x'.repeat(size)) },
  outcomes: [],
})

interface Ended {
  ids: number[]
  error: ServiceError | undefined
}

/** Reads a stream to its end. */
function readAll(stream: Stream): Promise<Ended> {
  const ids: number[] = []
  return new Promise((resolve) => {
    stream.on('data', ({ id }: StreamIntrospectResponse) => ids.push(id))
    stream.on('end', () => resolve({ ids, error: undefined }))
    stream.on('error', (error: ServiceError) => resolve({ ids, error }))
  })
}

describe('a bidirectional stream', () => {
  let served: Served | undefined
  let client: IntrospectionClient

  const start = async (streamIntrospect: Answer, outcomes: string[] = [], streamWindowRequests = 8) => {
    const limits = { streamWindowRequests }
    const onCall = (_: string, outcome: string) => outcomes.push(outcome)
    served = await serve({ streamIntrospect }, { limits, onCall })
    client = plainClient(served.target)
    const stream = client.streamIntrospect()
    stream.on('error', () => undefined)
    return stream
  }
  afterEach(async () => {
    client.close()
    await served?.server.close(0)
  })

  test('answers every request, and ends once the peer has ended and all is answered', async () => {
    const outcomes: string[] = []
    const stream = await start(async ({ id }) => answer(id), outcomes)
    const ended = readAll(stream)
    for (let id = 0; id < 5_000; id++) stream.write(ask(id))
    stream.end()
    const { ids, error } = await ended
    expect(error).toBeUndefined()
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 5_000 }, (_, id) => id))
    await until(() => outcomes.length === 1)
    expect(outcomes).toEqual(['ok'])
  })

  test('answers out of order: a slow request keeps no other back', async () => {
    const slow: (() => void)[] = []
    const stream = await start(({ id }) =>
      id === 0 ? new Promise((resolve) => slow.push(() => resolve(answer(id)))) : Promise.resolve(answer(id)),
    )
    const ids: number[] = []
    stream.on('data', ({ id }: StreamIntrospectResponse) => ids.push(id))
    for (let id = 0; id < 20; id++) stream.write(ask(id))
    stream.end()
    await until(() => ids.length === 19)
    expect(ids).not.toContain(0)
    slow[0]!()
    await until(() => ids.length === 20)
  })

  test('has no more in work than its window, and holds the sender back', async () => {
    let inWork = 0
    let most = 0
    const release: (() => void)[] = []
    const stream = await start(({ id }) => {
      most = Math.max(most, ++inWork)
      return new Promise((resolve) => release.push(() => (inWork--, resolve(answer(id)))))
    })
    const ended = readAll(stream)
    const padded = { token: 'x'.repeat(4_000), tokenTypeHint: '', minRevision: '', staleness: undefined }
    for (let id = 0; id < 2_000; id++) stream.write({ id, request: padded, requests: [] })
    stream.end()
    await until(() => inWork === 8)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(release).toHaveLength(8)
    expect(stream.writableLength).toBeGreaterThan(1_000)
    const pump = setInterval(() => release.splice(0).forEach((done) => done()), 0)
    expect((await ended).ids).toHaveLength(2_000)
    clearInterval(pump)
    expect(most).toBe(8)
  })

  test('reads no further while the peer does not take its answers', async () => {
    let answered = 0
    await start(async ({ id }) => (answered++, answer(id, 10_000)), [], 10_000)
    const session = rawSession(served!.target)
    const { path, requestSerialize } = IntrospectionService.streamIntrospect
    // Not the library's client: that one would take everything in and keep it.
    const stream = rawCall(session, path)
    stream.pause()
    const padded = { token: 'x'.repeat(1_000), tokenTypeHint: '', minRevision: '', staleness: undefined }
    for (let id = 0; id < 2_000; id++) stream.write(frame(requestSerialize({ id, request: padded, requests: [] })))
    stream.end()
    await until(() => answered > 0)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(answered).toBeLessThan(200)
    stream.resume()
    await until(() => answered === 2_000)
    session.destroy()
  })

  test('ends with the Failure of a request that could not be answered', async () => {
    const stream = await start(() => Promise.reject(new Failure('invalid_client', 'who are you')))
    const ended = readAll(stream)
    stream.write(ask(1))
    expect(failureOf((await ended).error!)).toMatchObject({ code: 'invalid_client', message: 'who are you' })
  })

  test('goes away when its peer does', async () => {
    const outcomes: string[] = []
    const stream = await start(() => new Promise(() => undefined), outcomes)
    stream.on('error', () => undefined)
    stream.write(ask(1))
    await until(() => served!.server.openCalls() === 1)
    stream.cancel()
    await until(() => served!.server.openCalls() === 0)
    await until(() => outcomes.length === 1)
    expect(outcomes).toEqual(['cancelled'])
  })

  test('on shutdown answers what it has read, then says unavailable, without waiting for the grace', async () => {
    const release: (() => void)[] = []
    const stream = await start(({ id }) => new Promise((resolve) => release.push(() => resolve(answer(id)))))
    const ended = readAll(stream)
    for (let id = 0; id < 3; id++) stream.write(ask(id))
    await until(() => release.length === 3)
    const startedMs = performance.now()
    const closed = served!.server.close(60_000)
    release.forEach((done) => done())
    const { ids, error } = await ended
    expect(ids).toHaveLength(3)
    expect(error).toMatchObject({ code: status.UNAVAILABLE })
    expect(failureOf(error!).message).toContain('going away')
    await closed
    expect(performance.now() - startedMs).toBeLessThan(30_000)
    served = undefined
  })
})
