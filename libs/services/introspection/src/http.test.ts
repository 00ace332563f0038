import { beforeEach, describe, expect, test } from '@jest/globals'
import type { HttpRequest, Route } from '@countersign/chassis'
import { asFailure } from '@countersign/contracts'
import type { TokenRecord } from '@countersign/contracts/records'
import { basicAuthorization } from './testing/basic.ts'
import { issuer, World } from './testing/world.ts'

let world: World
let route: Route

beforeEach(async () => {
  world = new World()
  await world.prepare()
  await world.makeKeys()
  route = world.service().routes[0]!
})

async function post(token: string, headers: Record<string, string> = {}) {
  const request = {
    method: 'POST',
    path: route.path,
    query: '',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basicAuthorization('api', 'api-secret'),
      ...headers,
    },
    body: Buffer.from(new URLSearchParams({ token }).toString()),
    address: '127.0.0.1',
  } as unknown as HttpRequest
  try {
    return await route.methods.POST!(request)
  } catch (thrown) {
    return route.onFailure(asFailure(thrown), request)
  }
}

const put = async (fields: Partial<TokenRecord>) => (await world.put(fields)).token
const claims = async (fields: Partial<TokenRecord>) =>
  JSON.parse(String((await post(await put(fields))).body)) as Record<string, unknown>

describe('the introspection endpoint', () => {
  test('says nothing of keys and actors where there are none', async () => {
    const answer = await claims({})
    expect(answer).toMatchObject({ active: true, token_type: 'Bearer', iss: issuer, aud: 'urn:r' })
    expect(answer).not.toHaveProperty('cnf')
    expect(answer).not.toHaveProperty('act')
  })

  test('tells what a token is bound to', async () => {
    expect(await claims({ confirmation: { jkt: 'thumb', x5tS256: '' } })).toMatchObject({
      cnf: { jkt: 'thumb' },
      token_type: 'DPoP',
    })
    const both = await claims({ confirmation: { jkt: 'thumb', x5tS256: 'cert' } })
    expect(both.cnf).toEqual({ jkt: 'thumb', 'x5t#S256': 'cert' })
    const certified = await claims({ confirmation: { jkt: '', x5tS256: 'cert' } })
    expect(certified).toMatchObject({ cnf: { 'x5t#S256': 'cert' }, token_type: 'Bearer' })
  })

  test('tells who acts, with whoever acted before within', async () => {
    expect((await claims({ actors: ['c', 'b', 'a'] })).act).toEqual({ sub: 'c', act: { sub: 'b', act: { sub: 'a' } } })
    expect((await claims({ actors: ['c'] })).act).toEqual({ sub: 'c' })
  })
})

describe('a signed answer', () => {
  const accept = 'application/token-introspection+jwt'

  test('is for the caller, by our key, and says what the plain one says', async () => {
    const token = await put({ actors: ['c'] })
    const plain = await post(token)
    const { status, headers, body } = await post(token, { accept })
    expect({ status, headers }).toEqual({
      status: 200,
      headers: { 'content-type': accept, 'cache-control': 'no-store' },
    })
    const verified = (await world.keyRing.verify(String(body), { typ: 'token-introspection+jwt' }))!
    expect(verified.header).toMatchObject({ alg: world.client('api').idTokenAlgorithm })
    expect(verified.payload).toEqual({
      iss: issuer,
      aud: 'api',
      iat: Math.floor(world.clock.now() / 1_000),
      token_introspection: JSON.parse(String(plain.body)),
    })
    expect(JSON.parse(String((await post(String(body))).body))).toEqual({ active: false })
  })

  test('says of an inactive token that it is not active, and no more', async () => {
    const { body } = await post('cs_at_garbage', { accept })
    expect((await world.keyRing.verify(String(body)))!.payload.token_introspection).toEqual({ active: false })
  })

  test.each([
    [undefined, false],
    ['*/*', false],
    ['application/json', false],
    ['application/json, application/token-introspection+jwt;q=0', false],
    ['application/json, application/token-introspection+jwt;q=0.5', false],
    ['application/json;q=0.5, Application/Token-Introspection+JWT ; q=0.9', true],
    ['application/token-introspection+jwt, application/json', true],
  ])('is given to who accepts it: %s', async (wanted, isSigned) => {
    const { headers } = await post('x', wanted === undefined ? {} : { accept: wanted })
    expect(headers?.['content-type']).toBe(isSigned ? accept : 'application/json')
  })

  test('is not what a failure is told in', async () => {
    const { status, headers } = await post('x', { accept, authorization: basicAuthorization('api', 'wrong') })
    expect([status, headers?.['content-type']]).toEqual([401, 'application/json'])
  })
})
