import { beforeEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { TokenKind } from '@countersign/contracts/records'
import type { IntrospectRequest } from '@countersign/contracts/introspection'
import { jwtIdOf } from '@countersign/tokens'
import type { IntrospectionService } from './service.ts'
import { World } from './testing/world.ts'

let world: World
let service: IntrospectionService
let jti: string

beforeEach(async () => {
  world = new World()
  await world.prepare()
  await world.makeKeys()
  service = world.service()
  await world.pass(0)
  jti = jwtIdOf(0, randomBytes(32))
  await world.put({}, jti)
})

const question = (token: string, request: Partial<IntrospectRequest> = {}): IntrospectRequest => ({
  token,
  tokenTypeHint: '',
  minRevision: '',
  staleness: undefined,
  ...request,
})
const ask = (token: string, request: Partial<IntrospectRequest> = {}, id = 'api') =>
  service.calls.introspect(question(token, request), world.context(id))

describe('a JWT access token of ours', () => {
  test('is answered by its record, and then from memory at once', async () => {
    const jwt = await world.sign({ jti })
    const answer = await ask(jwt)
    expect(answer).toMatchObject({
      active: true,
      sub: 'batch',
      scope: 'read',
      jti,
      tokenType: 'Bearer',
      cnf: undefined,
    })
    expect(answer.revokedBy).toEqual({
      partition: 0,
      grantId: 'standing.batch',
      sessionId: '',
      subject: '',
      also: [{ kind: 'token', id: jti, tip: '' }],
    })
    expect(world.reads).toMatchObject({ follow: 1, get: 1 })
    expect(ask(jwt)).toEqual(answer)
    expect(world.reads.follow).toBe(1)
    expect(await ask(jwt, {}, 'batch')).toMatchObject({ active: false, sub: '' })
  })

  test('is refused as soon as its revocation is announced, kept or not', async () => {
    const jwt = await world.sign({ jti })
    expect(await ask(jwt)).toMatchObject({ active: true })
    world.announce(await world.revokeParsed({ digest: jti }))
    expect(await ask(jwt)).toMatchObject({ active: false })
    expect(await ask(jwt, { staleness: { $case: 'maxStalenessMs', value: 0 } })).toMatchObject({ active: false })
  })

  test('is refused once it says that it has expired, though its record is good for longer', async () => {
    const jwt = await world.sign({ jti, exp: Math.floor(world.clock.now() / 1_000) + 30 })
    expect(await ask(jwt)).toMatchObject({ active: true })
    await world.pass(31_000)
    expect(await ask(jwt)).toMatchObject({ active: false })
    const early = await world.sign({ jti, exp: Math.floor(world.clock.now() / 1_000) - 1 })
    expect(await ask(early)).toMatchObject({ active: false })
  })

  test('is refused where our key signed something else: another typ, issuer, jti, or no time', async () => {
    const follows = world.reads.follow
    for (const typ of ['JWT', 'AT+JWT', 'token-introspection+jwt']) {
      expect(await ask(await world.sign({ jti }, typ))).toMatchObject({ active: false })
    }
    const claims = [
      { iss: 'https://elsewhere.example' },
      { iss: undefined },
      { jti: undefined },
      { jti: jti.slice(1) },
      { jti: `${jti.slice(1)}+` },
      { exp: undefined },
      { exp: '9999999999' },
    ]
    for (const each of claims) {
      expect(await ask(await world.sign({ jti, ...each } as never))).toMatchObject({ active: false })
    }
    expect(world.reads.follow).toBe(follows)
    expect(await ask(await world.sign({ jti: jwtIdOf(0, randomBytes(32)) }))).toMatchObject({ active: false })
    const refresh = jwtIdOf(0, randomBytes(32))
    await world.put({ kind: TokenKind.REFRESH_TOKEN }, refresh)
    expect(await ask(await world.sign({ jti: refresh }))).toMatchObject({ active: false })
  })

  test('is none when another issuer or an attacker made it: nothing is read but the keys, and those once', async () => {
    const other = new World()
    await other.makeKeys()
    const foreign = await world.sign({ jti }, 'at+jwt', other.keyRing)
    const [head, body] = foreign.split('.')
    const none = Buffer.from('{"alg":"none","typ":"at+jwt","kid":"key-ES256"}').toString('base64url')
    for (let n = 0; n < 20; n++) {
      for (const token of [foreign, `${none}.${body}.`, `${head}.${body}.`, 'eyJ', 'eyJ.e30.x', `${head}.${body}`]) {
        expect(await ask(token)).toMatchObject({ active: false })
      }
    }
    expect(world.reads).toMatchObject({ follow: 0, get: 1 })
  })

  test('has no verdict when the keys cannot be read', async () => {
    const jwt = await world.sign({ jti })
    const fresh = new World()
    fresh.isDown = true
    service = world.service({ keyRing: fresh.keyRing })
    await expect(ask(jwt)).rejects.toThrow('down')
  })
})

describe('an opaque token', () => {
  test('that is none is answered without a promise, keys or not', () => {
    expect(ask('cs_at_garbage')).toMatchObject({ active: false })
    expect(world.reads.get).toBe(0)
  })

  test('tells every fact that ends it: what it was exchanged from, and whose that was', async () => {
    const parent = await world.put({})
    const { token } = await world.put({ ancestors: [parent.digest], actors: ['b', 'a'] })
    const answer = await ask(token)
    expect(answer).toMatchObject({ active: true, actors: ['b', 'a'] })
    expect(answer.revokedBy?.also).toEqual([{ kind: 'token', id: parent.digest, tip: '' }])
    world.announce(await world.revokeParsed(parent))
    expect(ask(token)).toMatchObject({ active: false })
    expect((await ask((await world.put({})).token)).revokedBy?.also).toEqual([])
  })

  test('tells what it is bound to, and its type by that', async () => {
    const bound = async (jkt: string, x5tS256: string) =>
      ask((await world.put({ confirmation: { jkt, x5tS256 } })).token)
    expect(await bound('thumb', '')).toMatchObject({ cnf: { jkt: 'thumb', x5tS256: '' }, tokenType: 'DPoP' })
    expect(await bound('', 'cert')).toMatchObject({ cnf: { jkt: '', x5tS256: 'cert' }, tokenType: 'Bearer' })
  })
})
