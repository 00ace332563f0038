import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { epochOf, eventOf } from './conformance/events.ts'
import { makeWorld, messageFor, until, type World } from './conformance/world.ts'
import type { Journal } from './journal/port.ts'

let world: World
beforeEach(async () => void (world = await makeWorld()))
afterEach(() => world.end())

const alarmsIn = async (journal: Journal) =>
  (await journal.after(0, 1_000)).filter(({ event }) => event.type === 'audit.gap_detected').map(({ event }) => event)
const errors = () => world.lines.filter(({ level }) => level === 'error')
const arrived = () => world.lines.filter(({ message }) => message.includes('have arrived'))

async function bring(journal: Journal, sequences: number[]): Promise<void> {
  const before = await journal.head()
  for (const n of sequences) world.bus.publish(messageFor(eventOf(n)))
  await until(async () => (await journal.head()) === before + sequences.length)
}

test('a hole is an alarm after a minute, once, and news when it is filled', async () => {
  const journal = await world.open()
  const journaling = await world.start(journal)
  await bring(journal, [1, 2, 5, 6])
  world.clock.now += 59_999
  await journaling.checkGaps()
  expect(await alarmsIn(journal)).toEqual([])
  expect(journaling.stats().gapsOpen).toBe(0)
  world.clock.now += 1
  await journaling.checkGaps()
  await journaling.checkGaps()
  const [alarm, ...others] = await alarmsIn(journal)
  expect(others).toEqual([])
  expect(alarm).toMatchObject({
    time: world.clock.now,
    reason: 'events_missing',
    attributes: { partition: '0', epoch: epochOf('e'), first: '3', last: '4', since: '2025-06-15T15:08:20.000Z' },
  })
  expect(journaling.stats()).toMatchObject({ gapsOpen: 1, head: 5 })
  expect(errors()).toHaveLength(1)
  await bring(journal, [4])
  await journaling.checkGaps()
  expect(await alarmsIn(journal)).toHaveLength(1)
  expect(journaling.stats().gapsOpen).toBe(1)
  expect(arrived()).toEqual([])
  await bring(journal, [3])
  await journaling.checkGaps()
  expect(journaling.stats().gapsOpen).toBe(0)
  expect(arrived()).toHaveLength(1)
})

test('a hole that is filled within the minute is none', async () => {
  const journal = await world.open()
  const journaling = await world.start(journal)
  await bring(journal, [1, 3])
  world.clock.now += 59_000
  await bring(journal, [2])
  world.clock.now += 60_000
  await journaling.checkGaps()
  expect(await alarmsIn(journal)).toEqual([])
})

test('two processes, and one that restarts, record a gap once', async () => {
  const [one, two] = [await world.open(), await world.open()]
  const [first, second] = [await world.start(one), await world.start(two)]
  await bring(one, [1, 4, 9])
  world.clock.now += 60_000
  await Promise.all([first.checkGaps(), second.checkGaps()])
  await first.close()
  const again = await world.start(await world.open())
  world.clock.now += 5_000
  await again.checkGaps()
  const alarms = await alarmsIn(two)
  expect(alarms.map(({ attributes }) => [attributes.first, attributes.last])).toEqual([
    ['2', '3'],
    ['5', '8'],
  ])
  expect(again.stats().gapsOpen).toBe(2)
})

test('a journal that is away is not a reason to forget a gap', async () => {
  const journal = await world.open()
  const journaling = await world.start(journal)
  await bring(journal, [1, 3])
  world.clock.now += 60_000
  await journaling.checkGaps()
  await journal.close()
  await expect(journaling.checkGaps()).rejects.toMatchObject({ code: 'unavailable' })
  expect(journaling.stats().gapsOpen).toBe(1)
  expect(arrived()).toEqual([])
})

test('the alarm itself opens no gap', async () => {
  const journal = await world.open()
  const journaling = await world.start(journal)
  await bring(journal, [1, 3])
  world.clock.now += 60_000
  await journaling.checkGaps()
  await bring(journal, [2])
  expect(await journal.gaps()).toEqual([])
  expect((await journal.after(0, 10)).map(({ index }) => index)).toEqual([1, 2, 3, 4])
})
