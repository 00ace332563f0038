import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { eventOf, recordOf, recordsOf } from './conformance/events.ts'
import { serve, type Reading, type Served } from './conformance/http.ts'
import { makeWorld, messagesFor, until, type World } from './conformance/world.ts'
import type { Journal } from './journal/port.ts'
import { maxStreams } from './limits.ts'

let world: World
let journal: Journal
let served: Served
beforeEach(async () => {
  world = await makeWorld()
  journal = await world.open()
  served = await serve(world, journal)
})
afterEach(async () => {
  await served.close()
  await world.end()
})

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1)
const idsHeard = ({ heard }: Reading) => heard.map(({ id }) => Number(id))
const append = async (records: ReturnType<typeof recordsOf>) => served.tail.notify((await journal.append(records)).head)

test('a stream begins at the head and brings what is new, at once', async () => {
  await append(recordsOf(1, 5))
  const reading = await served.listen()
  expect(reading.status).toBe(200)
  expect(reading.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  })
  await append([recordOf(6, { type: 'token.revoked' })])
  await until(() => reading.heard.length === 1)
  const [{ id, event, data }] = reading.heard as [Reading['heard'][0]]
  expect({ id, event }).toEqual({ id: '6', event: 'token.revoked' })
  expect(JSON.parse(data)).toMatchObject({ index: 6, id: eventOf(6).id, type: 'token.revoked' })
  await append([recordOf(7)])
  await until(() => reading.heard.length === 2)
  expect(idsHeard(reading)).toEqual([6, 7])
})

test('resumed, it brings what was missed, then what is new, each once', async () => {
  await append(recordsOf(1, 1_000))
  const first = await served.listen('?last_event_id=0')
  await until(() => first.heard.length >= 300)
  first.close()
  const last = first.lastId()
  const writing = (async () => {
    for (let n = 1_001; n <= 1_400; n += 25) await append(recordsOf(n, n + 24))
  })()
  const second = await served.listen('?last_event_id=0', last)
  await writing
  await until(() => second.lastId() === '1400')
  expect([...idsHeard(first).filter((id) => id <= Number(last)), ...idsHeard(second)]).toEqual(upTo(1_400))
})

test('a reader that was cut off before the first event misses nothing', async () => {
  await append(recordsOf(1, 3))
  const first = await served.listen()
  await until(() => first.lastId() === '3')
  first.close()
  await append(recordsOf(4, 6))
  const second = await served.listen('', first.lastId())
  await until(() => second.heard.length === 3)
  expect(idsHeard(second)).toEqual([4, 5, 6])
})

test('filters hold for what is resumed and for what is new', async () => {
  const mixed = (n: number) =>
    recordOf(n, { type: n % 3 === 0 ? 'token.revoked' : 'token.issued', subject: `s${n % 2}` })
  await append(upTo(600).map(mixed))
  const reading = await served.listen('?type=token.revoked&subject=s1&last_event_id=0')
  await until(() => reading.heard.length === 100)
  await append(Array.from({ length: 300 }, (_, n) => mixed(601 + n)))
  await until(() => reading.heard.length === 150)
  expect(idsHeard(reading)).toEqual(upTo(900).filter((n) => n % 6 === 3))
})

test('what another process wrote comes too', async () => {
  const reading = await served.listen()
  await (await world.open()).append(recordsOf(1, 2))
  await until(() => reading.heard.length === 2)
  expect(idsHeard(reading)).toEqual([1, 2])
})

test('what the bus brings is on the stream, hostile fields and all', async () => {
  const reading = await served.listen()
  await world.start(journal, { onAppended: (head) => served.tail.notify(head) })
  for (const message of messagesFor(1, 40)) world.bus.publish(message)
  await until(() => reading.heard.length === 40)
  await append([recordOf(41, { subject: 'x\n\nid: 999\nevent: forged\ndata: {}\n\n\u2028\u202e' })])
  await until(() => reading.heard.length === 41)
  expect(idsHeard(reading)).toEqual(upTo(41))
  expect(new Set(reading.heard.map(({ event }) => event))).toEqual(new Set(['token.issued']))
  expect(reading.text()).toMatch(/^[\x20-\x7e\n]*$/)
})

test('a last event id beyond the journal is refused: the journal lost what the reader has seen', async () => {
  await append(recordsOf(1, 3))
  expect((await served.get('/audit/v1/events/stream?last_event_id=4')).body).toMatchObject({ code: 'invalid_request' })
  const reading = await served.listen('?last_event_id=3')
  expect(reading.status).toBe(200)
})

test('a stream goes on when the journal was away for a moment', async () => {
  let away = false
  const search: Journal['search'] = (...given) =>
    away ? Promise.reject(new Failure('unavailable', 'away')) : journal.search(...given)
  await served.close()
  served = await serve(world, { ...journal, search })
  const reading = await served.listen()
  away = true
  await append(recordsOf(1, 3))
  await until(() => world.lines.some(({ message }) => message.includes('waits for the audit journal')))
  away = false
  await until(() => reading.heard.length === 3)
  expect(idsHeard(reading)).toEqual([1, 2, 3])
})

test('there are so many streams and no more, and one that ends makes room', async () => {
  const readings = await Promise.all(upTo(maxStreams).map(() => served.listen()))
  expect(readings.map(({ status }) => status)).toEqual(readings.map(() => 200))
  expect(served.tail.followers()).toBe(maxStreams)
  const { status, body } = await served.get('/audit/v1/events/stream')
  expect({ status, code: body.code }).toEqual({ status: 429, code: 'too_many_requests' })
  readings[0]!.close()
  await until(() => served.tail.followers() === maxStreams - 1)
  expect((await served.listen()).status).toBe(200)
})

test('closing the tail ends every stream and lets no new one begin', async () => {
  await append(recordsOf(1, 3))
  const readings = await Promise.all([served.listen(), served.listen('?last_event_id=0')])
  await until(() => readings[1]!.heard.length === 3)
  await served.tail.close()
  await until(() => readings.every((reading) => reading.ended()))
  expect(served.tail.followers()).toBe(0)
  expect(readings.map(({ response }) => response.complete)).toEqual([true, true])
  expect((await served.get('/audit/v1/events/stream')).status).toBe(503)
})

describe('with shorter clocks', () => {
  test('a silent stream has heartbeats', async () => {
    await served.close()
    served = await serve(world, journal, { heartbeatMs: 10 })
    const reading = await served.listen()
    await until(() => reading.text().split(':\n\n').length > 4)
    expect(reading.heard).toEqual([])
  })

  test('a stream ends when its reader may not read any more', async () => {
    await served.close()
    served = await serve(world, journal, { reauthorizeMs: 20 })
    const reading = await served.listen()
    await append(recordsOf(1, 1))
    await until(() => reading.heard.length === 1)
    served.access.allowed = false
    await until(() => reading.ended())
    expect(served.tail.followers()).toBe(0)
  })

  test('a reader that takes nothing for too long is dropped', async () => {
    await served.close()
    served = await serve(world, journal, { maxStallMs: 50 })
    await fill()
    const reading = await served.listen('?last_event_id=0')
    reading.response.pause()
    await until(() => served.tail.followers() === 0)
    reading.response.resume()
    await until(() => reading.ended())
    expect(reading.response.complete).toBe(false)
  })
})

/** More than the buffers between two sockets hold. */
async function fill(): Promise<void> {
  const bulky = { attributes: { filler: 'x'.repeat(20_000) } }
  for (let n = 0; n < 2_000; n += 200) await append(upTo(200).map((k) => recordOf(n + k, bulky)))
}

test('a slow reader is served at its own pace, and never from more than a page in memory', async () => {
  await served.close()
  let pages = 0
  const search: Journal['search'] = (...given) => (pages++, journal.search(...given))
  served = await serve(world, { ...journal, search })
  await fill()
  const reading = await served.listen('?last_event_id=0')
  reading.response.pause()
  let before = -1
  while (before !== pages) {
    before = pages
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  expect(pages).toBeGreaterThan(0)
  expect(pages).toBeLessThan(8)
  reading.response.resume()
  await until(() => reading.heard.length === 2_000)
  expect(idsHeard(reading)).toEqual(upTo(2_000))
})
