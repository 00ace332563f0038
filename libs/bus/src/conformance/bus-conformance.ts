import type { Message } from '@countersign/contracts'
import { afterEach, describe, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, Consumer } from '../port.ts'
import { eventually } from './eventually.ts'
import { newMessage, newMessages } from './events.ts'

/** Two ends of a bus that is up and empty; the same object where a bus has one end. */
export interface Ends {
  near: Bus
  far: Bus
}

/** What every bus keeps, whatever carries it. */
export function busConformance(name: string, open: () => Promise<Ends>): void {
  const opened = new Set<Bus>()
  const openEnds = async () => {
    const ends = await open()
    opened.add(ends.near).add(ends.far)
    return ends
  }
  afterEach(async () => {
    await Promise.all([...opened].map((bus) => bus.close()))
    opened.clear()
  })
  describe(`${name}: publish and consume`, () => consuming(openEnds))
  describe(`${name}: a consumer that fails`, () => failing(openEnds))
  describe(`${name}: acknowledgements`, () => acknowledging(openEnds))
  describe(`${name}: questions`, () => asking(openEnds))
  describe(`${name}: closing`, () => closing(openEnds))
}

type Open = () => Promise<Ends>

/** A consumer that keeps what it took, and batches as it got them. */
function collector(options: Partial<Consumer> = {}) {
  const taken: Message[] = []
  const batches: number[] = []
  const consumer: Consumer = {
    name: `test-${randomUUID()}`,
    batchMessages: 100,
    onBatch: async (batch) => {
      batches.push(batch.length)
      taken.push(...batch)
    },
    ...options,
  }
  const has = (message: Message) => taken.some(({ id }) => id === message.id)
  return { taken, batches, consumer, ids: () => taken.map(({ id }) => id), has }
}

const idsOf = (messages: Message[]) => messages.map(({ id }) => id)

function consuming(open: Open): void {
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

function failing(open: Open): void {
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
    await eventually(() => sent.every(after.has))
  })

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

/** Until what was subscribed just now is known to who sends. */
const untilHeard = (sender: Bus, heard: string[]) =>
  eventually(async () => {
    sender.acknowledge(['probe:0'])
    await sleep(10)
    return heard.includes('probe:0')
  })

const untilAnswered = (bus: Bus) =>
  eventually(async () => (await bus.ask(['probe:0'], 10_000).catch((): string[] => [])).includes('probe:0'))

const unavailable = { name: 'Failure', code: 'unavailable' }

function acknowledging(open: Open): void {
  test('every listener hears which events are journaled, however many they are', async () => {
    const { near, far } = await open()
    const heard: [string[], string[]] = [[], []]
    near.onAcknowledged((ids) => heard[0].push(...ids))
    far.onAcknowledged((ids) => heard[1].push(...ids))
    await Promise.all(heard.map((some) => untilHeard(far, some)))
    const ids = idsOf(newMessages(5_000))
    far.acknowledge(ids)
    await eventually(() => heard.every((some) => some.at(-1) === ids.at(-1)))
    for (const some of heard) expect(some.filter((id) => id !== 'probe:0')).toEqual(ids)
  })

  test('a listener that raises disturbs no other, and a closed one hears nothing', async () => {
    const { near, far } = await open()
    const heard: string[] = []
    const closedHeard: string[] = []
    near.onAcknowledged(() => {
      throw new Error('raised')
    })
    const closed = near.onAcknowledged((ids) => closedHeard.push(...ids))
    near.onAcknowledged((ids) => heard.push(...ids))
    await untilHeard(far, closedHeard)
    await closed.close()
    far.acknowledge(['a:0'])
    far.acknowledge(['a:1', 'b:0'])
    await eventually(() => heard.includes('b:0'))
    expect(heard.filter((id) => id !== 'probe:0')).toEqual(['a:0', 'a:1', 'b:0'])
    expect(closedHeard).not.toContain('b:0')
  })
}

function asking(open: Open): void {
  test('the journal answers which events it has, however many are asked for', async () => {
    const { near, far } = await open()
    const ids = idsOf(newMessages(5_000))
    const held = new Set(['probe:0', ...ids.slice(1_000)])
    far.answer(async (asked) => asked.filter((id) => held.has(id)))
    await untilAnswered(near)
    expect(await near.ask(ids, 10_000)).toEqual(ids.slice(1_000))
    expect(await near.ask([ids[0]!], 10_000)).toEqual([])
    expect(await near.ask([], 10_000)).toEqual([])
  })

  test('of several journals that could answer, one does', async () => {
    const { near, far } = await open()
    const asked: string[] = []
    for (const bus of [near, far, far]) {
      bus.answer(async (ids) => {
        asked.push(...ids)
        return ids
      })
    }
    await untilAnswered(near)
    for (let n = 0; n < 20; n++) await near.ask([`${n}:0`], 10_000)
    const questions = asked.filter((id) => id !== 'probe:0')
    expect(questions).toEqual([...new Set(questions)])
    expect(questions).toHaveLength(20)
  })

  test('nobody there is told as unavailable, at once', async () => {
    const { near } = await open()
    const askedAt = performance.now()
    await expect(near.ask(['a:0'], 60_000)).rejects.toMatchObject(unavailable)
    expect(performance.now() - askedAt).toBeLessThan(20_000)
  })

  test('a journal that fails is told as unavailable, at once', async () => {
    const { near, far } = await open()
    far.answer(async (ids) => {
      if (ids.includes('probe:0')) return ids
      throw new Error('select failed')
    })
    await untilAnswered(near)
    const askedAt = performance.now()
    await expect(near.ask(['a:0'], 60_000)).rejects.toMatchObject(unavailable)
    expect(performance.now() - askedAt).toBeLessThan(20_000)
  })

  test('a journal that takes too long is told as unavailable at the deadline', async () => {
    const { near, far } = await open()
    far.answer((ids) => (ids.includes('probe:0') ? Promise.resolve(ids) : new Promise(() => undefined)))
    await untilAnswered(near)
    await expect(near.ask(['a:0'], 100)).rejects.toMatchObject(unavailable)
  })

  test('who no longer answers is not asked', async () => {
    const { near, far } = await open()
    const subscription = far.answer(async (ids) => ids)
    await untilAnswered(near)
    await subscription.close()
    await eventually(() =>
      near.ask(['a:0'], 1_000).then(
        () => false,
        ({ code }) => code === 'unavailable',
      ),
    )
  })
}

function closing(open: Open): void {
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

  test('publishing and acknowledging never throw: not in a flood, not once closed', async () => {
    const { near } = await open()
    const [message] = newMessages(1)
    for (let n = 0; n < 30_000; n++) near.publish(message!)
    near.publish({ ...message!, subject: 'no such subject', id: 'x\r\ny' })
    expect(near.state()).toBe('up')
    await near.close()
    near.publish(message!)
    near.acknowledge(['a:0'])
    expect(near.state()).toBe('down')
    await near.close()
  })
}
