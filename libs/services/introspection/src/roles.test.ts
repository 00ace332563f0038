import { beforeEach, describe, expect, test } from '@jest/globals'
import type { HttpRequest } from '@countersign/chassis'
import { basicAuthorization } from './testing/basic.ts'
import { Person, standing } from './testing/person.ts'
import { World } from './testing/world.ts'
import type { IntrospectionService } from './service.ts'

let world: World
let service: IntrospectionService

beforeEach(async () => {
  world = new World()
  await world.prepare()
  await world.makeKeys()
  service = world.service()
  await world.pass(0)
})

const ask = async (token: string) =>
  service.calls.introspect({ token, tokenTypeHint: '', minRevision: '', staleness: undefined }, world.context('api'))
const rolesOf = async (token: string) => {
  const { active, roles } = await ask(token)
  return active ? roles : 'not active'
}

async function overHttp(token: string, accept = 'application/json') {
  const route = service.routes[0]!
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: basicAuthorization('api', 'api-secret'),
    accept,
  }
  const body = Buffer.from(new URLSearchParams({ token }).toString())
  const request = { method: 'POST', path: route.path, query: '', headers, body, address: '127.0.0.1' }
  return String((await route.methods.POST!(request as unknown as HttpRequest)).body)
}

const fields = {
  roles: ['member'],
  standings: [standing('staff', ['editor'], { unit: ['physics', 'law'] }), standing('google', ['guest'])],
}

describe('roles and attributes', () => {
  test('are those of the account and of the provider that the grant was given with', async () => {
    const person = await Person.signIn(world, fields)
    const [byStaff, byGoogle, before] = [
      await person.token(),
      await person.token({}, { provider: 'google' }),
      await person.token({}, { provider: '' }),
    ]
    expect(await ask(byStaff)).toMatchObject({
      roles: ['editor', 'member'],
      attributes: [{ name: 'unit', values: ['law', 'physics'] }],
    })
    expect(await ask(byGoogle)).toMatchObject({ roles: ['guest', 'member'], attributes: [] })
    expect(await ask(before)).toMatchObject({ roles: ['member'], attributes: [] })
  })

  test('a machine has none', async () => {
    expect(await ask(await world.issue())).toMatchObject({ active: true, roles: [], attributes: [] })
  })

  test('are in the answers over HTTP, plain and signed, and left out where there are none', async () => {
    const person = await Person.signIn(world, fields)
    const told = { roles: ['editor', 'member'], attributes: { unit: ['law', 'physics'] } }
    const token = await person.token()
    expect(JSON.parse(await overHttp(token))).toMatchObject(told)
    const signed = await overHttp(token, 'application/token-introspection+jwt')
    const { payload } = (await world.keyRing.verify(signed, { typ: 'token-introspection+jwt' }))!
    expect(payload['token_introspection']).toMatchObject(told)
    const machine = JSON.parse(await overHttp(await world.issue())) as object
    expect(machine).toMatchObject({ active: true })
    expect(machine).not.toHaveProperty('roles')
    expect(machine).not.toHaveProperty('attributes')
  })

  test('are not told to whoever may not see the token', async () => {
    const person = await Person.signIn(world, fields)
    const token = await person.token({ audience: ['urn:other'] })
    expect(await overHttp(token)).toBe('{"active":false}')
    expect(await ask(token)).toMatchObject({ active: false, roles: [], attributes: [] })
  })

  test('are there once for all tokens of those who have the same', async () => {
    const [ann, ben] = [await Person.signIn(world, fields), await Person.signIn(world, { id: 'ben', ...fields })]
    const [one, other] = [await ask(await ann.token()), await ask(await ben.token())]
    expect(other.roles).toBe(one.roles)
    expect(other.attributes).toBe(one.attributes)
    expect(() => one.roles.push('admin')).toThrow(TypeError)
    expect(() => one.attributes[0]!.values.push('admin')).toThrow(TypeError)
  })

  test('count for what they take where they are long', async () => {
    const roles = Array.from({ length: 200 }, (_, n) => `${n}`.padStart(80, 'x'))
    const [ann, ben] = [await Person.signIn(world, fields), await Person.signIn(world, { id: 'ben', roles })]
    await ask(await ann.token())
    const usual = service.stats().bytes
    await ask(await ben.token())
    expect(service.stats().bytes - usual).toBeGreaterThan(usual + 200 * 80)
  })
})

describe('a change of roles', () => {
  const changed = { roles: [], standings: [standing('staff', ['reader'])] }

  test('holds from the moment that its fact is announced, and the token stays good', async () => {
    const person = await Person.signIn(world, fields)
    const token = await person.token()
    await rolesOf(token)
    const before = world.reads.follow
    expect(await rolesOf(token)).toEqual(['editor', 'member'])
    expect(world.reads.follow).toBe(before)
    world.announce(await person.change(changed))
    expect(await ask(token)).toMatchObject({ active: true, roles: ['reader'], attributes: [] })
  })

  test('holds within the bound though nothing is announced', async () => {
    const person = await Person.signIn(world, fields)
    const token = await person.token()
    await rolesOf(token)
    await person.change(changed)
    await world.pass(1_000)
    expect(await rolesOf(token)).toEqual(['reader'])
  })

  test('does not ask again about others', async () => {
    const [ann, ben] = [await Person.signIn(world, fields), await Person.signIn(world, { id: 'ben', ...fields })]
    const token = await ben.token()
    await rolesOf(token)
    const before = world.reads.follow
    world.announce(await ann.change(changed))
    expect(await rolesOf(token)).toEqual(['editor', 'member'])
    expect(world.reads.follow).toBe(before)
  })

  test('overtakes an answer that was being read', async () => {
    const person = await Person.signIn(world, fields)
    const token = await person.token()
    let open = (): void => undefined
    world.gate = new Promise((resolve) => (open = resolve))
    const asked = rolesOf(token)
    await world.pass(0)
    world.gate = undefined
    world.announce(await person.change(changed))
    open()
    expect(await asked).toEqual(['editor', 'member'])
    expect(await rolesOf(token)).toEqual(['reader'])
  })
})
