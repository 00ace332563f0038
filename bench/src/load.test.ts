import type { GrpcMode } from '../generators/grpc.ts'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { IntrospectResponse } from '@countersign/contracts/introspection'
import { readArguments } from './arguments.ts'
import { startServer } from './child.ts'
import { inContext, writeTokens, type Context } from './context.ts'
import { grpcContender } from './grpc-contender.ts'
import { httpContender } from './http-contender.ts'
import { postForm } from './http-answer.ts'
import { httpGenerator, runHttpLoad } from './http-load.ts'

const tokens = ['token-a', 'token-b', 'token-c']
const seen = new Set<string>()
let answer = (_form: string): string => '{"active":true}'
let server: Server
let url: string

beforeAll(async () => {
  server = createServer((request, response) => {
    let form = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (form += chunk))
    request.on('end', () => {
      seen.add(`${request.method} ${request.headers.authorization} ${form}`)
      const body = answer(form)
      response.writeHead(200, { 'content-length': body.length }).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})

afterAll(() => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
})

const signal = new AbortController().signal
const inOne = <T>(run: (context: Context) => Promise<T>) =>
  inContext(readArguments([], []), { progress: () => undefined, signal }, run)

const contenderAt = (context: Context, use: 'once' | 'again') =>
  httpContender({
    ...{ name: 'server', unit: 'answers/s', processes: {}, url, authorization: 'Basic x', form: 'token=', signal },
    tokens: { file: writeTokens(context, 'tokens', tokens), use },
    connections: 2,
    sample: async () => tokens[0]!,
    isRight: ({ body }) => body === '{"active":true}',
  })

describe('the HTTP load', () => {
  test('posts the form with each token in turn, and counts what is answered', async () => {
    seen.clear()
    const load = await inOne(async (context) => {
      const contender = contenderAt(context, 'again')
      await contender.verify()
      return contender.run(1, () => undefined)
    })
    expect(load.perSecond).toBeGreaterThan(0)
    expect(load.p99Ms).toBeGreaterThanOrEqual(load.p50Ms)
    expect([...seen].sort()).toEqual(tokens.map((token) => `POST Basic x token=${token}`))
  })

  test('fails when one token in three is answered inactive', async () => {
    answer = (form) => (form.endsWith('b') ? '{"active":false,"padding":"as a wrong answer has"}' : '{"active":true}')
    const run = inOne(async (context) => {
      const contender = contenderAt(context, 'again')
      await contender.verify()
      await contender.run(1, () => undefined)
    })
    await expect(run).rejects.toThrow('not the same')
    answer = () => '{"active":true}'
  })

  test('fails when tokens to be used once run out', async () => {
    const run = inOne(async (context) => {
      const contender = contenderAt(context, 'once')
      await contender.verify()
      await contender.run(1, () => undefined)
    })
    await expect(run).rejects.toThrow('fewer tokens')
  })

  test('does not begin when the answer to verify is wrong', async () => {
    answer = () => '{"active":false}'
    await expect(inOne((context) => contenderAt(context, 'again').verify())).rejects.toThrow('answered wrongly')
    answer = () => '{"active":true}'
  })

  test('is the same from either generator', async () => {
    const { wireBytes } = await postForm(url, 'Basic x', 'token=')
    for (const generator of new Set([httpGenerator(), 'autocannon'] as const)) {
      seen.clear()
      const figures = await inOne(async (context) => {
        const held = { file: writeTokens(context, 'tokens', tokens), use: 'again' as const }
        const load = { url, authorization: 'Basic x', form: 'token=', tokens: held, connections: 2 }
        return runHttpLoad(load, { seconds: 1, generator, onStart: () => undefined, signal })
      })
      expect(figures).toMatchObject({ non2xx: 0, socketErrors: 0, exhausted: false })
      expect(Math.round(figures.bytes / figures.requests)).toBe(wireBytes)
      expect([...seen].sort()).toEqual(tokens.map((token) => `POST Basic x token=${token}`))
    }
  })
})

describe('the gRPC load', () => {
  const echoing = async (context: Context, active: boolean, mode: GrpcMode) => {
    const message = { ...IntrospectResponse.decode(new Uint8Array()), active }
    const bytes = Buffer.from(IntrospectResponse.encode(message).finish()).toString('base64')
    const echo = await context.start(startServer(new URL('../baselines/grpc-echo.ts', import.meta.url), [bytes]))
    return grpcContender(
      {
        ...{ name: 'echo', processes: {}, target: `127.0.0.1:${echo.port}`, authorization: 'Basic x', mode },
        ...{ concurrency: 4, batchTokens: 3, generators: 2, tokensFile: writeTokens(context, 'tokens', tokens) },
      },
      (child) => void context.start(Promise.resolve(child)),
    )
  }

  test.each(['unary', 'batch', 'stream'] as const)('counts the tokens that %s answers', async (mode) => {
    const pids: number[] = []
    const load = await inOne(async (context) => {
      const contender = await echoing(context, true, mode)
      await contender.verify()
      return contender.run(0.3, (pid) => pids.push(pid))
    })
    expect(load.perSecond).toBeGreaterThan(0)
    expect(load.p99Ms).toBeGreaterThanOrEqual(load.p50Ms)
    expect(new Set(pids).size).toBe(2)
  })

  test.each(['unary', 'batch', 'stream'] as const)('fails when %s answers a token inactive', async (mode) => {
    const verifying = inOne(async (context) => (await echoing(context, false, mode)).verify())
    await expect(verifying).rejects.toThrow('not answered active')
  })
})
