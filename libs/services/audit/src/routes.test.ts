import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { eventOf, recordOf, recordsOf } from './conformance/events.ts'
import { serve, type Served } from './conformance/http.ts'
import { makeWorld, type World } from './conformance/world.ts'
import type { Journal } from './journal/port.ts'

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

const events = '/audit/v1/events'

test('events are listed newest first, as they are shown, and not to be stored', async () => {
  await journal.append(recordsOf(1, 3))
  const { status, headers, body } = await served.get(events)
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(body.next).toBeNull()
  expect(body.events.map(({ index }) => index)).toEqual([3, 2, 1])
  expect(body.events[2]).toMatchObject({
    index: 1,
    id: eventOf(1).id,
    type: 'token.issued',
    time: '2025-06-15T15:06:40.001Z',
    partition: 0,
    sequence: 1,
    client_id: 'batch',
    outcome: 'success',
    actor: { kind: 'client', id: 'batch' },
  })
})

test('an empty journal has no events', async () => {
  expect((await served.get(events)).text).toBe('{"events":[],"next":null}')
})

test('pages follow one another without loss or doubling, while new events arrive', async () => {
  await journal.append(recordsOf(1, 25))
  const seen: number[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await served.get(`${events}?limit=7${cursor && `&cursor=${cursor}`}`)
    seen.push(...body.events.map(({ index }) => index))
    cursor = body.next
    await journal.append([recordOf(100 + seen.length)])
  }
  expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => 25 - n))
})

test('filters narrow what is listed', async () => {
  await journal.append([
    recordOf(1, { type: 'token.revoked', subject: 'alice' }),
    recordOf(2, { type: 'login.failed', subject: 'alice' }),
    recordOf(3, { type: 'token.issued', subject: 'bob' }),
    recordOf(4, { type: 'token.issued', subject: 'alice', tokenFingerprint: 'f4' }),
  ])
  const found = async (query: string) => (await served.get(`${events}?${query}`)).body.events.map(({ index }) => index)
  expect(await found('type=token.*&subject=alice&order=asc')).toEqual([1, 4])
  expect(await found('type=login.failed,token.revoked')).toEqual([2, 1])
  expect(await found('token_fingerprint=f4')).toEqual([4])
  expect(await found(`from=${eventOf(2).time}&to=${eventOf(4).time}`)).toEqual([3, 2])
  expect(await found('outcome=failure')).toEqual([])
})

test('a mistake in the query is refused before the journal is asked', async () => {
  await journal.close()
  for (const query of ['colour=red', 'cursor=x', 'limit=0', 'from=x'])
    expect(await served.get(`${events}?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  expect(await served.get(`${events}/stream?limit=5`)).toMatchObject({ status: 400 })
  expect((await served.get(`${events}?colour=red`)).body.message).toContain('type, subject, client_id')
})

test('who may not read learns nothing, not even whether the query makes sense', async () => {
  await journal.append(recordsOf(1, 3))
  served.access.allowed = false
  for (const path of ['', '?colour=red', '/stream', '/stream?last_event_id=0'])
    expect(await served.get(events + path)).toMatchObject({ status: 403, body: { code: 'access_denied' } })
})

test('a journal that is away is said to be', async () => {
  await journal.close()
  for (const path of ['', '/stream']) expect((await served.get(events + path)).status).toBe(503)
})

test('other methods are refused with the ones there are; HEAD is answered', async () => {
  for (const path of ['', '/stream']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await served.get(events + path, { method })
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    }
    expect(await served.get(events + path, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
  }
})

test('what is hostile in a field comes out escaped', async () => {
  const subject = 'a\x1b[31m\u202e\u2028\x9b\nb'
  await journal.append([recordOf(1, { subject })])
  const { text, body } = await served.get(events)
  expect(text).toMatch(/^[\x20-\x7e]*$/)
  expect(body.events[0]!.subject).toBe(subject)
})
