import type { Message } from '@countersign/contracts'
import { expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { collector, idsOf, type Open } from './collector.ts'
import { eventually } from './eventually.ts'
import { newMessage, newMessages } from './events.ts'

export function failing(open: Open): void {
  test('a batch that was rejected comes again', async () => {
    const { near, far } = await open()
    const { consumer, taken, ids } = collector()
    let failures = 2
    const onBatch = async (batch: Message[]) => {
      if (failures-- > 0) throw new Error('not now')
      return consumer.onBatch(batch)
    }
    await far.consume({ ...consumer, onBatch })
    const sent = newMessages(50)
    for (const message of sent) near.publish(message)
    await eventually(() => taken.length >= 50)
    expect(ids()).toEqual(idsOf(sent))
  })

  test('a message that always fails stops no other, and comes again', async () => {
    const { near, far } = await open()
    const { consumer, taken, has } = collector({ batchMessages: 50 })
    const sent = newMessages(300)
    const poison = sent[120]!
    let tries = 0
    let isCured = false
    const onBatch = async (batch: Message[]) => {
      if (batch.some(({ id }) => id === poison.id) && !isCured) {
        tries++
        throw new Error('poison')
      }
      return consumer.onBatch(batch)
    }
    await far.consume({ ...consumer, onBatch })
    for (const message of sent) near.publish(message)
    await eventually(() => taken.length >= 299)
    expect(sent.filter((message) => !has(message))).toEqual([poison])
    const triesBefore = tries
    await eventually(() => tries > triesBefore)
    isCured = true
    await eventually(() => has(poison))
  })

  test('what a consumer failed to take before it closed goes to the next of its name, soon', async () => {
    const { near, far } = await open()
    const before = collector({ onBatch: () => Promise.reject(new Error('never')) })
    const subscription = await far.consume(before.consumer)
    const sent = newMessages(150)
    for (const message of sent) near.publish(message)
    await sleep(200)
    await subscription.close()
    const after = collector({ name: before.consumer.name })
    await far.consume(after.consumer)
    // nats-server 2.9 may forget one of those given back until its acknowledgement is missed.
    await eventually(() => sent.filter(after.has).length >= sent.length - 1, 8_000)
    await eventually(() => sent.every(after.has), 60_000)
  }, 90_000)

  test('a handler that raises at once does no more harm than one that rejects', async () => {
    const { near, far } = await open()
    const { consumer, taken } = collector()
    let failures = 1
    const onBatch = (batch: Message[]) => {
      if (failures-- > 0) throw new Error('raised')
      return consumer.onBatch(batch)
    }
    await far.consume({ ...consumer, onBatch })
    near.publish(newMessage())
    await eventually(() => taken.length === 1)
  })
}
