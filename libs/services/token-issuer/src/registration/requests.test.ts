import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { createMemoryStore } from '@countersign/store/memory'
import { eventsOf, initialTokens, openReplica, type Replica } from './testing/world.ts'

const web = { redirect_uris: ['https://app.example/callback'] }
const store = createMemoryStore()
let replica: Replica

beforeAll(async () => {
  replica = await openReplica({ store })
})
afterAll(() => replica.close())

describe('who may register', () => {
  test.each([
    ['no token', undefined, 'Bearer realm="countersign"'],
    ['a wrong one', 'x'.repeat(20), 'Bearer realm="countersign", error="invalid_token"'],
    ['the beginning of one', initialTokens[0].slice(0, -1), 'Bearer realm="countersign", error="invalid_token"'],
    ['one and more', `${initialTokens[0]}x`, 'Bearer realm="countersign", error="invalid_token"'],
  ])('is not who has %s', async (_, token, challenge) => {
    const { status, headers, told } = await replica.ask('POST', '/oauth2/register', web, token)
    expect([status, headers.get('www-authenticate'), headers.get('cache-control')]).toEqual([
      401,
      challenge,
      'no-store',
    ])
    expect(told).toEqual({ error: 'invalid_token' })
  })

  test('is not who uses another scheme for the token', async () => {
    const authorization = `Basic ${Buffer.from(`x:${initialTokens[0]}`).toString('base64')}`
    expect(await replica.ask('POST', '/oauth2/register', web, undefined, { authorization })).toMatchObject({
      status: 401,
    })
  })

  test('is nobody where there are no tokens', async () => {
    const closed = await openReplica()
    closed.settings.initialAccessTokens = []
    expect((await closed.register(web)).status).toBe(401)
    await closed.close()
  })

  test('is nobody where registration is off: then nothing is there', async () => {
    const off = await openReplica({ store })
    const { told } = await off.register(web)
    off.settings.enabled = false
    const opened = String(told['registration_access_token'])
    const path = `/oauth2/register/${String(told['client_id'])}`
    const nowhere = await off.ask('GET', '/nowhere')
    for (const [method, at] of [
      ['POST', '/oauth2/register'],
      ['GET', path],
      ['PUT', path],
      ['DELETE', path],
    ] as const) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : web
      const answer = await off.ask(method, at, body, method === 'POST' ? initialTokens[0] : opened)
      expect(answer).toMatchObject({ status: 404, told: nowhere.told })
    }
    expect(await off.find(String(told['client_id']))).toBeDefined()
    await off.close()
  })
})

describe('requests that are refused', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    replica.ask('POST', '/oauth2/register', body, initialTokens[0], headers)

  test('what is no JSON object', async () => {
    for (const body of ['{', '[]', 'null', '"x"', '{"redirect_uris":']) {
      expect(await post(body)).toMatchObject({ status: 400, told: { error: 'invalid_request' } })
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(await post('redirect_uris=x', form)).toMatchObject({ status: 400, told: { error: 'invalid_request' } })
    expect((await post('{"secret-of-mine"')).told['error_description']).not.toContain('secret-of-mine')
  })

  test('what is too large, compressed, or deep without end', async () => {
    expect(await post(JSON.stringify({ x: 'x'.repeat(70_000) }))).toMatchObject({ status: 413 })
    expect(await post('{}', { 'content-encoding': 'gzip' })).toMatchObject({ status: 400 })
    const deep = '['.repeat(30_000) + ']'.repeat(30_000)
    expect(await post(`{"contacts":${deep}}`)).toMatchObject({ status: 400 })
    expect(await post(`{"jwks":{"keys":[{"x5c":${deep}}]}}`)).toMatchObject({ status: 400 })
  })

  test('other methods', async () => {
    const answer = await replica.ask('GET', '/oauth2/register')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
    const management = await replica.ask('POST', '/oauth2/register/x')
    expect([management.status, management.headers.get('allow')]).toEqual([405, 'GET, PUT, DELETE'])
  })

  test('too many of one address, before their token is looked at', async () => {
    const taken: string[] = []
    const limiter = {
      blockedSeconds: () => undefined,
      fail: () => undefined,
      take: (key: string) => {
        if (taken.push(key) > 2) throw new Failure('too_many_requests', 'wait', { retryAfterSeconds: 7 })
      },
    }
    const throttled = await openReplica({ limiter })
    expect((await throttled.register(web, 'wrong')).status).toBe(401)
    expect((await throttled.register(web)).status).toBe(201)
    const answer = await throttled.register(web)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7'])
    expect(taken).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
    await throttled.close()
  })

  test('all, while the audit journal is too far behind', async () => {
    const behind = await openReplica({ overBacklog: () => true })
    expect(await behind.register(web)).toMatchObject({ status: 503, told: { error: 'temporarily_unavailable' } })
    await behind.close()
  })

  test('leave nothing behind', async () => {
    const created = (await eventsOf(store)).length
    await replica.register({ redirect_uris: ['x:'] })
    await replica.register(web, 'wrong')
    expect(await eventsOf(store)).toHaveLength(created)
    expect(replica.logged).toEqual([])
  })
})
