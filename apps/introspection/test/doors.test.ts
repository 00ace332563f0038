import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Client, credentials, status } from '@grpc/grpc-js'
import { IntrospectionService, type StreamIntrospectResponse } from '@countersign/contracts/introspection'
import { createRpcClient, type RpcClient } from '@countersign/rpc'
import { MainJob, startEmbedded, type Embedded } from '@countersign/servers'

describe('introspection by every door', () => {
  let embedded: Embedded
  let job: MainJob
  let rpc: RpcClient<typeof IntrospectionService>
  let tokens: { live: string; revoked: string; foreign: string; garbage: string }

  const open = (id: string, secret: string) =>
    createRpcClient(IntrospectionService, {
      target: embedded.grpcTarget,
      client: { id, secret },
      deadlineMs: 5_000,
      idempotent: ['introspect', 'batchIntrospect'],
    })

  beforeAll(async () => {
    embedded = await startEmbedded({
      clients: ['{ id: poster, secret: poster-secret-poster-secret, grants: [client_credentials], audience: [mail] }'],
    })
    job = new MainJob(embedded)
    rpc = open('reports-api', embedded.secrets['reports-api'])
    const [live, revoked] = [await job.token(), await job.token()]
    await job.revoke(revoked)
    const posted = await job.issueTo('poster', 'poster-secret-poster-secret')
    const foreign = posted.json<{ access_token: string }>().access_token
    tokens = { live, revoked, foreign, garbage: 'cs_at_garbage' }
  })
  afterAll(async () => {
    rpc?.close()
    await embedded?.stop()
  })

  const question = (token: string) => ({ token, tokenTypeHint: '', minRevision: '', staleness: undefined })

  const streamed = (questions: string[]) =>
    new Promise<Map<number, StreamIntrospectResponse>>((resolve, reject) => {
      const answers = new Map<number, StreamIntrospectResponse>()
      const stream = rpc.calls.streamIntrospect()
      stream.on('data', (answer: StreamIntrospectResponse) => answers.set(answer.id, answer))
      stream.on('error', reject)
      stream.on('end', () => resolve(answers))
      questions.forEach((token, id) => stream.write({ id, request: question(token), requests: [] }))
      stream.end()
    })

  test('the verdict is the same', async () => {
    const all = Object.values(tokens)
    const overHttp = await Promise.all(all.map((token) => job.isActive(token)))
    const unary = await Promise.all(all.map((token) => rpc.calls.introspect(question(token))))
    const { responses } = await rpc.calls.batchIntrospect({ requests: all.map(question) })
    const stream = await streamed(all)
    expect(overHttp).toEqual([true, false, false, false])
    expect(unary.map(({ active }) => active)).toEqual(overHttp)
    expect(responses).toEqual(unary)
    expect(all.map((_, id) => stream.get(id)?.outcome)).toEqual(unary.map((value) => ({ $case: 'response', value })))
    const nothing = { scope: '', clientId: '', sub: '', aud: [], exp: 0, iat: 0, iss: '', jti: '', tokenType: '' }
    for (const response of unary.slice(1)) expect(response).toMatchObject(nothing)
    expect(unary[0]).toMatchObject({
      scope: 'read:reports',
      clientId: 'batch',
      iss: embedded.issuerUrl,
      tokenType: 'Bearer',
    })
  })

  test('who does not prove who they are gets no verdict', async () => {
    const stranger = open('reports-api', 'wrong')
    await expect(stranger.calls.introspect(question(tokens.live))).rejects.toMatchObject({ code: 'invalid_client' })
    stranger.close()
    const bare = new Client(embedded.grpcTarget, credentials.createInsecure())
    const code = await new Promise((resolve) => {
      const { path, requestSerialize, responseDeserialize } = IntrospectionService.introspect
      bare.makeUnaryRequest(path, requestSerialize, responseDeserialize, question(tokens.live), (error) =>
        resolve(error?.code),
      )
    })
    expect(code).toBe(status.UNAUTHENTICATED)
    bare.close()
  })

  test('a question that cannot be answered does not end its stream', async () => {
    const answers = await streamed([tokens.live, 'x'.repeat(5_000), '', tokens.live])
    expect([...answers.values()].filter(({ outcome }) => outcome?.$case === 'response')).toHaveLength(2)
    expect(answers.get(1)?.outcome).toMatchObject({ $case: 'failure', value: { code: 'invalid_request' } })
  })

  test('a batch is bounded', async () => {
    const requests = Array.from({ length: 1_001 }, () => question(tokens.garbage))
    await expect(rpc.calls.batchIntrospect({ requests })).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(rpc.calls.introspect(question('x'.repeat(5_000)))).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
