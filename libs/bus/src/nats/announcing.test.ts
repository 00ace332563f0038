import { FactPush as EncodedPush } from '@countersign/contracts/introspection'
import { freePort } from '@countersign/servers'
import { connect } from '@nats-io/transport-node'
import { afterEach, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../conformance/eventually.ts'
import { newMessage, newPush } from '../conformance/events.ts'
import { areUp, busOn, endAll, ends, nats } from '../conformance/nats-world.ts'

afterEach(endAll)

/** A plain connection beside the bus, and what it hears. */
async function onlooker(url: string) {
  const connection = await connect({ servers: url })
  ends.push(() => connection.close())
  const heard: { subject: string; data: Uint8Array }[] = []
  connection.subscribe('countersign.>', { callback: (_, { subject, data }) => void heard.push({ subject, data }) })
  await connection.flush()
  return { connection, heard }
}

function warned() {
  const warnings: string[] = []
  const warn = (fields: object, message: string) => void warnings.push(`${message} ${JSON.stringify(fields)}`)
  return { warnings, log: { info: () => undefined, warn } }
}

test('an announcement goes out at once, before events that are collected, as a FactPush', async () => {
  const server = await nats()
  const bus = busOn(server.url, 'test')
  await areUp(bus)
  const { heard } = await onlooker(server.url)
  const push = newPush()
  bus.publish(newMessage())
  bus.announce(push)
  await eventually(() => heard.length === 2)
  expect(heard.map(({ subject }) => subject)).toEqual(['countersign.facts.v1', 'countersign.v1.0.token.issued'])
  const facts = push.facts.map((fact) => ({ ...fact, tip: '' }))
  expect(EncodedPush.decode(heard[0]!.data)).toEqual({ ...push, facts })
})

test('a bad announcement is logged, without what is in it, and the next is heard', async () => {
  const server = await nats()
  const { warnings, log } = warned()
  const bus = busOn(server.url, 'test', { log })
  await areUp(bus)
  const { connection } = await onlooker(server.url)
  const heard: string[] = []
  bus.onAnnounced(({ tip }) => heard.push(tip))
  const [first, push] = [newPush(), newPush()]
  await eventually(() => (bus.announce(first), heard.includes(first.tip)))
  const noRevision = EncodedPush.encode({ revision: 'secret', tip: '', previousTip: '', facts: [] }).finish()
  for (const bad of [Buffer.from('secret'), new Uint8Array(), noRevision])
    connection.publish('countersign.facts.v1', bad)
  await connection.flush()
  await eventually(() => (bus.announce(push), heard.includes(push.tip)))
  expect(new Set(heard)).toEqual(new Set([first.tip, push.tip]))
  expect(warnings.filter((line) => line.startsWith('an announcement was not handled'))).toHaveLength(3)
  expect(warnings.join()).not.toContain('secret')
})

test('one that NATS does not take is logged, and disturbs nothing', async () => {
  const server = await nats({ config: ['max_payload: 1000'] })
  const { warnings, log } = warned()
  const bus = busOn(server.url, 'test', { log })
  await areUp(bus)
  const heard: number[] = []
  bus.onAnnounced(({ facts }) => heard.push(facts.length))
  bus.announce({ ...newPush(), facts: Array.from({ length: 256 }, () => newPush().facts[0]!) })
  await eventually(() => (bus.announce(newPush()), heard.length > 0))
  expect(new Set(heard)).toEqual(new Set([6]))
  expect(warnings).toEqual([expect.stringContaining('cannot be published')])
})

test('a server that stops reading costs bounded memory: further ones are dropped, and told of once', async () => {
  const server = await nats()
  const { warnings, log } = warned()
  const bus = busOn(server.url, 'test', { log })
  await areUp(bus)
  server.pause()
  const facts = Array.from({ length: 256 }, () => ({ kind: 'token' as const, id: 'x'.repeat(256) }))
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 2_000; n++) {
    bus.announce({ ...newPush(), facts })
    if (n % 50 === 0) await sleep(1)
  }
  // All of it would be 130 MB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000)
  expect(warnings.filter((line) => line.startsWith('NATS does not keep up'))).toHaveLength(1)
  server.resume()
}, 60_000)

test('without NATS an announcement is dropped, and a survey gives what this process answers', async () => {
  const port = await freePort()
  const bus = busOn(`nats://127.0.0.1:${port}`, 'test')
  const heard: string[] = []
  bus.onAnnounced(({ tip }) => heard.push(tip))
  bus.onSurvey(() => Buffer.from('here'))
  const [lost, later] = [newPush(), newPush()]
  bus.announce(lost)
  expect((await bus.survey(new Uint8Array(), 3_600_000)).map(String)).toEqual(['here'])
  await nats({ port })
  await areUp(bus)
  await eventually(() => (bus.announce(later), heard.includes(later.tip)))
  expect(heard).not.toContain(lost.tip)
  expect((await bus.survey(new Uint8Array(), 200)).map(String)).toEqual(['here'])
}, 90_000)

test('a survey ends with its connection, and gives what came', async () => {
  const server = await nats()
  const [near, far] = [busOn(server.url, 'near'), busOn(server.url, 'far')]
  await areUp(near, far)
  far.onSurvey(() => Buffer.from('far'))
  near.onSurvey(() => Buffer.from('near'))
  await eventually(async () => (await near.survey(new Uint8Array(), 50)).length === 2)
  const answers = near.survey(new Uint8Array(), 3_600_000)
  await sleep(1_000)
  await server.kill()
  expect((await answers).map(String).sort()).toEqual(['far', 'near'])
  expect((await near.survey(new Uint8Array(), 3_600_000)).map(String)).toEqual(['near'])
}, 60_000)
