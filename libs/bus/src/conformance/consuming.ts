import type { Message } from '@countersign/contracts'
import { expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { collector, idsOf, type Open } from './collector.ts'
import { eventually } from './eventually.ts'
import { newMessage, newMessages } from './events.ts'

export function arriving(open: Open): void {
  test('a message arrives as it was published', async () => {
    const { near, far } = await open()
    const { taken, consumer } = collector()
    await far.consume(consumer)
    const sent = newMessage()
    near.publish(sent)
    await eventually(() => taken.length > 0)
    const [{ id, subject, headers, data } = sent] = taken
    expect({ id, subject, headers, data: Buffer.from(data) }).toEqual({ ...sent, data: Buffer.from(sent.data) })
  })

  test('messages arrive in the order published, in batches no longer than asked for', async () => {
    const { near, far } = await open()
    const { batches, consumer, ids, taken } = collector({ batchMessages: 64 })
    await far.consume(consumer)
    const sent = newMessages(2_000)
    for (const message of sent) near.publish(message)
    await eventually(() => taken.length >= sent.length)
    expect(ids()).toEqual(idsOf(sent))
    expect(Math.max(...batches)).toBeLessThanOrEqual(64)
    expect(batches.length).toBeLessThan(1_000)
  })

  test('a consumer is given one batch at a time', async () => {
    const { near, far } = await open()
    let running = 0
    let most = 0
    let done = 0
    const onBatch = async (batch: Message[]) => {
      most = Math.max(most, ++running)
      await sleep(5)
      running--
      done += batch.length
    }
    await far.consume(collector({ batchMessages: 10, onBatch }).consumer)
    for (const message of newMessages(100)) near.publish(message)
    await eventually(() => done >= 100)
    expect(most).toBe(1)
  })
}

export function sharing(open: Open): void {
  test('consumers of different names each get every message', async () => {
    const { near, far } = await open()
    const [one, other] = [collector(), collector()]
    await far.consume(one.consumer)
    await far.consume(other.consumer)
    const sent = newMessages(200)
    for (const message of sent) near.publish(message)
    await eventually(() => one.taken.length >= 200 && other.taken.length >= 200)
    expect(one.ids()).toEqual(idsOf(sent))
    expect(other.ids()).toEqual(idsOf(sent))
  })

  test('consumers of one name share the messages', async () => {
    const { near, far } = await open()
    const all = new Set<string>()
    const onBatch = async (batch: Message[]) => {
      for (const { id } of batch) all.add(id)
      await sleep(2)
    }
    const { consumer } = collector({ batchMessages: 20, onBatch })
    await far.consume(consumer)
    await far.consume({ ...consumer })
    const sent = newMessages(400)
    for (const message of sent) near.publish(message)
    await eventually(() => all.size === 400)
    expect(all).toEqual(new Set(idsOf(sent)))
  })

  test('the next consumer of a name goes on where the one before stopped', async () => {
    const { near, far } = await open()
    const before = collector()
    const subscription = await far.consume(before.consumer)
    near.publish(newMessage())
    await eventually(() => before.taken.length === 1)
    await subscription.close()
    const meanwhile = newMessages(10)
    for (const message of meanwhile) near.publish(message)
    await sleep(50)
    expect(before.taken).toHaveLength(1)
    const after = collector({ name: before.consumer.name })
    await far.consume(after.consumer)
    await eventually(() => after.taken.length >= 10)
    expect(after.ids().filter((id) => !before.ids().includes(id))).toEqual(idsOf(meanwhile))
  })
}
