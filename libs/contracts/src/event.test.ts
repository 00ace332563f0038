import { describe, expect, test } from '@jest/globals'
import type { Event } from '@countersign/contracts/events'
import { ActorKind, Outcome } from '@countersign/contracts/events'
import { decodeEvent, encodeEvent, messageOf, stampedBytes } from './event.ts'

const event: Event = {
  id: '0123456789abcdef0123456789abcdef:0',
  type: 'token.issued',
  time: 1_700_000_000_000,
  revision: '',
  sequence: 0,
  partition: 3,
  actor: { kind: ActorKind.CLIENT, id: 'batch', address: '127.0.0.1', userAgent: 'curl' },
  subject: 'batch',
  clientId: 'batch',
  grantId: 'client:batch',
  tokenFingerprint: 'abc',
  scopes: ['read:reports'],
  outcome: Outcome.SUCCESS,
  reason: '',
  traceparent: '',
  attributes: { lifetime: '300' },
}

describe('an event on its way', () => {
  test('keeps everything and carries the stamp that was known only after the commit', () => {
    const bytes = stampedBytes(encodeEvent(event), { revision: '3:ab:7', sequence: 5_000_000_000 })
    expect(decodeEvent(bytes)).toEqual({ ...event, revision: '3:ab:7', sequence: 5_000_000_000 })
  })

  test('is a CloudEvent on a subject that names partition and type', () => {
    const message = messageOf(event, encodeEvent(event), { revision: '3:ab:7', sequence: 1 })
    expect(message.subject).toBe('countersign.v1.3.token.issued')
    expect(message.headers).toMatchObject({ 'ce-id': event.id, 'ce-time': '2023-11-14T22:13:20.000Z' })
  })
})
