import { afterEach, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../conformance/eventually.ts'
import { newMessage } from '../conformance/events.ts'
import { areUp, busOn, endAll, managing, nats, patientMs, streamed } from '../conformance/nats-world.ts'
import { streamName } from './stream.ts'

afterEach(endAll)

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
    // It stops fetching when another batch would not fit.
    await eventually(async () => (await figures()).num_ack_pending > 40)
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
