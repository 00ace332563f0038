import { freePort, type NatsServer } from '@countersign/servers'
import { afterEach, describe, expect, test } from '@jest/globals'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../conformance/eventually.ts'
import { commitOf, newMessage } from '../conformance/events.ts'
import { areUp, busOn, endAll, managing, nats, patientMs, streamed, world } from '../conformance/nats-world.ts'
import { openNatsBus } from './nats-bus.ts'
import { streamName } from './stream.ts'

afterEach(endAll)

const wipe = (server: NatsServer) => rmSync(join(server.folder, 'jetstream'), { recursive: true })

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
