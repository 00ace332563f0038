import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { eventOf } from './conformance/events.ts'
import { makeWorld, messageFor, messagesFor, spoiled, until, type World } from './conformance/world.ts'
import type { Journal } from './journal/port.ts'
import { tables } from './journal/schema.ts'

let world: World
beforeEach(async () => void (world = await makeWorld()))
afterEach(() => world.end())

const typesOf = async (journal: Journal) => (await journal.after(0, 10_000)).map(({ event }) => event.type)
const idsOf = async (journal: Journal) => (await journal.after(0, 10_000)).map(({ event }) => event.id)
const publish = (messages: Parameters<World['bus']['publish']>[0][]) => messages.forEach((m) => world.bus.publish(m))

test('what the bus brings is in the journal once, with its bytes, and acknowledged', async () => {
  const journal = await world.open()
  const heads: number[] = []
  const journaling = await world.start(journal, { onAppended: (head) => heads.push(head) })
  const messages = messagesFor(1, 1_200)
  publish(messages)
  publish(messages.slice(300, 900))
  await until(() => world.acknowledged.length === 1_800)
  const entries = await journal.after(0, 10_000)
  expect(entries.map(({ event }) => event.id)).toEqual(messages.map(({ id }) => id))
  expect(entries.map(({ bytes }) => Buffer.from(bytes))).toEqual(messages.map(({ data }) => Buffer.from(data)))
  expect(heads.at(-1)).toBe(1_200)
  expect(heads).toEqual(heads.toSorted((a, b) => a - b))
  const newest = 1_750_000_000_000 + 1_200
  const counts = { appended: 1_200, duplicates: 600, parked: 0, gapsOpen: 0, head: 1_200, available: true }
  expect(journaling.stats()).toEqual({ ...counts, lagMs: world.clock.now - newest })
})

test('nothing is acknowledged before it is in the journal', async () => {
  const journal = await world.open()
  const story: string[] = []
  const append: Journal['append'] = async (records) => {
    story.push('asked to append')
    await new Promise((resolve) => setTimeout(resolve, 20))
    const result = await journal.append(records)
    story.push('appended')
    return result
  }
  const acknowledge = () => void story.push('acknowledged')
  await world.start({ ...journal, append }, { bus: { ...busOf(world), acknowledge } })
  publish(messagesFor(1, 3))
  await until(() => story.length === 3)
  expect(story).toEqual(['asked to append', 'appended', 'acknowledged'])
})

const busOf = ({ bus }: World): Pick<World['bus'], 'consume' | 'acknowledge' | 'answer'> => ({
  consume: (consumer) => bus.consume(consumer),
  acknowledge: (ids) => bus.acknowledge(ids),
  answer: (handler) => bus.answer(handler),
})

test('while the journal is away events wait, are not acknowledged, and come once it is back', async () => {
  const journal = await world.open()
  let failures = 4
  const append: Journal['append'] = async (records) => {
    if (failures-- > 0) throw new Failure('unavailable', 'away')
    return journal.append(records)
  }
  const journaling = await world.start({ ...journal, append })
  publish(messagesFor(1, 50))
  await until(() => failures <= 2)
  expect(world.acknowledged).toEqual([])
  expect(journaling.stats().available).toBe(false)
  await until(() => world.acknowledged.length === 50)
  expect((await idsOf(journal)).toSorted()).toEqual(messagesFor(1, 50).map(({ id }) => id))
  expect(journaling.stats()).toMatchObject({ available: true, parked: 0, appended: 50 })
  const messages = world.lines.map(({ message }) => message)
  expect(messages.filter((message) => message.includes('cannot be written'))).toHaveLength(1)
  expect(messages.filter((message) => message.includes('can be written again'))).toHaveLength(1)
})

test('an append that was made although its answer was lost is not made again', async () => {
  const journal = await world.open()
  let lost = false
  const append: Journal['append'] = async (records) => {
    const result = await journal.append(records)
    if (lost) return result
    lost = true
    throw new Failure('unavailable', 'the answer was lost')
  }
  await world.start({ ...journal, append })
  publish(messagesFor(1, 20))
  await until(() => world.acknowledged.length === 20)
  expect((await idsOf(journal)).toSorted()).toEqual(messagesFor(1, 20).map(({ id }) => id))
})

test('what cannot be an event is parked and recorded once, and the stream goes on', async () => {
  const journal = await world.open()
  const journaling = await world.start(journal)
  const garbage = spoiled(eventOf(900), {
    data: Buffer.from('\x1b[31mgarbage'),
    subject: 'countersign.v1.0.token.issued',
  })
  const poison = [
    garbage,
    spoiled(eventOf(901, { type: '' })),
    spoiled(eventOf(902), { id: 'another:0' }),
    spoiled(eventOf(903, { subject: 'x'.repeat(600) })),
    spoiled(eventOf(904), { id: '', data: new Uint8Array() }),
  ]
  const [first, second, third, ...rest] = messagesFor(1, 6)
  publish([first!, poison[0]!, second!, poison[1]!, poison[2]!, third!, poison[3]!, poison[4]!, ...rest])
  await until(() => world.acknowledged.length === 10)
  expect(world.acknowledged.toSorted()).toEqual(
    [...messagesFor(1, 6), ...poison]
      .map(({ id }) => id)
      .filter((id) => id !== '')
      .toSorted(),
  )
  const entries = await journal.after(0, 100)
  expect(entries.filter(({ event }) => event.type === 'token.issued')).toHaveLength(6)
  const records = entries.filter(({ event }) => event.type === 'audit.event_parked').map(({ event }) => event)
  expect(records.map(({ reason }) => reason).toSorted()).toEqual(
    ['undecodable', 'bad_type', 'id_differs', 'field_too_long', 'bad_id'].toSorted(),
  )
  expect(records.find(({ reason }) => reason === 'undecodable')?.attributes).toEqual({
    message_id: garbage.id,
    subject: garbage.subject,
    bytes: String(garbage.data.length),
    sha256: createHash('sha256').update(garbage.data).digest('hex'),
  })
  expect(journaling.stats()).toMatchObject({ parked: 5, appended: 11, head: 11 })
  expect(world.lines.filter(({ level }) => level === 'error')).toHaveLength(5)
  publish(poison)
  publish(messagesFor(7, 7))
  await until(async () => (await journal.head()) === 12)
  expect(await typesOf(journal)).toHaveLength(12)
  expect(journaling.stats().parked).toBe(5)
})

test('a parked message keeps its bytes whole', async () => {
  const journal = await world.open()
  await world.start(journal)
  const data = Buffer.from([0xff, 0, 1, 2, 254])
  publish([spoiled(eventOf(9), { data })])
  await until(async () => (await journal.head()) === 1)
  const database = new DatabaseSync(world.file, { readOnly: true })
  const rows = database.prepare(`select * from ${tables.parked}`).all()
  database.close()
  expect(rows).toMatchObject([{ id: eventOf(9).id, error: 'undecodable', at: world.clock.now }])
  expect(Buffer.from(rows[0]!.bytes as Uint8Array)).toEqual(data)
})

test('a record that the journal refuses is found among five hundred, and only it is parked', async () => {
  const journal = await world.open()
  const database = new DatabaseSync(world.file)
  database.exec(`create trigger refuse before insert on ${tables.events} when new.subject like 'refused%'
    begin select raise(abort, 'no'); end`)
  database.close()
  await world.start(journal)
  const refused = [eventOf(123, { subject: 'refused 1' }), eventOf(400, { subject: 'refused 2' })]
  const messages = messagesFor(1, 500).map((message) => {
    const event = refused.find(({ id }) => id === message.id)
    return event ? messageFor(event) : message
  })
  publish(messages)
  await until(() => world.acknowledged.length === 500)
  const entries = await journal.after(0, 1_000)
  expect(entries.filter(({ event }) => event.type === 'token.issued')).toHaveLength(498)
  const parked = entries.filter(({ event }) => event.type === 'audit.event_parked').map(({ event }) => event)
  expect(parked.map(({ reason, attributes }) => [reason, attributes.message_id])).toEqual(
    refused.map(({ id }) => ['refused', id]),
  )
  expect((await journal.held(refused.map(({ id }) => id))).toSorted()).toEqual(refused.map(({ id }) => id))
})

test('the relay is answered with what is journaled or parked', async () => {
  const journal = await world.open()
  await world.start(journal)
  publish([...messagesFor(1, 3), spoiled(eventOf(50), { data: new Uint8Array([1]) })])
  await until(() => world.acknowledged.length === 4)
  const asked = [1, 2, 3, 4, 50].map((n) => eventOf(n).id)
  expect((await world.bus.ask(asked, 5_000)).toSorted()).toEqual([1, 2, 3, 50].map((n) => eventOf(n).id).toSorted())
})

test('closed, it takes nothing more and answers nobody', async () => {
  const journal = await world.open()
  const journaling = await world.start(journal)
  await journaling.close()
  publish(messagesFor(1, 3))
  await expect(world.bus.ask(['x'], 100)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await journal.head()).toBe(0)
})
