import { expect, test } from '@jest/globals'
import { decodeEvent } from '@countersign/contracts'
import { ActorKind, type Event } from '@countersign/contracts/events'
import { recordOf } from '../conformance/events.ts'
import { ofPerson } from '../conformance/redaction.ts'
import { peopleOf, redactedRecord } from './personal.ts'

const isAlice = (id: string): boolean => id === 'alice'
const redacted = (given: Partial<Event>): Event | undefined => {
  const record = redactedRecord(recordOf(1, ofPerson('alice', given)), isAlice)
  if (record) expect(decodeEvent(record.bytes)).toEqual(record.event)
  return record?.event
}

test('an attribute stays only when it is known to tell of nobody', () => {
  const known = {
    actor: 'bob',
    added: '["editor"]',
    removed: '[]',
    from: 'f',
    issuer: 'https://id.example',
    provider: 'google',
    session: 's1',
    sessions: 'all',
    attempts: '2',
  }
  const unknown = { email: 'alice@example.org', first: 'Alice', made_up_later: 'x', constructor: 'y', '': 'z' }
  expect(redacted({ attributes: { ...unknown, ...known } })!.attributes).toEqual(known)
})

test('a reason stays when it is a word', () => {
  const device = 'urn:ietf:params:oauth:grant-type:device_code'
  for (const reason of ['', 'revoked_by_operator', 'status_500', device])
    expect(redacted({ reason })!.reason).toBe(reason)
  for (const reason of ['Alice left us', 'alice@example.org', 'wörd', 'a\nb'])
    expect(redacted({ reason })!.reason).toBe('')
})

test('what has nothing personal, or is of somebody else, is as it was', () => {
  const bare = { actor: { kind: ActorKind.PERSON, id: 'alice', address: '', userAgent: '' }, traceparent: '' }
  expect(redacted({ ...bare, attributes: { provider: 'local' } })).toBeUndefined()
  expect(redacted({ subject: 'bob', actor: { ...bare.actor, id: 'bob' } })).toBeUndefined()
  expect(redacted({ ...bare, actor: undefined, attributes: {} })).toBeUndefined()
})

test('what is redacted is not redacted again', () => {
  const once = redactedRecord(recordOf(1, ofPerson('alice')), isAlice)!
  expect(redactedRecord(once, isAlice)).toBeUndefined()
})

test('people are whom an event concerns and who acted; a machine and a client are none', () => {
  const person = { kind: ActorKind.PERSON, id: 'bob', address: '', userAgent: '' }
  const people = (given: Partial<Event>) => peopleOf(recordOf(1, { subject: 'alice', clientId: 'web', ...given }).event)
  expect(people({ actor: person })).toEqual(['alice', 'bob'])
  expect(people({ actor: { ...person, kind: ActorKind.CLIENT } })).toEqual(['alice'])
  expect(people({ subject: 'web', actor: undefined })).toEqual([])
  expect(people({ subject: '', actor: { ...person, id: '' } })).toEqual([])
})
