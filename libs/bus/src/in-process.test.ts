import type { Message } from '@countersign/contracts'
import { expect, test } from '@jest/globals'
import { busConformance } from './conformance/bus-conformance.ts'
import { eventually } from './conformance/eventually.ts'
import { newMessages } from './conformance/events.ts'
import { createInProcessBus } from './in-process.ts'
import { inProcessLimits } from './limits.ts'

busConformance('the in-process bus', async () => {
  const bus = createInProcessBus()
  return { near: bus, far: bus }
})

test('a consumer that is stuck costs a bounded number of messages', async () => {
  const bus = createInProcessBus()
  const warnings: string[] = []
  const log = { info: () => undefined, warn: (_: object, message: string) => warnings.push(message) }
  const told = createInProcessBus({ log })
  const taken: Message[] = []
  let go = () => undefined as void
  const gate = new Promise<void>((resolve) => (go = resolve))
  const onBatch = async (batch: Message[]) => {
    await gate
    taken.push(...batch)
  }
  await told.consume({ name: 'stuck', batchMessages: 500, onBatch })
  const [message] = newMessages(1)
  for (let n = 0; n < inProcessLimits.queuedMessages * 3; n++) told.publish(message!)
  expect(warnings).toHaveLength(1)
  go()
  await eventually(() => taken.length === inProcessLimits.queuedMessages)
  await Promise.all([bus.close(), told.close()])
  expect(taken).toHaveLength(inProcessLimits.queuedMessages)
})
