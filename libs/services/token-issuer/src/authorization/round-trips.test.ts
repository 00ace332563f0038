import { describe, expect, test } from '@jest/globals'
import { hintedClient } from './requests.ts'
import { asker, World } from '../subjects/testing/world.ts'

const errandOf = (value: string) => ({ errand: { $case: 'requestId', value } }) as const

/** What one sign-in asks of the store. */
async function asked(
  world: World,
  clientId: string,
  over: Partial<Parameters<World['signIn']>[1]> = {},
  change = (id: string) => id,
) {
  const id = change(await world.ask(clientId))
  world.calls.length = 0
  const { response, name } = await world.signIn('anna', { errand: errandOf(id), ...over })
  // Whoever looks for sign-outs to tell lists them, whenever.
  const calls = world.calls.filter((call) => call !== 'list')
  return { calls, next: response.next!.next!.$case, name, id }
}

describe('signing in', () => {
  test.each([
    ['goes on to an application of our own', 'own', 'answer'],
    ['stops at the page of one that people are asked about', 'web', 'consent'],
  ])('with one read and one write %s', async (_name, clientId, next) => {
    const world = await new World().open()
    expect(await asked(world, clientId)).toMatchObject({ calls: ['get', 'commit'], next })
    expect(await asked(world, clientId)).toMatchObject({ calls: ['get', 'commit'], next })
  })

  test('with one read and one write goes on to one that was agreed to, or to none', async () => {
    const world = await new World().open()
    const { name } = await world.signIn('anna')
    await world.tokens('web', name)
    expect(await asked(world, 'web')).toMatchObject({ calls: ['get', 'commit'], next: 'answer' })
    world.calls.length = 0
    await world.signIn('anna', { roles: ['new'] })
    expect(world.calls).toEqual(['get', 'commit'])
  })

  test('reads the session before, too', async () => {
    const world = await new World().open()
    const { name: previous } = await world.signIn('anna')
    expect(await asked(world, 'own', { previous })).toMatchObject({
      calls: ['follow', 'get', 'commit'],
      next: 'answer',
    })
  })

  test('takes the request in a write of its own where that is in another partition', async () => {
    const world = await new World(64).open()
    const { calls } = await asked(world, 'own')
    expect(calls.slice(0, 2)).toEqual(['get', 'commit'])
    expect(calls.length).toBeLessThanOrEqual(3)
  })

  test.each([
    ['no hint', (id: string) => id.slice(0, 23)],
    ['a hint at another client', (id: string) => id.slice(0, 23) + Buffer.from('web').toString('base64url')],
    ['a hint that is none', (id: string) => id.slice(0, 23) + '____'],
  ])('believes the request and not the address it came with: %s', async (_name, change) => {
    const world = await new World().open()
    expect(await asked(world, 'own', {}, change)).toMatchObject({ calls: ['get', 'get', 'commit'], next: 'answer' })
    const pending = await world.ask('own')
    const used = change(pending)
    const { name } = await world.signIn('anna')
    const { next } = await world.authorization.continue({ errand: errandOf(used), session: name, asker })
    expect(next!.next!.$case).toBe('answer')
    await expect(world.signIn('anna', { errand: errandOf(pending) })).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('a request hints at its client, and nothing else passes for a hint', () => {
  const handle = 'A'.repeat(23)
  const hint = (text: string) => hintedClient(handle + Buffer.from(text).toString('base64url'))
  expect(hint('web')).toBe('web')
  for (const odd of ['', 'a b', 'a\0', 'ü', 'x'.repeat(129)]) expect(hint(odd)).toBeUndefined()
})
