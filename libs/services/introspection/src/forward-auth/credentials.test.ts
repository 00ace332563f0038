import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { jwtIdOf } from '@countersign/tokens'
import { bearer, Gateway, told } from '../testing/gateway.ts'
import { standing } from '../testing/person.ts'

let gateway: Gateway
const open = async (...options: Parameters<typeof Gateway.open>) => {
  gateway = await Gateway.open(...options)
}
afterEach(() => gateway.close())

describe('with an access token', () => {
  beforeEach(open)

  test('a request that a rule allows passes, and who made it is told', async () => {
    const reply = await gateway.about('/read/x', bearer(await (await gateway.ann()).token()))
    expect(reply).toMatchObject({ status: 200, body: '' })
    expect(told(reply)).toEqual({
      subject: 'ann',
      client: 'batch',
      scopes: 'read',
      roles: 'editor',
      attributes: 'unit=physics',
    })
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(reply.headers).not.toHaveProperty('countersign-authentication')
  })

  test('a JWT of ours is one as well', async () => {
    const { world } = gateway
    await world.makeKeys()
    const jti = jwtIdOf(0, randomBytes(32))
    await world.put({}, jti)
    const jwt = await world.sign({ jti })
    expect(told(await gateway.about('/read', bearer(jwt)))).toMatchObject({ subject: 'batch', scopes: 'read' })
    expect((await gateway.about('/read', bearer(jwt.replace(/.{8}$/, 'AAAAAAAA')))).status).toBe(401)
  })

  test.each([
    ['/write', 403, 'the scope write is needed', 'scope="write own"'],
    ['/read', 200, '', ''],
    ['/edit', 200, '', ''],
    ['/physics', 200, '', ''],
  ])('%s is answered with %p', async (path, status, description, scope) => {
    const reply = await gateway.about(path, bearer(await (await gateway.ann()).token()))
    expect(reply.status).toBe(status)
    if (status === 200) return
    expect(reply.challenge).toBe(
      `Bearer realm="countersign", error="insufficient_scope", error_description="${description}", ${scope}`,
    )
    expect(JSON.parse(reply.body)).toEqual({ error: 'insufficient_scope', error_description: description })
  })

  test('a role and an attribute that are lacking are refused', async () => {
    const token = await (await gateway.ann({ standings: [] })).token()
    for (const path of ['/edit', '/physics']) {
      const reply = await gateway.about(path, bearer(token))
      expect(reply.status).toBe(403)
      expect(reply.challenge).toMatch(/^Bearer realm="countersign", error="insufficient_scope"/)
    }
  })

  test('that is not good, or not shaped like one, there is a challenge', async () => {
    const person = await gateway.ann()
    const revoked = await person.token()
    gateway.world.announce(await gateway.world.revoke(revoked))
    const others = ['cs_at_x', 'x'.repeat(5_000), 'a b', '', '"a"']
    for (const token of [revoked, await person.token({ expiresAt: 1 }), ...others]) {
      const reply = await gateway.about('/read', { ...bearer(token), cookie: person.cookie })
      expect(reply.status).toBe(401)
      expect(reply.challenge).toMatch(/^Bearer realm="countersign", error="invalid_token"/)
      expect(reply.headers).not.toHaveProperty('x-auth-subject')
    }
  })

  test('that was good until now, it is refused once its revocation is announced', async () => {
    const token = await (await gateway.ann()).token()
    expect((await gateway.about('/read', bearer(token))).status).toBe(200)
    gateway.world.announce(await gateway.world.revoke(token))
    expect((await gateway.about('/read', bearer(token))).status).toBe(401)
  })

  test('that is bound to a key or a certificate, it is refused: the proof is not here', async () => {
    const person = await gateway.ann()
    for (const confirmation of [
      { jkt: 'thumb', x5tS256: '' },
      { jkt: '', x5tS256: 'cert' },
    ]) {
      const reply = await gateway.about('/read', bearer(await person.token({ confirmation })))
      expect(reply.status).toBe(401)
    }
  })

  test('of any audience: the rules say what is needed', async () => {
    const token = await (await gateway.ann()).token({ audience: ['urn:other'] })
    expect((await gateway.about('/read', bearer(token))).status).toBe(200)
  })

  test('twice, it is none', async () => {
    const token = await (await gateway.ann()).token()
    const reply = await gateway.about('/read', { authorization: [`Bearer ${token}`, 'Bearer x'] })
    expect(reply.status).toBe(401)
  })
})

describe('with a session’s cookie', () => {
  beforeEach(open)

  test('a person has every scope, and what the provider gave', async () => {
    const reply = await gateway.about('/write', { cookie: `theme=dark; ${(await gateway.ann()).cookie}` })
    expect(reply.status).toBe(200)
    expect(told(reply)).toEqual({
      subject: 'ann',
      client: '',
      scopes: 'read write',
      roles: 'editor',
      attributes: 'unit=physics',
    })
  })

  test('but not every role', async () => {
    const person = await gateway.ann({ standings: [standing('google', ['editor'])] })
    expect((await gateway.about('/edit', { cookie: person.cookie })).status).toBe(403)
    await person.change({ roles: ['editor'] })
    expect((await gateway.about('/edit', { cookie: person.cookie })).status).toBe(200)
  })

  test('that ended, idled away, or is another’s, there is a challenge without an error', async () => {
    const person = await gateway.ann()
    const refused = async (cookie = person.cookie) => {
      const { status, challenge } = await gateway.about('/signed-in', { cookie })
      return { status, challenge }
    }
    const challenged = { status: 401, challenge: 'Bearer realm="countersign"' }
    expect(await refused(person.cookie.replace(/.$/, 'x'))).toEqual(challenged)
    expect(await refused(`${person.cookie}; ${person.cookie}`)).toEqual(challenged)
    expect(await refused(person.cookie.replace('__Host-', ''))).toEqual(challenged)
    expect(await refused('')).toEqual(challenged)
    expect((await gateway.about('/signed-in', { cookie: person.cookie })).status).toBe(200)
    await person.changeSession({ usedAt: gateway.world.clock.now() - 1_800_000 })
    expect(await refused()).toEqual(challenged)
    await person.changeSession({ expiresAt: gateway.world.clock.now() })
    expect(await refused()).toEqual(challenged)
    await person.changeSession({ endedAt: 1 })
    expect(await refused()).toEqual(challenged)
  })

  test.each([{ disabledAt: 1 }, { epoch: 1 }])('nobody passes whose state is %j', async (fields) => {
    const person = await gateway.ann()
    await person.change(fields)
    expect((await gateway.about('/signed-in', { cookie: person.cookie })).status).toBe(401)
  })

  test('an Authorization header of another kind is the API’s own affair', async () => {
    const person = await gateway.ann()
    const reply = await gateway.about('/signed-in', { authorization: 'Basic YTpi', cookie: person.cookie })
    expect(told(reply).subject).toBe('ann')
  })
})
