import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Failure } from '@countersign/contracts'
import express, { type ErrorRequestHandler, type Request } from 'express'
import { createVerifier } from './create.ts'
import { requireRole, requireScope, requireToken, type ProtectedRequest, type RequireTokenOptions } from './express.ts'
import { setting, tokenText, turn } from './testing/setting.ts'
import type { Verifier } from './types.ts'

const { verifier, upstream, issue } = setting()
const silent = { info: () => undefined, warn: () => undefined }
const failing = (thrown: unknown): Verifier => ({
  ...createVerifier({ log: silent }),
  verify: () => Promise.reject(thrown),
})
const servers: Server[] = []
afterAll(() => servers.forEach((server) => server.close()))

/** What came as far as the handlers. */
const reached: string[] = []

/** An API whose `/things` needs a token, and more; gives what asks it. */
async function api(used: Verifier, options: RequireTokenOptions = {}) {
  const application = express()
  application.use(requireToken(used, options))
  const tell = (request: Request & ProtectedRequest, response: express.Response) => {
    reached.push(`${request.path} ${request.auth?.subject}`)
    response.json({ subject: request.auth?.subject })
  }
  application.get('/things', tell)
  application.get('/scoped', requireScope('read:reports', 'write:reports'), tell)
  application.get('/beyond', requireScope('read:reports', 'admin', 'own'), tell)
  application.get('/editor', requireRole('editor'), tell)
  application.get('/owner', requireRole('editor', 'owner'), tell)
  const onError: ErrorRequestHandler = (error, _request, response, _next) =>
    void response.status(500).json({ message: error.message })
  application.use(onError)
  const server = createServer(application).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return async (path: string, authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization }
    const outgoing = send({ port, path, headers, agent: false }).end()
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    const body = JSON.parse(Buffer.concat(await incoming.toArray()).toString()) as Record<string, unknown>
    return {
      status: incoming.statusCode,
      challenge: incoming.headers['www-authenticate'],
      headers: incoming.headers,
      body,
    }
  }
}

let ask: Awaited<ReturnType<typeof api>>
beforeAll(async () => {
  upstream.stream.prove()
  ask = await api(verifier)
})
afterAll(() => verifier.close())

describe('requireToken', () => {
  test('lets a request with an active token through, and says whose it is', async () => {
    const token = issue('ann')
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      expect(await ask('/things', `${scheme} ${token}`)).toMatchObject({
        status: 200,
        body: { subject: 'subject of ann' },
      })
    }
  })

  test.each([undefined, 'Basic YTpi', 'Bearerish x', 'bearer-like x', 'DPoP x', ''])(
    'answers 401 without an error where no token is brought: %p',
    async (authorization) => {
      const { status, challenge, body, headers } = await ask('/things', authorization)
      expect({ status, challenge, body }).toEqual({
        status: 401,
        challenge: 'Bearer realm="api"',
        body: { error: 'token_required' },
      })
      expect(headers['cache-control']).toBe('no-store')
    },
  )

  test('answers 401 invalid_token for what is not active, whatever the reason', async () => {
    const description = 'the token is unknown, expired, revoked, or not meant for this service'
    const elsewhere = await api(verifier, { audience: 'https://mail.example', realm: 'mail' })
    const challenge = `error="invalid_token", error_description="${description}"`
    const body = { error: 'invalid_token', error_description: description }
    expect(await ask('/things', `Bearer ${tokenText('unknown')}`)).toMatchObject({
      status: 401,
      challenge: `Bearer realm="api", ${challenge}`,
      body,
    })
    expect(await elsewhere('/things', `Bearer ${issue('ann')}`)).toMatchObject({
      status: 401,
      challenge: `Bearer realm="mail", ${challenge}`,
      body,
    })
    const here = await api(verifier, { audience: 'https://reports.example' })
    expect(await here('/things', `Bearer ${issue('ann')}`)).toMatchObject({ status: 200 })
  })

  test.each([
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer "a"',
    'Bearer\tabc',
    'Bearer,x',
    'bearer =',
    `Bearer ${'x'.repeat(4_097)}`,
  ])('answers 400 to a malformed header: %.20s', async (authorization) => {
    const { status, challenge, body } = await ask('/things', authorization)
    expect(status).toBe(400)
    expect(challenge).toBe(
      'Bearer realm="api", error="invalid_request", error_description="the Authorization header is malformed"',
    )
    expect(body).toMatchObject({ error: 'invalid_request' })
  })

  test('lets nothing that it refuses get any further', async () => {
    const unanswered = await api(failing(new Failure('unavailable', 'not now')))
    reached.length = 0
    const replies = [
      await ask('/things'),
      await ask('/things', 'Bearer'),
      await ask('/things', `Bearer ${tokenText('unknown')}`),
      await ask('/beyond', `Bearer ${issue('ann')}`),
      await ask('/owner', `Bearer ${issue('ann')}`),
      await unanswered('/things', `Bearer ${issue('ann')}`),
    ]
    expect(replies.map(({ status }) => status)).toEqual([401, 400, 401, 403, 403, 503])
    await turn()
    expect(reached).toEqual([])
    await ask('/things', `Bearer ${issue('ann')}`)
    expect(reached).toEqual(['/things subject of ann'])
  })

  test.each([
    [new Failure('unavailable', 'the secret message', { retryAfterSeconds: 7 }), '7'],
    [new Failure('deadline_exceeded', 'the secret message'), '1'],
    [new Failure('invalid_client', 'the secret message'), '1'],
  ])('answers 503 where there is no verdict: %s', async (failure, after) => {
    const { status, headers, body, challenge } = await (await api(failing(failure)))('/things', 'Bearer x')
    expect({ status, challenge, after: headers['retry-after'] }).toEqual({ status: 503, challenge: undefined, after })
    expect(body).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'tokens cannot be verified at present',
    })
    expect(headers['cache-control']).toBe('no-store')
  })

  test('passes on what is not a matter of verdicts', async () => {
    const { status, body } = await (await api(failing(new TypeError('a mistake'))))('/things', 'Bearer x')
    expect({ status, body }).toEqual({ status: 500, body: { message: 'a mistake' } })
  })

  test('lets everybody through as anonymous while authentication is off', async () => {
    const open = await api(createVerifier({ log: silent }))
    for (const authorization of [undefined, 'Bearer', 'Bearer x', 'Basic x']) {
      for (const path of ['/things', '/beyond', '/owner']) {
        expect(await open(path, authorization)).toMatchObject({ status: 200, body: { subject: 'anonymous' } })
      }
    }
  })

  test('lets nobody write headers through a realm', async () => {
    const odd = await api(verifier, { realm: 'a"\r\nSet-Cookie: x=1\\é' })
    const { challenge, headers } = await odd('/things')
    expect(challenge).toBe('Bearer realm="a???Set-Cookie: x=1??"')
    expect(headers['set-cookie']).toBeUndefined()
  })
})

describe('requireScope and requireRole', () => {
  test('let through who has all of them', async () => {
    const authorization = `Bearer ${issue('ann')}`
    expect(await ask('/scoped', authorization)).toMatchObject({ status: 200 })
    expect(await ask('/editor', authorization)).toMatchObject({ status: 200 })
  })

  test('answer 403 insufficient_scope, naming the scopes that are needed', async () => {
    const { status, challenge, body, headers } = await ask('/beyond', `Bearer ${issue('ann')}`)
    const description = 'the scope admin is needed'
    expect(status).toBe(403)
    expect(challenge).toBe(
      `Bearer error="insufficient_scope", error_description="${description}", scope="read:reports admin own"`,
    )
    expect(body).toEqual({ error: 'insufficient_scope', error_description: description })
    expect(headers['cache-control']).toBe('no-store')
  })

  test('answer 403 for a role, which is no scope', async () => {
    const { status, challenge } = await ask('/owner', `Bearer ${issue('ann')}`)
    expect(status).toBe(403)
    expect(challenge).toBe('Bearer error="insufficient_scope", error_description="the role owner is needed"')
  })

  test('are a mistake without requireToken before them', async () => {
    const application = express()
    application.get('/', requireScope('a'), (_request, response) => void response.end())
    const onError: ErrorRequestHandler = (error, _request, response, _next) =>
      void response.status(500).end(error.message)
    application.use(onError)
    const server = createServer(application).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    expect([reply.status, await reply.text()]).toEqual([500, 'requireScope comes after requireToken'])
  })
})
