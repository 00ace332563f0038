import type { NatsServer } from '@countersign/servers'
import { afterEach, describe, expect, test } from '@jest/globals'
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../conformance/eventually.ts'
import { commitOf, newMessage } from '../conformance/events.ts'
import { areUp, busOn, endAll, ends, nats, patientMs, world } from '../conformance/nats-world.ts'
import { openNatsBus } from './nats-bus.ts'

afterEach(endAll)

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

  test('from the start costs one socket at a time, however often it is tried', async () => {
    const open = new Set<Socket>()
    let connections = 0
    const mute = createServer((socket) => {
      connections++
      open.add(socket)
      socket.on('error', () => undefined).on('close', () => open.delete(socket))
    })
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const bus = busOn(`nats://127.0.0.1:${(mute.address() as AddressInfo).port}`, 'test')
    await eventually(() => connections >= 3, patientMs)
    expect(open.size).toBeLessThanOrEqual(1)
    await bus.close()
    await eventually(() => open.size === 0)
    mute.close()
  }, 90_000)
})
