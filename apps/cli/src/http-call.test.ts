import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Failure } from '@countersign/contracts'
import { freePort } from '@countersign/servers'
import { exitCodeOf } from './exit-code.ts'
import { call } from './http-call.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const json = (status: number, body: object, headers: Record<string, string> = {}): Answer => {
  return (_request, response) => void response.writeHead(status, headers).end(JSON.stringify(body))
}

const answers: Record<string, Answer> = {
  '/oauth': json(400, { error: 'invalid_scope', error_description: 'no such scope' }),
  '/client': json(401, { error: 'invalid_client' }),
  '/busy': json(503, { error: 'temporarily_unavailable', error_description: 'later' }, { 'retry-after': '5' }),
  '/problem': json(403, { type: 'urn:countersign:problem:access_denied', detail: 'not you' }),
  '/redirect': (_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  '/page': (_request, response) => void response.writeHead(404).end('<h1>nginx</h1>'),
  '/html': (_request, response) => void response.writeHead(200).end('<h1>Welcome</h1>'),
  '/empty': (_request, response) => void response.writeHead(200).end(),
  '/cut': (_request, response) =>
    void response.writeHead(200, { 'content-length': '99' }).write('{', () => response.destroy()),
  '/flood': (_request, response) => {
    const chunk = 'x'.repeat(1_048_576)
    const go = () => void (response.destroyed || response.write(chunk, () => setImmediate(go)))
    go()
  },
  '/echo': (request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => response.end(JSON.stringify({ ...request.headers, method: request.method, body })))
  },
}

let server: Server
beforeAll(async () => {
  server = createServer((request, response) => answers[request.url!]!(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => void server.close().closeAllConnections())

const urlOf = (path: string) => new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
const credentials = { id: 'a:b c', secret: 'ü%+' }

async function failureAt(path: string): Promise<Failure> {
  const thrown: unknown = await call({ url: urlOf(path), credentials }).catch((reason) => reason)
  expect(thrown).toBeInstanceOf(Failure)
  return thrown as Failure
}

describe('a call to the server', () => {
  test('sends client credentials form-encoded in Basic, and the form', async () => {
    const { body } = await call({ url: urlOf('/echo'), credentials, form: { token: 'a b', scope: undefined } })
    const told = body as Record<string, string>
    expect(told).toMatchObject({ method: 'POST', body: 'token=a+b' })
    expect(Buffer.from(told.authorization!.replace('Basic ', ''), 'base64').toString()).toBe('a%3Ab+c:%C3%BC%25%2B')
  })

  test('takes an empty body for none', async () => {
    expect((await call({ url: urlOf('/empty'), credentials })).body).toBeUndefined()
  })

  test.each([
    ['/oauth', 'invalid_scope', 'no such scope (invalid_scope)', 4],
    ['/client', 'invalid_client', 'status 401 (invalid_client)', 4],
    ['/busy', 'unavailable', 'later (temporarily_unavailable); try again in 5 s', 3],
    ['/problem', 'access_denied', 'not you (access_denied)', 4],
  ])('tells what %s was refused with', async (path, code, message, exitCode) => {
    const failure = await failureAt(path)
    expect(failure).toMatchObject({ code, message })
    expect(exitCodeOf(failure)).toBe(exitCode)
  })

  test.each([
    ['/redirect', 'redirect'],
    ['/page', 'is it the issuer?'],
    ['/html', 'something else than JSON'],
    ['/flood', 'more than was asked for'],
  ])('does not believe %s', async (path, reason) => {
    const failure = await failureAt(path)
    expect(failure.message).toContain(reason)
    expect(exitCodeOf(failure)).toBe(1)
  })

  test('is unavailable when the answer is cut', async () => {
    expect(exitCodeOf(await failureAt('/cut'))).toBe(3)
  })

  test('is unavailable when nothing listens, and says what to do', async () => {
    const url = new URL(`http://127.0.0.1:${await freePort()}/`)
    const failure: Failure = await call({ url, credentials }).catch((reason) => reason)
    expect(exitCodeOf(failure)).toBe(3)
    expect(failure.message).toContain('countersign serve')
  })
})
