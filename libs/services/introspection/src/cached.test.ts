import { beforeEach, describe, expect, test } from '@jest/globals'
import type { IntrospectRequest } from '@countersign/contracts/introspection'
import type { IntrospectionService } from './service.ts'
import { sequenceOf, World } from './testing/world.ts'

let world: World
let service: IntrospectionService
let token: string

beforeEach(async () => {
  world = new World()
  await world.prepare()
  token = await world.issue()
  service = world.service()
  await world.pass(0)
})

const ask = async (request: Partial<IntrospectRequest> = {}): Promise<boolean> => {
  const question = { token, tokenTypeHint: '', minRevision: '', staleness: undefined, ...request }
  return (await service.calls.introspect(question, world.context('api'))).active
}

describe('a token that was asked about', () => {
  test('is answered from memory', async () => {
    const answers = []
    for (let n = 0; n < 5; n++) {
      answers.push(
        await service.calls.introspect(
          { token, tokenTypeHint: '', minRevision: '', staleness: undefined },
          world.context('api'),
        ),
      )
    }
    expect(world.reads.follow).toBe(1)
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]).toMatchObject({
      active: true,
      sub: 'batch',
      revokedBy: { partition: 0, grantId: 'standing.batch', sessionId: '', subject: '' },
    })
  })

  test('is nothing to a caller that may not see it, kept or not', async () => {
    expect(await ask()).toBe(true)
    const answer = await service.calls.introspect(
      { token, tokenTypeHint: '', minRevision: '', staleness: undefined },
      world.context('batch'),
    )
    expect(answer).toMatchObject({ active: false, sub: '', revokedBy: undefined })
  })

  test('is refused as soon as its revocation is announced', async () => {
    expect(await ask()).toBe(true)
    world.announce(await world.revoke(token))
    expect(await ask()).toBe(false)
  })

  test('is refused once the bound has passed, though nothing is announced', async () => {
    expect(await ask()).toBe(true)
    await world.revoke(token)
    await world.pass(1_000)
    expect(await ask()).toBe(false)
  })

  test('is asked for anew, and then unavailable, when freshness cannot be proven', async () => {
    expect(await ask()).toBe(true)
    world.isDown = true
    await world.pass(900)
    expect(await ask()).toBe(true)
    await world.pass(600)
    await expect(ask()).rejects.toThrow()
    world.isDown = false
    expect(await ask()).toBe(true)
  })

  test('is not kept when it was revoked while it was asked for', async () => {
    let open = (): void => undefined
    world.gate = new Promise((resolve) => (open = resolve))
    const asked = ask()
    await world.pass(0)
    world.gate = undefined
    world.announce(await world.revoke(token))
    open()
    expect(await asked).toBe(true)
    expect(await ask()).toBe(false)
  })

  test('expires while it is kept', async () => {
    expect(await ask()).toBe(true)
    await world.pass(59_000)
    expect(await ask()).toBe(true)
    await world.pass(1_100)
    expect(await ask()).toBe(false)
  })
})

describe('a caller may demand', () => {
  test('that the store is asked', async () => {
    await ask()
    await ask({ staleness: { $case: 'maxStalenessMs', value: 0 } })
    expect(world.reads.follow).toBe(2)
  })

  test('a fresher proof than there is', async () => {
    await ask()
    await world.pass(100)
    await ask({ staleness: { $case: 'maxStalenessMs', value: 50 } })
    expect(world.reads.follow).toBe(2)
    await ask({ staleness: { $case: 'maxStalenessMs', value: 500 } })
    expect(world.reads.follow).toBe(2)
  })

  test('a view no older than a revision', async () => {
    await ask()
    const other = await world.issue()
    const { revision } = await world.revoke(other)
    expect(await ask({ minRevision: revision })).toBe(true)
    expect(world.reads.follow).toBe(2)
    await world.pass(300)
    await ask({ minRevision: revision })
    await ask({ minRevision: `${revision} ${revision}` })
    expect(world.reads.follow).toBe(2)
    await ask({ minRevision: revision.replace(/\d+$/, '99') })
    expect(world.reads.follow).toBe(3)
  })

  test.each(['garbage', '0:ab:1 garbage', '0:ab:', '0:ab:1~nothex!', `${'0:ab:1 '.repeat(2_000)}`])(
    'nothing of a revision that is none: %.20s',
    async (minRevision) => {
      await expect(ask({ minRevision })).rejects.toMatchObject({ code: 'invalid_request' })
    },
  )

  test('a view of the same history, with a tip', async () => {
    await ask()
    const { revision, tip } = await world.revoke(await world.issue())
    await world.pass(300)
    const before = world.reads.follow
    expect(await ask({ minRevision: `${revision}~${tip}` })).toBe(true)
    expect(world.reads.follow).toBe(before)
    expect(await ask({ minRevision: `${revision}~${'0'.repeat(16)}` })).toBe(true)
    expect(world.reads.follow).toBe(before + 1)
  })
})

test('without a bound every question goes to the store, and the heads are not read', async () => {
  await service.close()
  service = world.service({ maxStalenessMs: 0 })
  const before = world.reads.facts
  for (let n = 0; n < 3; n++) await ask()
  await world.pass(5_000)
  expect(world.reads.follow).toBe(3)
  expect(world.reads.facts).toBe(before)
})

test('many unknown tokens do not displace a known one, and are few in memory', async () => {
  await ask()
  for (let n = 0; n < 20_000; n++) {
    const { token: unknown } = world.format.mint(1, 0, Buffer.alloc(32, n.toString(36).padStart(8, '_')))
    await ask({ token: unknown })
  }
  world.reads.follow = 0
  expect(await ask()).toBe(true)
  expect(world.reads.follow).toBe(0)
  expect(service.stats().negativeEntries).toBeLessThanOrEqual(10_000)
})

test('a store that was set back is an alarm: everything is forgotten', async () => {
  const kept = world.store.snapshot()
  expect(await ask()).toBe(true)
  const lost = await world.revoke(await world.issue())
  world.announce(lost)
  await world.pass(300)
  world.store.restore(kept)
  await world.pass(300)
  expect(world.logged.filter((line) => line.startsWith('ALARM'))).toHaveLength(1)
  expect(service.stats()).toMatchObject({ rollbacks: 1 })
  world.reads.follow = 0
  expect(await ask()).toBe(true)
  expect(world.reads.follow).toBe(1)
  expect(sequenceOf(lost.revision)).toBe(1)
})

test('a missing push is fetched in a moment, without waiting for the next probe', async () => {
  const [first, second] = [await world.issue(), await world.issue()]
  expect(await ask({ token: first })).toBe(true)
  await world.revoke(first)
  world.announce(await world.revoke(second))
  await world.pass(20)
  expect(await ask({ token: first })).toBe(false)
})
