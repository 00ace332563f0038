import type { Message } from '@countersign/contracts'
import { afterEach, expect, test } from '@jest/globals'
import { eventually } from './conformance/eventually.ts'
import { newMessages } from './conformance/events.ts'
import { Delivery } from './delivery.ts'
import { deliveryLimits } from './limits.ts'
import { silentLog } from './log.ts'

const limits = { ...deliveryLimits, firstPauseMs: 1, longestPauseMs: 4, asideMessages: 5, longestAsidePauseMs: 20 }

const made: Delivery[] = []
afterEach(() => Promise.all(made.splice(0).map((delivery) => delivery.stop())))

function newDelivery(onBatch: (batch: Message[]) => Promise<void>): Delivery {
  const delivery = new Delivery({ name: 'test', batchMessages: 100, onBatch }, silentLog, limits)
  made.push(delivery)
  return delivery
}

test('while everything fails the order holds, and all is taken in the end', async () => {
  const taken: string[] = []
  let failures = 6
  const delivery = newDelivery(async (batch) => {
    if (failures-- > 0) throw new Error('down')
    taken.push(...batch.map(({ id }) => id))
  })
  const sent = newMessages(5_000)
  expect(await delivery.deliver(sent)).toBe(true)
  expect(taken).toEqual(sent.map(({ id }) => id))
})

test('bad messages are found among many, set aside, and taken once they are cured', async () => {
  const taken = new Set<string>()
  const sent = newMessages(500)
  const bad = new Set([0, 77, 78, 499].map((n) => sent[n]!.id))
  const delivery = newDelivery(async (batch) => {
    if (batch.some(({ id }) => bad.has(id))) throw new Error('poison')
    for (const { id } of batch) taken.add(id)
  })
  expect(await delivery.deliver(sent)).toBe(true)
  expect(taken.size).toBe(496)
  expect(delivery.asideMessages).toBe(4)
  bad.clear()
  await eventually(() => taken.size === 500)
  await eventually(() => delivery.asideMessages === 0)
})

test('no more is set aside than the bound allows', async () => {
  const delivery = newDelivery(async () => {
    throw new Error('poison')
  })
  expect(await delivery.deliver(newMessages(12))).toBe(true)
  expect(delivery.asideMessages).toBeLessThanOrEqual(5)
  await delivery.stop()
  expect(delivery.asideMessages).toBe(0)
})

test('stopped, it lets the attempt under way end, and says that the rest was not delivered', async () => {
  let begun = 0
  let release = () => undefined as void
  const gate = new Promise<void>((resolve) => (release = resolve))
  const delivery = newDelivery(async () => {
    begun++
    await gate
    throw new Error('not taken')
  })
  const delivered = delivery.deliver(newMessages(10))
  await eventually(() => begun === 1)
  const stopped = delivery.stop()
  release()
  await stopped
  expect(await delivered).toBe(false)
  expect(begun).toBe(1)
})
