import { expect, test } from '@jest/globals'
import { messageOf, type Message } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import { bytesOf, eventOf } from './conformance/events.ts'
import { take } from './intake.ts'

const messageWith = (given: Partial<Event>, changed: Partial<Message> = {}): Message => {
  const event = eventOf(1, given)
  const usual = messageOf(eventOf(1), new Uint8Array(), { revision: '', sequence: 0 })
  const headers = { ...usual.headers, 'ce-id': event.id }
  return { ...usual, id: event.id, headers, data: bytesOf(event), ...changed }
}
const defectOf = (message: Message) => (take(message, 5) as { defect?: string }).defect

test('an event is taken with the very bytes it came in', () => {
  const message = messageWith({})
  expect(take(message, 5)).toEqual({ event: eventOf(1), bytes: message.data, receivedAt: 5 })
  expect((take(message, 5) as { bytes: Uint8Array }).bytes).toBe(message.data)
})

test.each<[string, Message]>([
  ['undecodable', messageWith({}, { data: new Uint8Array([0x0a, 0xff]) })],
  ['undecodable', messageWith({}, { data: Buffer.from('not protobuf at all') })],
  ['bad_id', messageWith({}, { data: new Uint8Array() })],
  ['bad_id', messageWith({ id: '' })],
  ['bad_id', messageWith({ id: 'a b' })],
  ['bad_id', messageWith({ id: 'ä:0' })],
  ['bad_id', messageWith({ id: 'x'.repeat(129) })],
  ['id_differs', messageWith({}, { id: 'another:0' })],
  ['id_differs', messageWith({}, { id: 'another:0', headers: {} })],
  ['id_differs', messageWith({}, { id: '' })],
  ['id_differs', messageWith({}, { headers: { 'ce-id': 'another:0' } })],
  ['bad_type', messageWith({ type: '' })],
  ['bad_type', messageWith({ type: 'token.issued\ndata: x' })],
  ['bad_type', messageWith({ type: 'a'.repeat(65) })],
  ['bad_time', messageWith({ time: 8_640_000_000_000_001 })],
  ['bad_time', messageWith({ time: -8_640_000_000_000_001 })],
  ['bad_revision', messageWith({ revision: 'nonsense' })],
  ['bad_revision', messageWith({ revision: '' })],
  ['bad_revision', messageWith({ revision: '5:ee:1', partition: 4 })],
  ['field_too_long', messageWith({ subject: 's'.repeat(513) })],
  ['field_too_long', messageWith({ grantId: 's'.repeat(513) })],
  ['field_too_long', messageWith({ actor: { kind: 1, id: 'i'.repeat(513), address: '', userAgent: '' } })],
  ['too_large', messageWith({ attributes: { much: 'x'.repeat(70_000) } })],
])('what is no event for the journal is told apart: %s', (defect, message) => {
  expect(defectOf(message)).toBe(defect)
})

test('an event without a stamp, with fields as long as they may be, or of a type not known yet is taken', () => {
  expect(defectOf(messageWith({ revision: '', sequence: 0 }))).toBeUndefined()
  expect(defectOf(messageWith({ subject: '字'.repeat(512), type: 'made.up_later.2' }))).toBeUndefined()
  expect(defectOf(messageWith({}, { headers: {} }))).toBeUndefined()
})

test('no bytes whatsoever make it throw', () => {
  let seed = 11
  const random = () => (seed = (seed * 48_271) % 2_147_483_647)
  const good = bytesOf(eventOf(1))
  for (let round = 0; round < 3_000; round++) {
    const data = Uint8Array.from(good)
    for (let n = 0; n < 3; n++) data[random() % data.length] = random() % 256
    expect(() => take(messageWith({}, { data: data.slice(0, random() % data.length) }), 5)).not.toThrow()
    expect(() => take(messageWith({}, { data }), 5)).not.toThrow()
  }
})
