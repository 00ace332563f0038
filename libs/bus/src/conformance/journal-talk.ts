import { expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '../port.ts'
import { idsOf, type Open } from './collector.ts'
import { eventually } from './eventually.ts'
import { newMessages } from './events.ts'

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

export function acknowledging(open: Open): void {
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

export function asking(open: Open): void {
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
}

export function unanswered(open: Open): void {
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
