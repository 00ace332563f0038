import type { Message } from '@countersign/contracts'
import { expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { collector, type Open } from './collector.ts'
import { eventually } from './eventually.ts'
import { newMessage, newMessages, newPush } from './events.ts'

export function closing(open: Open): void {
  test('what was published before closing is sent', async () => {
    const { near, far } = await open()
    const { taken, consumer } = collector()
    await far.consume(consumer)
    for (const message of newMessages(500)) near.publish(message)
    await near.close()
    await eventually(() => taken.length === 500)
  })

  test('closing waits for the batch that is being handled', async () => {
    const { near, far } = await open()
    let begun = 0
    let finished = 0
    const onBatch = async (batch: Message[]) => {
      begun += batch.length
      await sleep(200)
      finished += batch.length
    }
    await far.consume(collector({ onBatch }).consumer)
    near.publish(newMessage())
    await eventually(() => begun > 0)
    await far.close()
    expect(finished).toBe(begun)
  })

  test('publishing, acknowledging and announcing never throw: not in a flood, not once closed', async () => {
    const { near } = await open()
    const [message] = newMessages(1)
    for (let n = 0; n < 30_000; n++) near.publish(message!)
    near.publish({ ...message!, subject: 'no such subject', id: 'x\r\ny' })
    for (let n = 0; n < 3_000; n++) near.announce(newPush(n))
    near.announce({ ...newPush(), revision: undefined as never })
    expect(near.state()).toBe('up')
    await near.close()
    near.publish(message!)
    near.acknowledge(['a:0'])
    near.announce(newPush())
    expect(await near.survey(new Uint8Array(), 60_000)).toEqual([])
    expect(near.state()).toBe('down')
    await near.close()
  })
}
