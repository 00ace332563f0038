import { afterEach, describe, expect, test } from '@jest/globals'
import { eventually } from './conformance/eventually.ts'
import { commitMany, endWorlds, isEmpty, world } from './conformance/relay-world.ts'

afterEach(endWorlds)

describe('what gets lost', () => {
  test('an event that was never published is, by the relay', async () => {
    const { committer, store, journal, bus, relay, faults } = world()
    await journal.attach(bus)
    faults.publish = () => true
    await commitMany(committer, 10, 5)
    faults.publish = undefined
    relay.start()
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(50)
    expect(journal.repeats).toBe(0)
  })

  test('an event whose acknowledgement was lost goes once the journal, asked, says that it has it', async () => {
    const { committer, store, journal, bus, relay, faults } = world()
    await journal.attach(bus)
    faults.acknowledge = () => true
    await commitMany(committer, 10, 5)
    await eventually(() => journal.held.size === 50)
    relay.start()
    await eventually(() => isEmpty(store))
    expect(relay.stats()).toMatchObject({ republished: 0, removed: 50 })
  })

  test('events wait while the journal is away, and none is lost', async () => {
    const { committer, store, journal, bus, relay, faults } = world()
    relay.start()
    faults.publish = () => true
    await commitMany(committer, 30, 5)
    await eventually(() => relay.stats().backlogEvents === 150 && relay.stats().oldestAgeMs > 100)
    expect(await relay.sizeOf(0)).toBe(150)
    faults.publish = undefined
    await journal.attach(bus)
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(150)
    await eventually(() => relay.stats().backlogEvents === 0)
  })

  test('events get through when the journal takes them but answers no question', async () => {
    const { committer, store, journal, bus, relay, faults } = world({ limits: { pageEntries: 20 } })
    faults.publish = () => true
    await commitMany(committer, 10, 10)
    faults.publish = undefined
    await journal.attach(bus, { answers: false })
    relay.start()
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(100)
  })

  test('with nobody there, only the oldest page is published again, and ever more slowly', async () => {
    const { committer, bus, relay } = world({ limits: { pageEntries: 20 } })
    await commitMany(committer, 10, 10)
    const seen = new Set<string>()
    const onBatch = async (batch: { id: string }[]) => batch.forEach(({ id }) => seen.add(id))
    await bus.consume({ name: 'onlooker', batchMessages: 100, onBatch })
    relay.start()
    await eventually(() => relay.stats().republished >= 60)
    expect(seen.size).toBe(20)
  })

  test('the outbox survives its process: a relay that knows nothing finishes what another began', async () => {
    const { committer, store, journal, bus, faults, anotherRelay } = world()
    faults.publish = () => true
    await commitMany(committer, 20, 5)
    faults.publish = undefined
    await journal.attach(bus)
    anotherRelay().start()
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(100)
  })

  test('two relays at once lose nothing', async () => {
    const { committer, store, journal, bus, faults, relay, anotherRelay } = world()
    await journal.attach(bus)
    relay.start()
    anotherRelay().start()
    let turn = 0
    faults.publish = () => turn++ % 3 === 0
    faults.acknowledge = () => turn++ % 2 === 0
    await commitMany(committer, 100, 5)
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(500)
  })

  test('whatever share of publishes, acknowledgements and batches fails, every event is journaled', async () => {
    const { committer, store, journal, bus, faults, relay } = world({ partitions: 2 })
    await journal.attach(bus, { batchMessages: 50 })
    relay.start()
    let state = 42
    const chance = (share: number) => () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647 < share
    faults.publish = chance(0.4)
    faults.acknowledge = chance(0.6)
    const fails = chance(0.3)
    const timer = setInterval(() => (journal.failing = fails()), 5)
    for (let n = 0; n < 200; n++) await commitMany(committer, 1, 5, n % 2)
    await eventually(async () => (await isEmpty(store, 0)) && (await isEmpty(store, 1)))
    clearInterval(timer)
    expect(journal.held.size).toBe(1_000)
  })
})

describe('a long backlog', () => {
  test('of lost events is worked off without resting between pages', async () => {
    const { store, journal, bus, relay } = world({ limits: { sweepMs: 10_000 } })
    await commitMany(store, 80, 250)
    await journal.attach(bus)
    relay.start()
    // With a rest before each of the 20 pages it would take minutes.
    await eventually(() => isEmpty(store))
    expect(journal.held.size).toBe(20_000)
    expect(relay.stats().republished).toBe(20_000)
  })

  test('of journaled events goes without publishing one', async () => {
    const { committer, store, journal, bus, faults, relay } = world()
    await journal.attach(bus)
    faults.acknowledge = () => true
    for (let n = 0; n < 20; n++) {
      await commitMany(committer, 4, 250)
      await eventually(() => journal.held.size === (n + 1) * 1_000)
    }
    relay.start()
    await eventually(() => isEmpty(store))
    expect(relay.stats()).toMatchObject({ republished: 0, removed: 20_000 })
  })
})
