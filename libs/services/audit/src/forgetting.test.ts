import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { eventOf } from './conformance/events.ts'
import { serve } from './conformance/http.ts'
import { deletionOf, ofPerson } from './conformance/redaction.ts'
import { makeWorld, messageFor, messagesFor, until, type World } from './conformance/world.ts'
import type { Journal } from './journal/port.ts'

let world: World
beforeEach(async () => void (world = await makeWorld()))
afterEach(() => world.end())

const hers = (n: number) => messageFor(eventOf(n, ofPerson('alice')))
const deletion = (n: number) => messageFor(eventOf(n, deletionOf('alice')))
const toldIn = async (journal: Journal) =>
  (await journal.after(0, 1_000)).filter(({ event }) => event.type === 'audit.redacted')

test('a person whose deletion the bus brings is forgotten, and readers are told and shown it', async () => {
  const journal = await world.open()
  const served = await serve(world, journal)
  await world.start(journal, { onAppended: (head) => served.tail.notify(head) })
  const reading = await served.listen('?type=audit.*')
  const before = [hers(1), messageFor(eventOf(2, ofPerson('bob'))), hers(3)]
  before.forEach((message) => world.bus.publish(message))
  await until(() => world.acknowledged.length === 3)
  world.bus.publish(deletion(4))
  await until(() => reading.heard.length === 1)
  world.bus.publish(hers(5))
  world.bus.publish(hers(3))
  await until(() => world.acknowledged.length === 6)
  const { body } = await served.get('/audit/v1/events?subject=alice&order=asc')
  expect(body.events.map((event) => [event.index, event.type, event.redacted])).toEqual([
    [1, 'token.issued', true],
    [3, 'token.issued', true],
    [4, 'account.deleted', true],
    [5, 'audit.redacted', undefined],
    [6, 'token.issued', true],
  ])
  for (const { actor, attributes } of body.events.filter(({ redacted }) => redacted)) {
    expect(actor).toEqual({ kind: 'person', id: 'alice' })
    expect(attributes).toEqual({ provider: 'local', session: 's1' })
  }
  expect(JSON.parse(reading.heard[0]!.data)).toMatchObject({ subject: 'alice', attributes: { records: '3' } })
  const { text } = await served.get('/audit/v1/events?subject=bob')
  expect(text).toContain('198.51.100.9')
  reading.close()
  await served.close()
})

test('events are journaled while somebody is being forgotten', async () => {
  const journal = await world.open()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let asked = false
  const forget: Journal['forget'] = async () => {
    asked = true
    await released
    return undefined
  }
  await world.start({ ...journal, forget })
  await until(() => asked)
  messagesFor(1, 20).forEach((message) => world.bus.publish(message))
  await until(() => world.acknowledged.length === 20)
  release()
})

test('what cannot be forgotten now is forgotten later; only what is no outage is an error', async () => {
  const journal = await world.open()
  const failures = [new Failure('unavailable', 'away'), new Failure('internal', 'broken')]
  const forget: Journal['forget'] = async (at) => {
    const failure = failures.shift()
    if (failure) throw failure
    return journal.forget(at)
  }
  const heads: number[] = []
  // Not by a look at the journal, which is made every few seconds.
  const blind = { ...journal, forget, head: async () => 0 }
  await world.start(blind, { onAppended: (head) => heads.push(head) })
  world.bus.publish(hers(1))
  world.bus.publish(deletion(2))
  await until(() => heads.includes(3))
  expect(await toldIn(journal)).toHaveLength(1)
  const errors = world.lines.filter(({ level }) => level === 'error')
  expect(errors).toMatchObject([{ fields: { err: { code: 'internal' } } }])
})

test('two processes forget somebody once', async () => {
  const journals = [await world.open(), await world.open()]
  for (const journal of journals) await world.start(journal)
  for (let n = 1; n <= 50; n++) world.bus.publish(hers(n))
  world.bus.publish(deletion(51))
  await until(async () => (await toldIn(journals[0]!)).length > 0)
  expect(await toldIn(journals[1]!)).toMatchObject([{ index: 52, event: { attributes: { records: '51' } } }])
})
