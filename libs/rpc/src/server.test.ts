import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { Failure } from '@countersign/contracts'
import type { IntrospectionClient, IntrospectResponse } from '@countersign/contracts/introspection'
import type { CallContext } from './context.ts'
import { createRpcServer } from './server.ts'
import { failureOf } from './status.ts'
import { keptLog, plainClient, question, serve, until, verdict, type Served } from './testing/service.ts'

const introspect = (client: IntrospectionClient, token?: string, metadata = new Metadata(), options = {}) =>
  new Promise<IntrospectResponse>((resolve, reject) => {
    client.introspect(question(token), metadata, options, (error, response) =>
      error ? reject(error) : resolve(response),
    )
  })
const failureFrom = (call: Promise<unknown>): Promise<Failure> =>
  call.then(
    () => Promise.reject(new Error('it should have failed')),
    (error: ServiceError) => failureOf(error),
  )

describe('an rpc server', () => {
  let served: Served
  let client: IntrospectionClient
  const handle = { introspect: async (request: { token: string }, _context: CallContext) => verdict(request.token) }
  const outcomes: [string, string][] = []

  beforeEach(async () => {
    handle.introspect = async ({ token }) => verdict(token)
    outcomes.length = 0
    const implementation = { introspect: (q: { token: string }, context: CallContext) => handle.introspect(q, context) }
    const limits = { undatedCallMs: 300, maxOpenCalls: 20, maxCompressedCalls: 2 }
    served = await serve(implementation, {
      limits,
      onCall: (path, outcome) => outcomes.push([path.split('/')[2]!, outcome]),
    })
    client = plainClient(served.target)
  })
  afterEach(async () => {
    client.close()
    await served.server.close(0)
  })

  test('answers, and tells how each call ended', async () => {
    expect(await introspect(client, 'abc')).toMatchObject({ active: true, sub: 'abc' })
    expect(outcomes).toEqual([['Introspect', 'ok']])
  })

  test('gives a Failure back to the client as it was', async () => {
    handle.introspect = async () => {
      throw new Failure('too_many_requests', 'wait a little – 50 %', { retryAfterSeconds: 9 })
    }
    const failure = await failureFrom(introspect(client))
    expect(failure).toMatchObject({ code: 'too_many_requests', message: 'wait a little – 50 %', retryAfterSeconds: 9 })
    expect(outcomes).toEqual([['Introspect', 'too_many_requests']])
  })

  test('keeps what broke inside to its log, whether it was thrown or rejected', async () => {
    for (const broken of [() => Promise.reject(new Error('secret')), () => JSON.parse('{secret')]) {
      handle.introspect = broken
      const failure = await failureFrom(introspect(client))
      expect(failure.code).toBe('internal')
      expect(JSON.stringify([failure.message, (failure.cause as Error).message])).not.toContain('secret')
    }
    expect(served.log.lines).toMatchObject([{ level: 'error' }, { level: 'error' }])
  })

  test('hands over the deadline, the metadata, the peer, and a signal that follows the call', async () => {
    let context: CallContext | undefined
    handle.introspect = (_, given) => {
      context = given
      return new Promise(() => undefined)
    }
    const metadata = new Metadata()
    metadata.set('authorization', 'Basic abc')
    const deadline = Date.now() + 400
    const failure = failureFrom(introspect(client, 'x', metadata, { deadline }))
    await until(() => context !== undefined)
    expect(context!.metadata.get('authorization')).toEqual(['Basic abc'])
    expect(context!.peerAddress).toBe('127.0.0.1')
    expect(context!.peerCertificate).toBeUndefined()
    expect(Math.abs(context!.deadline - deadline)).toBeLessThan(200)
    expect(context!.signal.aborted).toBe(false)
    expect((await failure).code).toBe('deadline_exceeded')
    await until(() => context!.signal.aborted)
  })

  test('ends a call whose caller set no deadline, and counts it no longer', async () => {
    handle.introspect = () => new Promise(() => undefined)
    expect((await failureFrom(introspect(client))).code).toBe('deadline_exceeded')
    await until(() => served.server.openCalls() === 0)
  })

  test('refuses calls beyond its bound as unavailable, and answers again once there is room', async () => {
    handle.introspect = () => new Promise(() => undefined)
    const held = Array.from({ length: 20 }, () => failureFrom(introspect(client)))
    await until(() => served.server.openCalls() === 20)
    const refused = await failureFrom(introspect(client))
    expect(refused).toMatchObject({ code: 'unavailable', message: expect.stringContaining('too many calls') })
    await Promise.all(held)
    handle.introspect = async ({ token }) => verdict(token)
    expect((await introspect(client)).active).toBe(true)
  })

  test('never prints a credential that cannot be a header value', async () => {
    const printed = jest.spyOn(console, 'error').mockImplementation(() => undefined)
    const metadata = new Metadata()
    metadata.set('authorization', 'Basic c2VjcmV0')
    metadata.toHttp2Headers = () => ({ authorization: 'Basic \u00e9-secret' })
    metadata.clone = () => metadata
    await introspect(client, 'x', metadata).catch(() => undefined)
    expect(JSON.stringify(printed.mock.calls)).not.toContain('secret')
    printed.mockRestore()
  })
})

test('plaintext listens on loopback only, unless it is allowed', async () => {
  const server = createRpcServer({ services: [], log: keptLog() })
  await expect(server.listen({ host: '0.0.0.0', port: 0 })).rejects.toThrow(/needs TLS.*allow_plaintext/)
  const allowed = createRpcServer({ services: [], log: keptLog(), allowPlaintext: true })
  expect((await allowed.listen({ host: '0.0.0.0', port: 0 })).port).toBeGreaterThan(0)
  await Promise.all([server.close(0), allowed.close(0)])
})

test('an address that is taken is an error that says so', async () => {
  const { server, port } = await serve()
  const second = createRpcServer({ services: [], log: keptLog() })
  await expect(second.listen({ host: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE')
  await Promise.all([server.close(0), second.close(0)])
})

test('connections beyond the bound are refused', async () => {
  const served = await serve({}, { limits: { maxConnections: 1 } })
  const first = plainClient(served.target)
  await introspect(first)
  const second = plainClient(served.target)
  await expect(introspect(second, 'x', new Metadata(), { deadline: Date.now() + 5_000 })).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  })
  expect(served.log.lines[0]?.message).toContain('too many')
  first.close()
  second.close()
  await served.server.close(0)
})

describe('closing', () => {
  test('finishes the calls in work, refuses new ones, and ends long before the grace', async () => {
    const release: (() => void)[] = []
    const served = await serve({
      introspect: ({ token }) => new Promise((resolve) => release.push(() => resolve(verdict(token)))),
    })
    const client = plainClient(served.target)
    const inWork = Array.from({ length: 10 }, (_, i) => introspect(client, `t${i}`))
    await until(() => release.length === 10)
    const startedMs = performance.now()
    const closed = served.server.close(60_000)
    const late = plainClient(served.target)
    await expect(introspect(late)).rejects.toMatchObject({ code: status.UNAVAILABLE })
    for (const done of release) done()
    expect((await Promise.all(inWork)).map(({ sub }) => sub)).toContain('t9')
    await closed
    expect(performance.now() - startedMs).toBeLessThan(30_000)
    client.close()
    late.close()
  })

  test('cuts off what is still in work after the grace', async () => {
    const served = await serve({ introspect: () => new Promise(() => undefined) })
    const client = plainClient(served.target)
    const failure = failureFrom(introspect(client))
    await until(() => served.server.openCalls() === 1)
    await served.server.close(50)
    expect((await failure).code).toBe('unavailable')
    client.close()
  })
})
