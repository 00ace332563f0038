import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Client, credentials, status } from '@grpc/grpc-js'
import { IntrospectionService, type StreamIntrospectResponse } from '@countersign/contracts/introspection'
import { createRpcClient, type RpcClient } from '@countersign/rpc'
import { ask, basic, MainJob, post, startEmbedded, type Embedded } from '@countersign/servers'

describe('introspection by every door', () => {
  let embedded: Embedded
  let job: MainJob
  let rpc: RpcClient<typeof IntrospectionService>
  let tokens: Record<'live' | 'revoked' | 'foreign' | 'garbage' | 'jwt' | 'revokedJwt' | 'forgedJwt', string>

  const open = (id: string, secret: string) =>
    createRpcClient(IntrospectionService, {
      target: embedded.grpcTarget,
      client: { id, secret },
      deadlineMs: 5_000,
      idempotent: ['introspect', 'batchIntrospect'],
    })

  const signer: [string, string] = ['signer', 'signer-secret-signer-secret']
  const signed = async () => (await job.issueTo(...signer)).json<{ access_token: string }>().access_token

  beforeAll(async () => {
    embedded = await startEmbedded({
      clients: [
        '{ id: poster, secret: poster-secret-poster-secret, grants: [client_credentials], audience: [mail] }',
        '{ id: signer, secret: signer-secret-signer-secret, grants: [client_credentials], audience: [reports], scopes: ["read:reports"], access_token_format: jwt }',
      ],
    })
    job = new MainJob(embedded)
    rpc = open('reports-api', embedded.secrets['reports-api'])
    const [live, revoked] = [await job.token(), await job.token()]
    await job.revoke(revoked)
    const posted = await job.issueTo('poster', 'poster-secret-poster-secret')
    const foreign = posted.json<{ access_token: string }>().access_token
    const [jwt, revokedJwt] = [await signed(), await signed()]
    await post(`${embedded.issuerUrl}/oauth2/revoke`, signer, { token: revokedJwt })
    const parts = jwt.split('.')
    const forgedJwt = [parts[0], parts[1], revokedJwt.split('.')[2]].join('.')
    tokens = { live, revoked, foreign, garbage: 'cs_at_garbage', jwt, revokedJwt, forgedJwt }
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
    expect(overHttp).toEqual([true, false, false, false, true, false, false])
    expect(unary.map(({ active }) => active)).toEqual(overHttp)
    expect(responses).toEqual(unary)
    expect(all.map((_, id) => stream.get(id)?.outcome)).toEqual(unary.map((value) => ({ $case: 'response', value })))
    const nothing = { scope: '', clientId: '', sub: '', aud: [], exp: 0, iat: 0, iss: '', jti: '', tokenType: '' }
    for (const response of unary.filter(({ active }) => !active)) expect(response).toMatchObject(nothing)
    const [, body] = tokens.jwt.split('.')
    const { jti, sub, exp } = JSON.parse(Buffer.from(body!, 'base64url').toString()) as Record<string, string>
    expect(unary[4]).toMatchObject({ active: true, jti, sub, exp, clientId: 'signer', scope: 'read:reports' })
    expect(unary[0]).toMatchObject({
      scope: 'read:reports',
      clientId: 'batch',
      iss: embedded.issuerUrl,
      tokenType: 'Bearer',
    })
  })

  test('the answer is signed for who asks for that', async () => {
    const secret = embedded.secrets['reports-api']
    const accept = 'application/token-introspection+jwt'
    for (const token of Object.values(tokens)) {
      const plain = (await job.introspect(token)).json()
      const reply = await ask(`${embedded.introspectionUrl}/oauth2/introspect`, {
        method: 'POST',
        headers: {
          accept,
          authorization: basic('reports-api', secret),
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ token }).toString(),
      })
      expect(reply).toMatchObject({ status: 200, headers: { 'content-type': accept } })
      const [header, claims] = reply.text.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
      expect(JSON.parse(header!)).toMatchObject({ typ: 'token-introspection+jwt' })
      expect(JSON.parse(claims!)).toEqual({
        iss: embedded.issuerUrl,
        aud: 'reports-api',
        iat: expect.any(Number),
        token_introspection: plain,
      })
    }
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
