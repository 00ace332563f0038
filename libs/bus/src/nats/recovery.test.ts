import { freePort, startNats, type NatsServer } from '@countersign/servers'
import type { Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterEach, describe, expect, test } from '@jest/globals'
import { rmSync } from 'node:fs'
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../conformance/eventually.ts'
import { commitOf, newMessage } from '../conformance/events.ts'
import { guarded } from '../conformance/guarded-store.ts'
import { MemoryJournal } from '../conformance/memory-journal.ts'
import { silentLog } from '../log.ts'
import { Pending } from '../pending.ts'
import type { Bus } from '../port.ts'
import { publishing } from '../publishing-store.ts'
import { createRelay, type Relay } from '../relay.ts'
import { openNatsBus } from './nats-bus.ts'
import type { NatsOptions } from './options.ts'
import { streamName } from './stream.ts'

const patientMs = 60_000
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function nats(options?: Parameters<typeof startNats>[0]): Promise<NatsServer> {
  const server = await startNats(options)
  ends.push(() => server.stop())
  return server
}

function busOn(url: string, name: string, options: Partial<NatsOptions> = {}): Bus {
  const bus = openNatsBus({ servers: [url], name, ...options })
  ends.push(() => bus.close())
  return bus
}

interface World {
  committer: Store
  store: Store
  journal: MemoryJournal
  relay: Relay
  /** The issuer's end, and the journal's. */
  issuer: Bus
  audit: Bus
  /** Commits until told to stop, and says how many events that were. */
  load(): () => Promise<number>
  isJournaled(events: number): Promise<void>
}

/** An issuer with a relay, and a journal, on a NATS server; checks at its end that no event left the outbox too soon. */
async function world(url: string, options: Partial<NatsOptions> = {}): Promise<World> {
  const journal = new MemoryJournal()
  const [issuer, audit] = [busOn(url, 'issuer', options), busOn(url, 'audit', options)]
  const { store, violations } = guarded(createMemoryStore(), journal)
  ends.push(async () => expect(violations).toEqual([]))
  const pending = new Pending()
  const committer = publishing(store, issuer, pending)
  const limits = { sweepMs: 100, youngMs: 300, longestSweepMs: 500, patienceMs: 300 }
  const relay = createRelay({ store, bus: issuer, partitions: 1, pending, now: Date.now, log: silentLog, limits })
  relay.start()
  ends.push(() => relay.stop())
  const load = () => {
    let isRunning = true
    const committed = (async () => {
      let events = 0
      for (; isRunning; events += 10) {
        await committer.commit(commitOf(10))
        await sleep(5)
      }
      return events
    })()
    return () => {
      isRunning = false
      return committed
    }
  }
  const isJournaled = async (events: number) => {
    await eventually(async () => (await store.outbox(0).size()) === 0, patientMs)
    expect(journal.held.size).toBe(events)
  }
  return { committer, store, journal, relay, issuer, audit, load, isJournaled }
}

/** A way to the server whose connections can be frozen for good, open and silent; later ones pass. */
async function frozenWay({ port }: NatsServer) {
  const sockets = new Set<Socket>()
  const way = createServer((near) => {
    const far = connectTo(port, '127.0.0.1')
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
  })
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve))
  ends.push(async () => {
    for (const socket of sockets) socket.destroy()
    way.close()
  })
  const freeze = () => {
    for (const socket of sockets) socket.unpipe().pause()
  }
  return { url: `nats://127.0.0.1:${(way.address() as AddressInfo).port}`, freeze }
}

async function managing(server: NatsServer, act: (manager: JetStreamManager) => Promise<unknown>): Promise<void> {
  const connection = await connect({ servers: server.url })
  await act(await jetstreamManager(connection))
  await connection.close()
}

const wipe = (server: NatsServer) => rmSync(join(server.folder, 'jetstream'), { recursive: true })
const areUp = (...buses: Bus[]) => eventually(() => buses.every((bus) => bus.state() === 'up'), patientMs)

describe('NATS that is not there', () => {
  test('is waited for: the bus is usable at once, and comes up with it', async () => {
    const port = await freePort()
    const states: string[] = []
    const { committer, journal, issuer, audit, isJournaled } = await world(`nats://127.0.0.1:${port}`, {
      onState: (state) => states.push(state),
    })
    await journal.attach(audit)
    await committer.commit(commitOf(20))
    await expect(issuer.ask(['a:0'], 100)).rejects.toMatchObject({ code: 'unavailable' })
    expect([issuer.state(), audit.state(), states]).toEqual(['down', 'down', []])
    await nats({ port })
    await areUp(issuer, audit)
    await isJournaled(20)
    expect(states).toEqual(['up', 'up'])
  }, 90_000)

  test('does not hold up closing', async () => {
    const bus = openNatsBus({ servers: [`nats://127.0.0.1:${await freePort()}`], name: 'test' })
    await bus.consume({ name: 'test', batchMessages: 1, onBatch: async () => undefined })
    await sleep(300)
    bus.publish(newMessage())
    await bus.close()
    expect(bus.state()).toBe('down')
  })
})

describe('NATS that dies', () => {
  test('killed and restarted in the middle, twice, it costs no event', async () => {
    const server = await nats()
    const { journal, issuer, audit, load, isJournaled } = await world(server.url)
    await journal.attach(audit)
    await areUp(issuer, audit)
    const stop = load()
    for (let kills = 0; kills < 2; kills++) {
      const before = journal.held.size
      await eventually(() => journal.held.size > before + 100)
      await server.kill()
      await sleep(200)
      await server.start()
    }
    const held = journal.held.size
    await eventually(() => journal.held.size > held + 100, patientMs)
    await isJournaled(await stop())
  }, 120_000)

  test('killed and wiped while the journal is away, it costs no event', async () => {
    const server = await nats()
    const { committer, journal, issuer, audit, isJournaled } = await world(server.url)
    await areUp(issuer, audit)
    await journal.attach(audit)
    await committer.commit(commitOf(50))
    await isJournaled(50)
    await journal.detach()
    await committer.commit(commitOf(200))
    await managing(server, (manager) => eventually(async () => (await streamed(manager)) === 250))
    await server.kill()
    wipe(server)
    await committer.commit(commitOf(200))
    await server.start()
    await journal.attach(audit)
    await isJournaled(450)
  }, 120_000)
})

const streamed = async (manager: JetStreamManager) => (await manager.streams.info(streamName)).state.messages

describe('what is taken away while NATS runs', () => {
  test('the stream is made anew, and its consumer', async () => {
    const server = await nats()
    const { journal, issuer, audit, load, isJournaled } = await world(server.url)
    await journal.attach(audit)
    await areUp(issuer, audit)
    const stop = load()
    await eventually(() => journal.held.size > 100)
    await managing(server, (manager) => manager.streams.delete(streamName))
    const held = journal.held.size
    await eventually(() => journal.held.size > held + 100, patientMs)
    await isJournaled(await stop())
  }, 120_000)

  test('the stream is made anew by who only publishes, too', async () => {
    const server = await nats()
    const bus = busOn(server.url, 'publisher')
    await areUp(bus)
    await managing(server, async (manager) => {
      await manager.streams.delete(streamName)
      await eventually(
        () =>
          streamed(manager).then(
            () => true,
            () => false,
          ),
        patientMs,
      )
    })
  }, 90_000)

  test('the consumer is made anew', async () => {
    const server = await nats()
    const { journal, issuer, audit, load, isJournaled } = await world(server.url)
    await journal.attach(audit)
    await areUp(issuer, audit)
    const stop = load()
    await eventually(() => journal.held.size > 100)
    await managing(server, (manager) => manager.consumers.delete(streamName, 'journal'))
    const held = journal.held.size
    await eventually(() => journal.held.size > held + 100, patientMs)
    await isJournaled(await stop())
  }, 120_000)

  test('events that the stream dropped, and would know as duplicates for a while, get through in the end', async () => {
    const server = await nats()
    const { committer, journal, issuer, audit, isJournaled } = await world(server.url, { maxAgeMs: 2_000 })
    await areUp(issuer, audit)
    await committer.commit(commitOf(100))
    await managing(server, async (manager) => {
      await eventually(async () => (await streamed(manager)) === 100)
      await manager.streams.purge(streamName)
    })
    await journal.attach(audit)
    await isJournaled(100)
  }, 90_000)
})

describe('NATS that hangs', () => {
  test('is noticed within seconds, costs bounded memory and no event, and is found again', async () => {
    const server = await nats()
    const { committer, journal, issuer, audit, isJournaled } = await world(server.url)
    await journal.attach(audit)
    await areUp(issuer, audit)
    await committer.commit(commitOf(10))
    await isJournaled(10)
    server.pause()
    const before = process.memoryUsage.rss()
    const big = { ...newMessage(), subject: 'of.no.stream', data: new Uint8Array(60_000) }
    for (let n = 0; n < 3_000; n++) {
      issuer.publish(big)
      if (n % 50 === 0) await sleep(1)
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000)
    await committer.commit(commitOf(10))
    await eventually(() => issuer.state() === 'down' && audit.state() === 'down', 20_000)
    await committer.commit(commitOf(10))
    await sleep(4_000)
    server.resume()
    await areUp(issuer, audit)
    await isJournaled(30)
  }, 120_000)

  test('or its connection alone, that is replaced', async () => {
    const server = await nats()
    const way = await frozenWay(server)
    const { journal, issuer, audit, load, isJournaled } = await world(way.url)
    await journal.attach(audit)
    await areUp(issuer, audit)
    const stop = load()
    await eventually(() => journal.held.size > 100)
    way.freeze()
    // More than what sockets take: the dead connections have writes under way.
    const big = { ...newMessage(), subject: 'of.no.stream', data: new Uint8Array(60_000) }
    for (let n = 0; n < 500; n++) for (const bus of [issuer, audit]) bus.publish(big)
    await sleep(100)
    const held = journal.held.size
    await eventually(() => journal.held.size > held + 500, patientMs)
    await isJournaled(await stop())
  }, 120_000)

  test('does not hold up closing', async () => {
    const server = await nats()
    const bus = openNatsBus({ servers: [server.url], name: 'test' })
    await bus.consume({ name: 'test', batchMessages: 1, onBatch: async () => undefined })
    await areUp(bus)
    server.pause()
    bus.publish(newMessage())
    await bus.close()
    expect(bus.state()).toBe('down')
    server.resume()
  })
})

test('a consumer that is stuck fetches a bounded number of messages, and gives them back when it closes', async () => {
  const server = await nats()
  const bus = busOn(server.url, 'test')
  let release = () => undefined as void
  const gate = new Promise<void>((resolve) => (release = resolve))
  const subscription = await bus.consume({ name: 'stuck', batchMessages: 20, onBatch: () => gate })
  await areUp(bus)
  for (let n = 0; n < 1_000; n++) bus.publish(newMessage())
  await managing(server, async (manager) => {
    const figures = () => manager.consumers.info(streamName, 'stuck')
    await eventually(async () => (await streamed(manager)) === 1_000)
    await eventually(async () => (await figures()).num_ack_pending >= 60)
    await sleep(500)
    expect((await figures()).num_ack_pending).toBeLessThanOrEqual(80)
    release()
    await subscription.close()
    const rest = new Set<string>()
    const onBatch = async (batch: { id: string }[]) => batch.forEach(({ id }) => rest.add(id))
    await bus.consume({ name: 'stuck', batchMessages: 500, onBatch })
    // All but the one batch that was taken, and sooner than an acknowledgement would be missed.
    await eventually(() => rest.size >= 980)
  })
}, 60_000)

test('an acknowledgement of before the stream was made anew takes nothing away from the new one', async () => {
  const server = await nats()
  const bus = busOn(server.url, 'test')
  const releases: (() => void)[] = []
  const onBatch = () => new Promise<void>((resolve) => releases.push(resolve))
  await bus.consume({ name: 'test', batchMessages: 1_000, onBatch })
  await areUp(bus)
  for (let n = 0; n < 500; n++) bus.publish(newMessage())
  await managing(server, async (manager) => {
    const unacknowledged = () =>
      manager.consumers.info(streamName, 'test').then(
        ({ num_ack_pending }) => num_ack_pending,
        () => 0,
      )
    await eventually(async () => releases.length === 1 && (await unacknowledged()) === 500)
    await manager.streams.delete(streamName)
    await eventually(
      () =>
        streamed(manager).then(
          () => true,
          () => false,
        ),
      patientMs,
    )
    for (let n = 0; n < 100; n++) bus.publish(newMessage())
    await eventually(async () => (await unacknowledged()) === 100, patientMs)
    releases[0]!()
    await eventually(() => releases.length === 2)
    expect(await unacknowledged()).toBe(100)
    releases[1]!()
    await eventually(async () => (await unacknowledged()) === 0)
  })
}, 60_000)

test('the stream keeps an event once however often it is published, and keeps nothing that is no event', async () => {
  const server = await nats()
  const bus = busOn(server.url, 'test')
  bus.answer(async (ids) => ids)
  await areUp(bus)
  const message = newMessage()
  for (let n = 0; n < 5; n++) bus.publish(message)
  bus.publish(newMessage())
  bus.acknowledge([message.id])
  expect(await bus.ask([message.id], 10_000)).toEqual([message.id])
  await bus.close()
  await managing(server, async (manager) => {
    await eventually(async () => (await streamed(manager)) >= 2)
    expect(await streamed(manager)).toBe(2)
    const { config } = await manager.streams.info(streamName)
    expect(config).toMatchObject({ storage: 'file', discard: 'old', subjects: ['countersign.v1.>'], num_replicas: 1 })
    expect(config).toMatchObject({ max_age: 24 * 3_600e9, max_bytes: 2 ** 30, duplicate_window: 30e9 })
  })
})

test('a stream with other limits gets those asked for', async () => {
  const server = await nats()
  const before = busOn(server.url, 'before')
  await areUp(before)
  await before.close()
  await areUp(busOn(server.url, 'after', { maxAgeMs: 60_000, maxBytes: 50_000_000 }))
  await managing(server, (manager) =>
    eventually(async () => {
      const { config } = await manager.streams.info(streamName)
      return config.max_age === 60e9 && config.max_bytes === 50_000_000
    }),
  )
})
