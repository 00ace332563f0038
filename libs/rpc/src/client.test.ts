import { afterEach, describe, expect, test } from '@jest/globals'
import { Failure, type FailureCode } from '@countersign/contracts'
import { IntrospectionService } from '@countersign/contracts/introspection'
import { basicAuthorization, createRpcClient, type RpcClient, type RpcClientOptions } from './client.ts'
import type { CallContext } from './context.ts'
import { question, serve, until, verdict, type Served } from './testing/service.ts'

type Definition = typeof IntrospectionService
type Options = Partial<RpcClientOptions<Definition>>
const calm = { minimumCalls: 1_000, windowCalls: 1_000 }

describe('an rpc client', () => {
  const servers: Served[] = []
  const clients: RpcClient<Definition>[] = []
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    await Promise.all(servers.splice(0).map(({ server }) => server.close(0)))
  })

  const start = async (...given: Parameters<typeof serve>) => {
    const served = await serve(...given)
    servers.push(served)
    return served
  }
  const clientOf = (target: string, options: Options = {}) => {
    const idempotent = ['introspect'] as const
    const client = createRpcClient(IntrospectionService, { target, deadlineMs: 5_000, idempotent, ...options })
    clients.push(client)
    return client
  }
  /** A server that fails the first `failures` calls. */
  const failing = async (code: FailureCode, failures = Infinity, retryAfterSeconds?: number) => {
    const counted = { calls: 0 }
    const answer = async () => {
      if (counted.calls++ < failures) throw new Failure(code, 'not now', { retryAfterSeconds: retryAfterSeconds! })
    }
    const served = await start({
      introspect: async ({ token }) => (await answer(), verdict(token)),
      batchIntrospect: async () => (await answer(), { responses: [] }),
    })
    return { ...served, counted }
  }

  test('sends its credentials, each form-encoded, and the metadata of the call', async () => {
    let context: CallContext | undefined
    const { target } = await start({ introspect: async (_, given) => ((context = given), verdict()) })
    const { calls } = clientOf(target, { client: { id: 'reports:api', secret: 'a b+c:ü' } })
    await calls.introspect(question(), { metadata: { traceparent: '00-1-2-03' } })
    const [authorization] = context!.metadata.get('authorization')
    expect(Buffer.from(String(authorization).slice(6), 'base64').toString()).toBe('reports%3Aapi:a+b%2Bc%3A%C3%BC')
    expect(authorization).toBe(basicAuthorization('reports:api', 'a b+c:ü'))
    expect(context!.metadata.get('traceparent')).toEqual(['00-1-2-03'])
  })

  test('passes on the earlier of its own deadline and what is left of its caller’s', async () => {
    const deadlines: number[] = []
    const { target } = await start({ introspect: async (_, { deadline }) => (deadlines.push(deadline), verdict()) })
    const { calls } = clientOf(target, { deadlineMs: 60_000 })
    const started = Date.now()
    await calls.introspect(question(), { deadline: started + 10_000 })
    await calls.introspect(question(), { deadline: started + 999_000 })
    expect(Math.abs(deadlines[0]! - started - 10_000)).toBeLessThan(3_000)
    expect(Math.abs(deadlines[1]! - started - 60_000)).toBeLessThan(3_000)
  })

  test('gives up at its deadline', async () => {
    const { target } = await start({ introspect: () => new Promise(() => undefined) })
    const { calls } = clientOf(target, { deadlineMs: 100 })
    await expect(calls.introspect(question())).rejects.toMatchObject({ code: 'deadline_exceeded' })
  })

  test('repeats an idempotent call that was unavailable', async () => {
    const { target, counted } = await failing('unavailable', 2)
    const attempts: number[] = []
    const { calls } = clientOf(target, { onCall: (_path, _outcome, _ms, made) => attempts.push(made) })
    expect(await calls.introspect(question('abc'))).toMatchObject({ sub: 'abc' })
    expect(counted.calls).toBe(3)
    expect(attempts).toEqual([3])
  })

  test('never repeats a call that was not declared idempotent, nor one that was refused, nor before it may', async () => {
    const unavailable = await failing('unavailable')
    await expect(clientOf(unavailable.target).calls.batchIntrospect({ requests: [] })).rejects.toThrow('not now')
    expect(unavailable.counted.calls).toBe(1)
    const internal = await failing('internal')
    await expect(clientOf(internal.target).calls.introspect(question())).rejects.toMatchObject({ code: 'internal' })
    expect(internal.counted.calls).toBe(1)
    const busy = await failing('unavailable', Infinity, 5)
    await expect(clientOf(busy.target).calls.introspect(question())).rejects.toMatchObject({ retryAfterSeconds: 5 })
    expect(busy.counted.calls).toBe(1)
  })

  test('adds at most a fifth of load to a server that fails every call', async () => {
    const { target, counted } = await failing('unavailable')
    const { calls } = clientOf(target, { breaker: calm, retry: { backoffMs: 1, maxBackoffMs: 1 } })
    for (let i = 0; i < 300; i++) await calls.introspect(question()).catch(() => undefined)
    expect(counted.calls).toBeGreaterThan(300)
    expect(counted.calls).toBeLessThanOrEqual(300 * 1.2 + 10)
  })

  test('stops calling a server that is down, and goes on once it is back', async () => {
    const { server, port, target } = await serve()
    const states: string[] = []
    const { calls, breakerState } = clientOf(target, {
      breaker: { minimumCalls: 5, windowCalls: 5, openMs: 200 },
      onBreaker: (state) => states.push(state),
    })
    await calls.introspect(question())
    await server.close(0)
    for (let i = 0; i < 10; i++)
      await expect(calls.introspect(question())).rejects.toMatchObject({ code: 'unavailable' })
    expect(breakerState()).toBe('open')
    await expect(calls.introspect(question())).rejects.toThrow('does not answer at present')
    expect(() => calls.streamIntrospect()).toThrow('does not answer at present')
    await start({}, { port })
    let isBack = false
    await until(() => {
      void calls.introspect(question()).then(
        () => (isBack = true),
        () => undefined,
      )
      return isBack
    })
    expect(breakerState()).toBe('closed')
    expect(states.slice(0, 2)).toEqual(['open', 'half_open'])
  })

  test('does not blame the server when a caller leaves it no time, or goes away', async () => {
    const { target } = await start({ introspect: () => new Promise(() => undefined) })
    const { calls, breakerState } = clientOf(target, {
      breaker: { minimumCalls: 2, windowCalls: 2, failureShare: 0.1 },
    })
    for (let i = 0; i < 5; i++) {
      await expect(calls.introspect(question(), { deadline: Date.now() + 20 })).rejects.toThrow('in time')
      await expect(calls.introspect(question(), { signal: AbortSignal.timeout(20) })).rejects.toThrow()
    }
    expect(breakerState()).toBe('closed')
    await expect(calls.introspect(question(), { signal: AbortSignal.abort() })).rejects.toThrow('has gone')
  })

  test('spreads calls over the addresses of a target, and leaves out one that is gone', async () => {
    const seen = [0, 0]
    const count = (n: number) => start({ introspect: async () => (seen[n]!++, verdict()) })
    const [first, second] = [await count(0), await count(1)]
    const { calls } = clientOf(`ipv4:${first.target},${second.target}`)
    const asked: Promise<unknown>[] = []
    await until(() => {
      asked.push(calls.introspect(question()))
      return seen[0]! > 20 && seen[1]! > 20
    })
    await Promise.all(asked)
    await first.server.close(1_000)
    for (let i = 0; i < 20; i++) await calls.introspect(question())
  })

  test('a rolling restart under load fails no idempotent call', async () => {
    const [first, second] = [await start(), await start()]
    const { calls } = clientOf(`ipv4:${first.target},${second.target}`)
    let isRolling = true
    const failures: unknown[] = []
    const worker = async () => {
      while (isRolling) await calls.introspect(question()).catch((failure) => failures.push(failure))
    }
    const load = Array.from({ length: 8 }, worker)
    for (const { server, port } of [first, second]) {
      await server.close(5_000)
      await start({}, { port })
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    isRolling = false
    await Promise.all(load)
    expect(failures).toEqual([])
  })

  test('closed, refuses calls as unavailable, and does not repeat one that is under way', async () => {
    const { target } = await failing('unavailable')
    const client = clientOf(target, { breaker: calm, retry: { backoffMs: 50, maxBackoffMs: 50 }, random: () => 1 })
    const underWay = client.calls.introspect(question())
    await new Promise((resolve) => setTimeout(resolve, 20))
    client.close()
    await expect(underWay).rejects.toMatchObject({ code: 'unavailable' })
    const closed = { code: 'unavailable', message: 'this client was closed' }
    await expect(client.calls.introspect(question())).rejects.toMatchObject(closed)
    expect(() => client.calls.streamIntrospect()).toThrow('this client was closed')
  })

  test('sends nothing in plaintext to another host, unless it is allowed', () => {
    expect(() => clientOf('dns:///introspection.example:50051')).toThrow(/introspection\.example needs TLS/)
    expect(() => clientOf('ipv4:127.0.0.1:1,10.0.0.2:1')).toThrow(/10\.0\.0\.2 needs TLS/)
    clientOf('dns:///introspection.example:50051', { allowPlaintext: true })
  })
})
