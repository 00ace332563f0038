import { beforeEach, describe, expect, test } from '@jest/globals'
import type { IntrospectionService } from './service.ts'
import { World } from './testing/world.ts'

let world: World
let service: IntrospectionService

beforeEach(async () => {
  world = new World()
  await world.prepare()
  service = world.service()
  await world.pass(0)
})

const placeOf = ({ revision, tip }: { revision: string; tip: string }) => ({ revision, tip })

describe('a watching cache', () => {
  test('has to say hello first, once, and something that is meant', () => {
    expect(() => world.watch(service).probe(1)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    const watch = world.watch(service)
    watch.hello()
    expect(() => watch.hello()).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    expect(() => world.watch(service).hello(10)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })

  test('has to be one that may introspect', () => {
    expect(() => world.watch(service, 'operator').hello()).toThrow(expect.objectContaining({ code: 'access_denied' }))
    expect(() => world.watch(service, 'nobody').hello()).toThrow(expect.objectContaining({ code: 'invalid_client' }))
  })

  test('is told the head, read after it asked', async () => {
    const watch = world.watch(service)
    watch.hello()
    watch.probe(7)
    expect(watch.answers()).toEqual([])
    await world.pass(250)
    expect(watch.answers()).toMatchObject([{ nonce: 7, logs: [{ complete: true, otherHistory: false, facts: [] }] }])
  })

  test('is not answered by a reading that had begun before it asked', async () => {
    const watch = world.watch(service)
    watch.hello()
    let open = (): void => undefined
    world.gate = new Promise((resolve) => (open = resolve))
    await world.pass(250)
    watch.probe(1)
    world.gate = undefined
    open()
    await world.pass(0)
    expect(watch.answers()).toEqual([])
    await world.pass(250)
    expect(watch.answers()).toMatchObject([{ nonce: 1 }])
  })

  test('hears of revocations at once, and gets those it lacks', async () => {
    const watch = world.watch(service)
    watch.hello()
    watch.probe(1)
    await world.pass(250)
    const [log] = watch.answers()[0]!.logs
    const push = await world.revoke(await world.issue())
    world.announce(push)
    expect(watch.pushes()).toMatchObject([{ revision: push.revision, tip: push.tip, facts: [{ kind: 'token' }] }])
    watch.probe(2, [placeOf(log!)])
    await world.pass(250)
    expect(watch.answers()[1]).toMatchObject({
      nonce: 2,
      logs: [{ revision: push.revision, tip: push.tip, complete: true, facts: [{ kind: 'token', tip: push.tip }] }],
    })
  })

  test('hears what the service found out by itself', async () => {
    const watch = world.watch(service)
    watch.hello()
    const push = await world.revoke(await world.issue())
    await world.pass(250)
    expect(watch.pushes()).toMatchObject([{ revision: push.revision }])
  })

  test('is told when it is of another history, or too far behind', async () => {
    await world.revoke(await world.issue())
    const watch = world.watch(world.service())
    await world.pass(0)
    watch.hello()
    const here = await world.store.facts(0, undefined)
    watch.probe(1, [{ revision: here.revision.replace(/\d+$/, '9'), tip: 'x' }])
    await world.pass(250)
    watch.probe(2, [{ ...placeOf(here), tip: 'another' }])
    await world.pass(250)
    watch.probe(3, [{ revision: here.revision.replace(/\d+$/, '0'), tip: '' }])
    await world.pass(250)
    expect(watch.answers().map(({ logs }) => [logs[0]!.complete, logs[0]!.otherHistory])).toEqual([
      [false, true],
      [false, true],
      [false, false],
    ])
  })

  test('gets no proof while the store cannot be read', async () => {
    const watch = world.watch(service)
    watch.hello()
    world.isDown = true
    watch.probe(1)
    await world.pass(2_000)
    expect(watch.answers()).toEqual([])
    world.isDown = false
    watch.probe(2)
    await world.pass(250)
    expect(watch.answers()).toMatchObject([{ nonce: 2 }])
  })
})

test.each([1, 100, 1_000])('%d caches cost one reading an interval', async (count) => {
  const watches = Array.from({ length: count }, () => world.watch(service))
  for (const watch of watches) watch.hello()
  const before = world.reads.facts
  for (let nonce = 1; nonce <= 8; nonce++) {
    for (const watch of watches) {
      watch.probe(nonce)
      if (count < 1_000) await world.pass(250 / count)
    }
    if (count === 1_000) await world.pass(250)
  }
  await world.pass(250)
  expect(world.reads.facts - before).toBeLessThanOrEqual(9)
  for (const watch of watches) expect(watch.answers().length).toBeGreaterThanOrEqual(7)
})

test('the heads are read as often as the most demanding cache needs, while it watches', async () => {
  const watch = world.watch(service)
  watch.hello(100)
  const readings = async () => {
    const before = world.reads.facts
    await world.pass(1_000)
    return world.reads.facts - before
  }
  expect(await readings()).toBe(40)
  watch.close()
  expect(await readings()).toBe(4)
})
